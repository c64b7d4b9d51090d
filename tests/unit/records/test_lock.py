"""One holder, a token that only grows, and nothing decided by the wall clock."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipelines.adapters.sqlite import open_records
from pipelines.model.errors import InProgress, StaleToken
from pipelines.records.protocols import Lock
from tests.support.stepped_machine import SteppedMachine


@pytest.fixture
def machine() -> SteppedMachine:
    return SteppedMachine()


@pytest.fixture
def lock(tmp_path: Path, machine: SteppedMachine) -> Lock:
    return open_records(tmp_path, "dev", machine).lock


def test_a_second_acquire_names_the_holder_its_purpose_and_its_process(lock: Lock) -> None:
    lock.acquire("ada", "promote r-1", lease_seconds=60)
    with pytest.raises(InProgress, match=r"ada \(promote r-1\), process 100") as refused:
        lock.acquire("ben", "promote r-2", lease_seconds=60)
    assert refused.value.exit_code == 3


def test_a_lock_that_was_given_back_is_free_and_its_token_is_worth_nothing(lock: Lock) -> None:
    first = lock.acquire("ada", "x", lease_seconds=60)
    lock.release(first)
    assert lock.status() is None
    with pytest.raises(StaleToken, match="given back"):
        lock.check(first)
    assert lock.acquire("ben", "y", lease_seconds=60) == first + 1


def test_the_process_of_the_holder_is_gone_so_the_lock_is_free(
    lock: Lock, machine: SteppedMachine
) -> None:
    lock.acquire("ada", "x", lease_seconds=60)
    machine.pid = 200
    del machine.running[100]
    assert lock.acquire("ben", "y", lease_seconds=60) == 2


def test_another_process_with_the_same_pid_is_not_the_holder(
    lock: Lock, machine: SteppedMachine
) -> None:
    lock.acquire("ada", "x", lease_seconds=60)
    machine.running[100] = "99"
    status = lock.status()
    assert status is not None
    assert not status.alive
    assert lock.acquire("ben", "y", lease_seconds=60) == 2


def test_a_lease_that_ran_out_frees_the_lock_though_the_process_lives(
    lock: Lock, machine: SteppedMachine
) -> None:
    token = lock.acquire("ada", "x", lease_seconds=60)
    machine.pass_time(59)
    lock.renew(token, lease_seconds=60)
    machine.pass_time(59)
    with pytest.raises(InProgress):
        lock.acquire("ben", "y", lease_seconds=60)
    machine.pass_time(2)
    assert lock.acquire("ben", "y", lease_seconds=60) == token + 1
    with pytest.raises(StaleToken, match="ben"):
        lock.renew(token, lease_seconds=60)


def test_a_reboot_frees_the_lock_though_the_same_pid_and_start_time_exist_again(
    lock: Lock, machine: SteppedMachine
) -> None:
    lock.acquire("ada", "x", lease_seconds=86_400)
    machine.boot, machine.seconds = "second", 5.0
    assert lock.acquire("ben", "y", lease_seconds=60) == 2


@pytest.mark.parametrize(
    "days", [pytest.param(-365, id="back a year"), pytest.param(365, id="ahead a year")]
)
def test_a_wall_clock_that_jumps_neither_makes_two_holders_nor_locks_people_out(
    lock: Lock, machine: SteppedMachine, days: int
) -> None:
    token = lock.acquire("ada", "x", lease_seconds=60)
    machine.wall += timedelta(days=days)
    with pytest.raises(InProgress):
        lock.acquire("ben", "y", lease_seconds=60)
    lock.check(token)
    machine.seconds += 61
    assert lock.acquire("ben", "y", lease_seconds=60) == token + 1


def test_preempting_makes_the_old_token_stale_at_once(lock: Lock) -> None:
    old = lock.acquire("ada", "x", lease_seconds=60)
    new = lock.preempt("ben", "rollback", lease_seconds=60)
    assert new == old + 1
    with pytest.raises(StaleToken, match="taken over"):
        lock.check(old)
    lock.release(old)
    lock.check(new)


def test_without_any_lock_no_token_is_good(lock: Lock) -> None:
    with pytest.raises(StaleToken, match="no token"):
        lock.check(1)


_ACTIONS = st.sampled_from(["acquire", "preempt", "release", "renew", "expire", "die", "reboot"])


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(actions=st.lists(_ACTIONS, max_size=25))
def test_tokens_strictly_grow_and_a_stale_token_is_always_refused(
    tmp_path_factory: pytest.TempPathFactory, actions: list[str]
) -> None:
    machine = SteppedMachine()
    lock = open_records(tmp_path_factory.mktemp("state"), "dev", machine).lock
    given_out: list[int] = []
    for action in actions:
        _act(lock, machine, action, given_out)
        assert given_out == sorted(set(given_out))
        for stale in given_out[:-1]:
            with pytest.raises(StaleToken):
                lock.check(stale)
            with pytest.raises(StaleToken):
                lock.renew(stale, lease_seconds=10)


def _act(lock: Lock, machine: SteppedMachine, action: str, given_out: list[int]) -> None:
    held = lock.status()
    if action == "acquire":
        try:
            given_out.append(lock.acquire("ada", "x", lease_seconds=10))
            assert held is None or not held.alive
        except InProgress:
            assert held is not None
            assert held.alive
    elif action == "preempt":
        given_out.append(lock.preempt("ben", "y", lease_seconds=10))
    elif action == "release" and given_out:
        lock.release(given_out[-1])
    elif action == "renew" and held:
        lock.renew(held.token, lease_seconds=10)
    elif action == "expire":
        machine.pass_time(11)
    elif action == "die":
        machine.running[machine.pid] = str(float(machine.running[machine.pid]) + 1)
    elif action == "reboot":
        machine.boot, machine.seconds = machine.boot + "x", 1.0
