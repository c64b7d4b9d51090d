"""The digest of the running code can be recalculated by anybody with a shell."""

import subprocess
from pathlib import Path

from trading.artifact import digest, digest_of

SHELL = """
find trading -type f ! -path '*/__pycache__/*' -print0 |
  xargs -0 sha256sum | sed -E 's/^([0-9a-f]+)  (.*)$/\\2 \\1/' | LC_ALL=C sort | sha256sum
"""


def test_it_is_the_digest_that_a_shell_calculates() -> None:
    package = Path(__import__("trading").__file__).parent
    out = subprocess.run(
        ["sh", "-c", SHELL], cwd=package.parent, check=True, capture_output=True, text=True
    ).stdout
    assert digest_of(package) == out.split()[0]
    assert len(digest()) == 64


def test_it_changes_with_one_byte_and_ignores_byte_code(tmp_path: Path) -> None:
    package = tmp_path / "trading"
    (package / "__pycache__").mkdir(parents=True)
    (package / "a.py").write_text("x = 1\n")
    before = digest_of(package)
    (package / "__pycache__" / "a.pyc").write_text("anything")
    assert digest_of(package) == before
    (package / "a.py").write_text("x = 2\n")
    assert digest_of(package) != before
