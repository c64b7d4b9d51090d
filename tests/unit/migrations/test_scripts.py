"""Scripts are read without being run; what cannot be judged as it stands is named."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.model.check import Tree
from pipelines.model.errors import BadInput
from pipelines.stages import migration_scripts as scripts
from tests.support.rehearsing import INDEX, NOTE, ROOT, VERSIONS, Migration

GOOD = str(NOTE)


def _tree(folder: Path, **files: str | bytes) -> Tree:
    place = folder / VERSIONS
    place.mkdir(parents=True, exist_ok=True)
    (folder / "app/slipway.yaml").write_text((ROOT / "app/slipway.yaml").read_text())
    for name, content in files.items():
        content = content.encode() if isinstance(content, str) else content
        (place / f"{name}.py").write_bytes(content)
    return Tree("c", folder, {})


def _read(folder: Path, **files: str | bytes) -> scripts.Scripts:
    return scripts.read(_tree(folder, **files), VERSIONS)


def test_the_scripts_of_this_repository_are_one_chain() -> None:
    tree = Tree("c", ROOT, {})
    found = scripts.read(tree, scripts.versions_folder(tree))
    assert found.findings == ()
    ordered = scripts.chain(found.scripts).ordered
    assert [script.revision for script in ordered][:2] == ["r0001", "r0002"]
    assert all("create" in script.up for script in ordered)


def test_a_script_is_read_with_kind_order_and_the_line_of_its_sql(tmp_path: Path) -> None:
    found = _read(tmp_path, r0003=GOOD, r0004=str(INDEX), __init__="print('not a script')")
    first, second = found.scripts
    assert (first.revision, first.down_revision, first.kind) == ("r0003", "r0002", "expand")
    assert first.up.strip() == NOTE.up
    assert GOOD.splitlines()[first.up_line - 1] == 'UP = """'
    assert (first.transactional, second.transactional) == (True, False)
    assert first.message == "A change for a test."


def test_a_script_is_never_run(tmp_path: Path) -> None:
    mark = tmp_path / "ran"
    found = _read(tmp_path, r0003=f"open({str(mark)!r}, 'w')\n" + GOOD)
    assert not mark.exists()
    assert not found.scripts
    assert "runs `open(" in found.findings[0].message


STRANGE = {
    "another statement than UP": (
        GOOD.replace("op.execute(UP)", 'op.execute("drop table trading.orders")'),
        "runs `def upgrade()",
    ),
    "something before UP": (
        GOOD.replace("    op.execute(UP)", "    op.execute(DOWN)\n    op.execute(UP)"),
        "runs `def upgrade()",
    ),
    "a decorated function": (GOOD.replace("def upgrade", "@print\ndef upgrade"), "runs `@print`"),
    "SQL made at run time": (GOOD.replace('UP = """', 'UP = f"""'), "runs `UP = f"),
    "UP assigned twice": (GOOD + '\nUP = "drop table x"\n', "assigns UP twice"),
    "another import": (GOOD.replace("from alembic import op", "import os"), "runs `import os`"),
    "UP changed later": (GOOD + "\nUP += 'x'\n", "runs `UP += 'x'`"),
    "a class": (GOOD + "\nclass A: pass\n", "runs `class A:"),
    "no UP": (GOOD.replace("UP =", "UPP ="), "has no constant UP"),
    "no kind": (GOOD.replace('kind = "expand"', ""), "has no constant kind"),
    "a wrong kind": (GOOD.replace('"expand"', '"both"'), "kind is 'both'"),
    "a number for a revision": (GOOD.replace('"r0003"', "3"), "revision is not of the right type"),
    "bytes": (GOOD.replace('DOWN = """', 'DOWN = b"""'), "DOWN is not of the right type"),
    "TRANSACTIONAL as text": (
        GOOD.replace("TRANSACTIONAL = True", 'TRANSACTIONAL = "no"'),
        "TRANSACTIONAL is not of the right type",
    ),
    "no Python": ("select 1;", "is no Python that can be read"),
    "a null byte": (b"a = '\0'", "is no Python that can be read"),
    "not UTF-8": (b'"""\xff"""', "is no Python that can be read"),
    "a thousand brackets": ("(" * 5000 + ")" * 5000, "is no Python that can be read"),
    "two megabytes": ("#" * 2_000_000, "more than 1,000,000 bytes"),
    "empty": ("", "has no constant revision"),
}


@pytest.mark.parametrize(("text", "said"), STRANGE.values(), ids=STRANGE)
def test_what_is_no_script_is_named_with_its_reason(
    tmp_path: Path, text: str | bytes, said: str
) -> None:
    found = _read(tmp_path, r0003=text)
    assert found.scripts == ()
    assert said in found.findings[0].message
    assert found.findings[0].path == f"{VERSIONS}r0003.py"


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    tree = _tree(tmp_path)
    outside = tmp_path / "outside.py"
    outside.write_text(GOOD)
    (tmp_path / VERSIONS / "r0003.py").symlink_to(outside)
    assert "is a link" in scripts.read(tree, VERSIONS).findings[0].message


def test_an_application_without_migrations_cannot_be_rehearsed(tmp_path: Path) -> None:
    tree = _tree(tmp_path)
    (tmp_path / "app/slipway.yaml").write_text(
        "name: a\nmodule: a\nprocesses:\n  web: {args: [serve], sockets: [live, slot]}\n"
    )
    with pytest.raises(BadInput, match="offers no command migrate"):
        scripts.require_application(tree, "develop")


def _script(revision: str, after: str | None) -> scripts.Script:
    return scripts.Script(f"{revision}.py", revision, after, "expand", "", "", "", "")


def _line(length: int) -> list[scripts.Script]:
    names = [None, *(f"r{number:04}" for number in range(1, length + 1))]
    return [_script(str(name), after) for after, name in pairwise(names)]


@given(st.integers(0, 30), st.randoms())
def test_a_line_is_found_in_whatever_order_its_files_come(length: int, random: object) -> None:
    line = _line(length)
    mixed = list(line)
    random.shuffle(mixed)  # type: ignore[attr-defined]
    chain = scripts.chain(mixed)
    assert (list(chain.ordered), chain.problem) == (line, "")


@given(st.integers(1, 20), st.data())
def test_a_second_follower_anywhere_makes_two_heads(length: int, data: st.DataObject) -> None:
    line = _line(length)
    after = data.draw(st.sampled_from([None, *(s.revision for s in line[:-1])]))
    chain = scripts.chain([*line, _script("other", after)])
    assert chain.ordered == ()
    assert "two heads" in chain.problem
    assert "other" in chain.problem


@given(st.integers(2, 20), st.data())
def test_a_missing_link_anywhere_breaks_the_chain(length: int, data: st.DataObject) -> None:
    line = _line(length)
    gone = data.draw(st.integers(0, length - 2))
    chain = scripts.chain(line[:gone] + line[gone + 1 :])
    assert chain.ordered == ()
    assert f"{line[gone + 1].revision} (after {line[gone].revision!r})" in chain.problem


def test_a_circle_is_no_chain() -> None:
    chain = scripts.chain([_script("a", "b"), _script("b", "a")])
    assert "broken chain" in chain.problem
    assert Migration("a", "b").file.endswith("r0003_test.py")
