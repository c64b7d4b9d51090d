"""Wrong files, releases and branches: the message, the exit code, and that nothing changed."""

from __future__ import annotations

import http.client
import json
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.harness.database import query
from tests.harness.installation import ENVIRONMENTS, Installation, git


def state_of(installation: Installation) -> dict[str, Any]:
    """What must not change: branches (holds are in them), rows, releases built, what was audited."""
    return {
        "branches": git(installation.origin, "for-each-ref", "--format=%(refname) %(objectname)"),
        "rows": [
            (row["slot"], row["release"], row["epoch"])
            for row in (installation.agreement(e).row() for e in ENVIRONMENTS)
        ],
        "releases": sorted(p.name for p in (installation.state / "releases").glob("r-*")),
        "audited": [audited(installation, e) for e in ENVIRONMENTS],
    }


def audited(installation: Installation, environment: str) -> int:
    """How often a person stands in the audit; what the controller mends meanwhile does not count."""
    shown = installation.ok("audit", "show", environment, "--limit", "10000")
    return sum(entry["actor"] != "slipway" for entry in shown["entries"])


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
    pytest.param(
        put(BASE, "trading: {risk: {most: 1, most: 2}}\n"),
        "key 'most'",
        id="duplicate key in values",
    ),
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
    assert answer.code == 1, str(answer)
    assert "uncommitted" in answer.text
    assert "app/trading/__init__.py" in answer.text
    assert "git commit" in answer.text
    assert "Traceback" not in answer.text


COMMANDS = [
    pytest.param(
        ["controller", "dev", "--observe"], 2, "nobody but Slipway", id="observing nobody"
    ),
    pytest.param(["promote", "dev", "r-0000000000000000"], 1, "is unknown", id="unknown release"),
    pytest.param(["promote", "dev", "../../etc"], 2, "../../etc", id="path traversal"),
    pytest.param(["promote", "moon"], 2, "moon", id="unknown environment"),
    pytest.param(["promote"], 2, "ENV", id="no environment"),
    pytest.param(["promote", "production"], 2, "--reason", id="production without a reason"),
    pytest.param(["rollback", "production"], 2, "--reason", id="rollback without a reason"),
    pytest.param(["promot", "dev"], 2, "promote", id="misspelt command"),
    pytest.param(["why", "no-such-order"], 2, "no-such-order", id="unknown order"),
    pytest.param(
        ["unhold", "dev", "r-00", "--reason", "x"], 1, "'r-00' is unknown", id="unhold of nothing"
    ),
]


@pytest.mark.parametrize(("words", "code", "names"), COMMANDS)
def test_a_wrong_command_says_what_is_wrong_and_changes_nothing(
    unchanged: Installation, words: list[str], code: int, names: str
) -> None:
    answer = unchanged.run(*words)
    assert answer.code == code, str(answer)
    assert names in answer.text
    assert "Traceback" not in answer.text


@pytest.fixture
def backed_up(installation: Installation) -> None:
    """dev has a backup, so that it is the name that is wrong. Before `unchanged`: it is audited."""
    installation.ok("backup", "dev", "--reason", "a test")


@pytest.mark.usefixtures("backed_up")
def test_a_backup_outside_the_backups_is_no_backup(unchanged: Installation) -> None:
    answer = unchanged.run("restore", "dev", "../../x", "--yes", "--reason", "x")
    assert answer.code == 2, str(answer)
    assert "no backup '../../x' in dev" in answer.text
    assert "Traceback" not in answer.text


def test_a_state_folder_without_an_installation_is_named(
    unchanged: Installation, tmp_path: Path
) -> None:
    answer = unchanged.run("status", "--state", str(tmp_path / "nothing"))
    assert answer.code == 2, str(answer)
    assert str(tmp_path / "nothing") in answer.text
    assert "Traceback" not in answer.text
    assert not (tmp_path / "nothing").exists()


def order(**changes: str) -> bytes:
    """A good order of one share, but for the changes."""
    good = {"symbol": "IBM", "side": "buy", "quantity": "1", "type": "market"}
    return json.dumps(good | changes).encode()


BARE_NAN = order().replace(b'"1"', b"NaN")
ORDERS = [
    pytest.param(b"{", 400, "MALFORMED_REQUEST", "JSON", id="malformed JSON"),
    pytest.param(b"[]", 400, "MALFORMED_REQUEST", "body", id="no object"),
    pytest.param(order(colour="red"), 422, "INVALID_INPUT", "colour", id="unknown field"),
    pytest.param(order(side="up"), 422, "INVALID_INPUT", "side", id="side"),
    pytest.param(order(quantity="NaN"), 422, "INVALID_INPUT", "quantity", id="NaN"),
    pytest.param(BARE_NAN, 422, "INVALID_INPUT", "quantity", id="bare NaN"),
    pytest.param(order(quantity="-1"), 422, "ORDER_INVALID", "quantity", id="negative"),
    pytest.param(order(quantity="0"), 422, "ORDER_INVALID", "quantity", id="zero"),
    pytest.param(order(quantity="1e30"), 422, "ORDER_INVALID", "quantity", id="huge"),
    pytest.param(order(type="limit"), 422, "ORDER_INVALID", "limit_price", id="no price"),
    pytest.param(order(symbol="NOPE"), 422, "RISK_REFUSED", "NOPE", id="symbol"),
]


def send(
    installation: Installation, body: bytes, headers: dict[str, str]
) -> tuple[int, dict[str, Any]]:
    """POST /api/orders in dev with the token: status and answer."""
    connection = http.client.HTTPConnection("127.0.0.1", installation.port("dev"), timeout=5)
    try:
        fields = {"Authorization": f"Bearer {installation.token}"} | headers
        connection.request("POST", "/api/orders", body, fields)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        connection.close()


def manual_orders(installation: Installation) -> list[dict[str, Any]]:
    return query(
        installation.database_uri("dev"),
        "select client_order_id from trading.orders where source = 'api' order by 1",
    )


@pytest.mark.parametrize(("body", "status", "error", "names"), ORDERS)
def test_a_wrong_order_is_refused_by_the_name_of_its_error_and_writes_nothing(
    installation: Installation, body: bytes, status: int, error: str, names: str
) -> None:
    before = manual_orders(installation)
    answered, answer = send(installation, body, {"Idempotency-Key": f"wrong-{uuid.uuid4().hex}"})
    assert (answered, answer["error"]) == (status, error), answer
    assert names in answer["message"]
    assert "Traceback" not in json.dumps(answer)
    assert manual_orders(installation) == before


@pytest.mark.parametrize(
    ("headers", "status", "error", "names"),
    [
        pytest.param({}, 400, "MALFORMED_REQUEST", "Idempotency-Key", id="no key"),
        pytest.param(
            {"Idempotency-Key": "../x"}, 422, "ORDER_INVALID", "client_order_id", id="path"
        ),
        pytest.param(
            {"Idempotency-Key": "k" * 101}, 422, "ORDER_INVALID", "client_order_id", id="long"
        ),
    ],
)
def test_a_good_order_under_no_key_or_a_bad_one_is_refused(
    installation: Installation, headers: dict[str, str], status: int, error: str, names: str
) -> None:
    before = manual_orders(installation)
    answered, answer = send(installation, order(), headers)
    assert (answered, answer["error"]) == (status, error), answer
    assert names in answer["message"]
    assert manual_orders(installation) == before
