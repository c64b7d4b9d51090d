"""Effects run once, a former holder changes nothing, and a killed one leaves what is needed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.adapters.sqlite import open_records
from pipelines.model.errors import BadInput, StaleToken
from pipelines.model.steps import effects
from pipelines.records.failpoints import arm
from pipelines.records.protocols import Records
from tests.unit.records.operations import operation


@pytest.fixture
def records(tmp_path: Path) -> Records:
    return open_records(tmp_path, "dev")


@pytest.fixture
def token(records: Records) -> int:
    return records.lock.acquire("ada", "promote", lease_seconds=60)


def test_an_operation_opened_twice_is_one_operation_as_far_as_it_got(
    records: Records, token: int
) -> None:
    records.journal.open(operation("op", token))
    records.journal.step("op", token, "guard", "done", 0.25, "fine")
    again = records.journal.open(operation("op", token))
    assert [(s.name, s.status) for s in again.steps] == [("guard", "done"), ("stage", "pending")]
    assert again.options == {"soak_seconds": 0}
    assert len(records.journal.history(10)) == 1
    assert records.journal.running() == again


def test_the_next_holder_goes_on_with_an_operation_under_its_own_token(
    records: Records, token: int
) -> None:
    records.journal.open(operation("op", token))
    newer = records.lock.preempt("ben", "resume", lease_seconds=60)
    assert records.journal.open(operation("op", newer)).token == newer


def test_an_effect_runs_once(records: Records, token: int) -> None:
    ran: list[str] = []
    records.journal.open(operation("op", token))
    for _ in range(3):
        records.journal.effect("op", token, "switch.handover", lambda: ran.append("x"))
    assert ran == ["x"]
    assert records.journal.done("op", "switch.handover")
    assert not records.journal.done("other", "switch.handover")


def test_an_effect_that_fails_is_not_recorded_and_runs_again(records: Records, token: int) -> None:
    def fail() -> None:
        raise OSError("no")

    with pytest.raises(OSError, match="no"):
        records.journal.effect("op", token, "stage.stage", fail)
    assert records.journal.effect("op", token, "stage.stage", lambda: 5) == 5


def test_a_former_holder_cannot_run_an_effect(records: Records, token: int) -> None:
    records.lock.preempt("ben", "rollback", lease_seconds=60)
    ran: list[str] = []
    with pytest.raises(StaleToken):
        records.journal.effect("op", token, "stage.stage", lambda: ran.append("x"))
    assert ran == []


def test_a_holder_that_is_overtaken_while_it_acts_cannot_record(
    records: Records, token: int
) -> None:
    def overtaken() -> None:
        records.lock.preempt("ben", "rollback", lease_seconds=60)

    with pytest.raises(StaleToken):
        records.journal.effect("op", token, "stage.stage", overtaken)
    assert not records.journal.done("op", "stage.stage")


def test_every_write_of_a_former_holder_is_refused(records: Records, token: int) -> None:
    records.journal.open(operation("op", token))
    records.lock.preempt("ben", "rollback", lease_seconds=60)
    journal = records.journal
    for write in (
        lambda: journal.step("op", token, "guard", "done", 1.0),
        lambda: journal.remember("op", token, "baseline", 1),
        lambda: journal.close("op", token, "succeeded", ""),
        lambda: journal.open(operation("two", token)),
    ):
        with pytest.raises(StaleToken):
            write()
    found = journal.get("op")
    assert found is not None
    assert found.status == "running"
    assert journal.recall("op", "baseline") is None
    assert journal.get("two") is None


def test_a_closed_operation_keeps_its_end_and_is_not_running(records: Records, token: int) -> None:
    records.journal.open(operation("op", token))
    records.journal.close("op", token, "succeeded", "well", 0.31)
    again = records.journal.open(operation("op", token))
    assert (again.status, again.message, again.switch_seconds) == ("succeeded", "well", 0.31)
    assert again.ended_at >= again.started_at > ""
    assert records.journal.running() is None


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)  # fmt: skip


@settings(max_examples=50, deadline=None)
@given(value=_JSON)
def test_facts_come_back_as_they_were_set(
    tmp_path_factory: pytest.TempPathFactory, value: object
) -> None:
    records = open_records(tmp_path_factory.getbasetemp() / "facts", "dev")
    records.journal.set_fact("key", value)
    assert records.journal.fact("key") == value


def test_a_once_key_is_recorded_for_good(records: Records) -> None:
    assert not records.journal.once("migrations:abc")
    records.journal.record_once("migrations:abc")
    records.journal.record_once("migrations:abc")
    assert records.journal.once("migrations:abc")


_CHILD = """
import sys
from pathlib import Path
from pipelines.adapters.sqlite import open_records
records = open_records(Path(sys.argv[1]), "dev")
token = records.lock.acquire("child", "test", lease_seconds=60)
records.journal.effect("op", token, "switch.handover", lambda: Path(sys.argv[2]).touch())
"""


@pytest.mark.parametrize(
    ("moment", "happened"),
    [pytest.param("before", False, id="before"), pytest.param("after", True, id="after")],
)
def test_an_armed_failpoint_kills_the_process_once(
    tmp_path: Path, moment: str, happened: bool
) -> None:
    trace = tmp_path / "trace"
    arm(tmp_path, f"switch.handover:{moment}", "dev")
    argv = [sys.executable, "-c", _CHILD, str(tmp_path), str(trace)]
    assert subprocess.run(argv, check=False).returncode == -signal.SIGKILL
    assert trace.exists() == happened
    assert not open_records(tmp_path, "dev").journal.done("op", "switch.handover")
    assert subprocess.run(argv, check=False).returncode == 0
    assert open_records(tmp_path, "dev").journal.done("op", "switch.handover")


@pytest.mark.parametrize(
    ("name", "environment"),
    [
        pytest.param("switch.handover:before", "staging", id="another environment"),
        pytest.param("stage.stage:before", "dev", id="another effect"),
    ],
)
def test_a_failpoint_of_something_else_lets_the_process_live(
    tmp_path: Path, name: str, environment: str
) -> None:
    arm(tmp_path, name, environment)
    argv = [sys.executable, "-c", _CHILD, str(tmp_path), str(tmp_path / "trace")]
    assert subprocess.run(argv, check=False).returncode == 0
    assert (tmp_path / "failpoint").exists()


def test_a_failpoint_that_no_effect_has_cannot_be_armed(tmp_path: Path) -> None:
    for name in ("switch.nothing:before", "switch.handover", "switch.handover:during"):
        with pytest.raises(BadInput, match="does not exist"):
            arm(tmp_path, name)
    for name in effects():
        arm(tmp_path, f"{name}:after")


def test_the_process_that_died_frees_the_lock(tmp_path: Path) -> None:
    arm(tmp_path, "switch.handover:after")
    argv = [sys.executable, "-c", _CHILD, str(tmp_path), os.devnull]
    subprocess.run(argv, check=False)
    assert open_records(tmp_path, "dev").lock.acquire("ben", "next", lease_seconds=60) == 2
