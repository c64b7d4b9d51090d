"""Wrong files, releases and branches: the message, the exit code, and that nothing changed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.harness.installation import ENVIRONMENTS, Installation, git


def state_of(installation: Installation) -> dict[str, Any]:
    """What must not change: branches, rows, releases built."""
    return {
        "branches": git(installation.origin, "for-each-ref", "--format=%(refname) %(objectname)"),
        "rows": [
            (row["slot"], row["release"], row["epoch"])
            for row in (installation.agreement(e).row() for e in ENVIRONMENTS)
        ],
        "releases": sorted(p.name for p in (installation.state / "releases").glob("r-*")),
    }


@pytest.fixture
def unchanged(installation: Installation) -> Iterator[Installation]:
    """Checks afterwards that nothing changed, and puts the checkout back."""
    head = git(installation.checkout, "rev-parse", "HEAD")
    before = state_of(installation)
    yield installation
    git(installation.checkout, "reset", "--quiet", "--hard", head)
    git(installation.checkout, "clean", "--quiet", "-fd", "app", "environments")
    assert state_of(installation) == before


def put(path: str, text: str) -> Callable[[Path], None]:
    def edit(checkout: Path) -> None:
        (checkout / path).write_text(text)

    return edit


def add(path: str, text: str) -> Callable[[Path], None]:
    def edit(checkout: Path) -> None:
        with (checkout / path).open("a") as file:
            file.write(text)

    return edit


def link(path: str, target: str) -> Callable[[Path], None]:
    def edit(checkout: Path) -> None:
        (checkout / path).unlink(missing_ok=True)
        (checkout / path).symlink_to(target)

    return edit


def huge(path: str) -> Callable[[Path], None]:
    def edit(checkout: Path) -> None:
        with (checkout / path).open("wb") as file:
            file.truncate(100 * 1024 * 1024)

    return edit


BASE = "environments/base/values.yaml"
SETTINGS = "environments/staging/environment.yaml"
FILES = [
    pytest.param(put("app/slipway.yaml", "name: [trading\n"), "slipway.yaml", id="broken YAML"),
    pytest.param(add("app/slipway.yaml", "\nname: again\n"), "name", id="duplicate key"),
    pytest.param(add("app/slipway.yaml", "\nspeed: 9\n"), "speed", id="unknown key"),
    pytest.param(put("app/slipway.yaml", "name: 7\nmodule: trading\n"), "name", id="wrong type"),
    pytest.param(put(BASE, "trading: {risk: {a: 1, a: 2}}\n"), "a", id="duplicate key in values"),
    pytest.param(link("app/trading/link.py", "/etc/hostname"), "link.py", id="symbolic link"),
    pytest.param(link(BASE, "/etc/hostname"), "values.yaml", id="values as a symbolic link"),
    pytest.param(huge("app/trading/huge.bin"), "huge.bin", id="file of 100 MB"),
    pytest.param(
        lambda checkout: git(checkout, "rm", "-rq", "environments/staging") and None,
        "staging",
        id="missing environment",
    ),
]


@pytest.mark.parametrize(("edit", "names"), FILES)
def test_a_wrong_file_is_refused_at_build_by_its_name(
    unchanged: Installation, edit: Callable[[Path], None], names: str
) -> None:
    unchanged.commit(edit, "Break a file")
    answer = unchanged.run("build")
    assert answer.code == 2, str(answer)
    assert names in answer.text
    assert "Traceback" not in answer.text


def test_uncommitted_changes_are_refused_by_build(unchanged: Installation) -> None:
    add("app/trading/__init__.py", "\n# changed\n")(unchanged.checkout)
    answer = unchanged.run("build")
    assert answer.code in (1, 2), str(answer)
    assert "uncommitted" in answer.text
    assert "git commit" in answer.text


COMMANDS = [
    pytest.param(["promote", "dev", "r-0000000000000000"], 1, "r-0000", id="unknown release"),
    pytest.param(["promote", "dev", "../../etc"], 1, "../../etc", id="path traversal"),
    pytest.param(["promote", "moon"], 2, "moon", id="unknown environment"),
    pytest.param(["promote"], 2, "ENV", id="no environment"),
    pytest.param(["promote", "production"], 2, "--reason", id="production without a reason"),
    pytest.param(["rollback", "production"], 2, "--reason", id="rollback without a reason"),
    pytest.param(["promot", "dev"], 2, "promote", id="misspelt command"),
    pytest.param(
        ["restore", "dev", "../../x", "--yes", "--reason", "x"], 1, "backup", id="backup outside"
    ),
    pytest.param(["why", "no-such-order"], 1, "no-such-order", id="unknown order"),
    pytest.param(["unhold", "dev", "r-00", "--reason", "x"], 1, "r-00", id="unhold of nothing"),
]


@pytest.mark.parametrize(("words", "code", "names"), COMMANDS)
def test_a_wrong_command_says_what_is_wrong_and_changes_nothing(
    unchanged: Installation, words: list[str], code: int, names: str
) -> None:
    answer = unchanged.run(*words)
    assert answer.code in (code, 2 if code == 1 else code), str(answer)
    assert names in answer.text
    assert "Traceback" not in answer.text


def test_a_state_folder_without_an_installation_is_named(
    unchanged: Installation, tmp_path: Path
) -> None:
    answer = unchanged.run("status", "--state", str(tmp_path / "nothing"))
    assert answer.code == 2, str(answer)
    assert str(tmp_path / "nothing") in answer.text


TOKEN_PATHS = ["/api/orders", "/api/positions", "/api/risk"]
ORDERS = [
    pytest.param(b"{", id="malformed JSON"),
    pytest.param(b'{"symbol":"NOPE","side":"buy","quantity":"1","type":"market"}', id="symbol"),
    pytest.param(b'{"symbol":"IBM","side":"buy","quantity":"-1","type":"market"}', id="negative"),
    pytest.param(b'{"symbol":"IBM","side":"buy","quantity":"0","type":"market"}', id="zero"),
    pytest.param(b'{"symbol":"IBM","side":"buy","quantity":"NaN","type":"market"}', id="NaN"),
    pytest.param(b'{"symbol":"IBM","side":"buy","quantity":NaN,"type":"market"}', id="bare NaN"),
    pytest.param(b'{"symbol":"IBM","side":"buy","quantity":"1e30","type":"market"}', id="huge"),
    pytest.param(b'{"symbol":"IBM","side":"up","quantity":"1","type":"market"}', id="side"),
    pytest.param(b'{"symbol":"IBM","side":"buy","quantity":"1","type":"limit"}', id="no price"),
]


@pytest.mark.parametrize("body", ORDERS)
def test_a_wrong_order_is_refused_with_a_code_and_writes_nothing(
    installation: Installation, body: bytes
) -> None:
    from tests.acceptance.test_newcomer import post
    from tests.harness.database import query

    manual = "select count(*) as n from trading.orders where source = 'api'"
    before = query(installation.database_uri("dev"), manual)
    status, answer = post(installation, "dev", "/api/orders", body)
    assert 400 <= status < 500, answer
    assert answer
    assert query(installation.database_uri("dev"), manual) == before
