"""`slipway sync ENV --confirm-prune`: what waits for a word goes, for as long as the command runs."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from pipelines.adapters.sqlite import open_records
from pipelines.cli.commands import run
from pipelines.flows import sync_now
from pipelines.flows.context import Context
from pipelines.model.environment import ARGO_CD
from pipelines.model.errors import BadInput, Refused
from pipelines.model.plan import Plan
from pipelines.model.resource import Resource
from pipelines.records.protocols import Records
from pipelines.records.sync_diary import SyncDiary, confirm_prunes, withdraw
from pipelines.targets.kubernetes.environment_sync import EnvironmentSync
from pipelines.targets.kubernetes.layout import EDGE, Place
from pipelines.targets.kubernetes.mending import mends
from tests.unit.kubernetes.memory import NAMESPACE, MemoryCluster, config, soon

PLACE = Place("dev", NAMESPACE, "trading", ("trading-dev",))
NOTES = {
    "argocd.argoproj.io/tracking-id": f"trading-dev-edge:/ConfigMap:{NAMESPACE}/old",
    "argocd.argoproj.io/sync-options": "Prune=confirm",
}
LONG, SECONDS = 4e9, 4.0
PLAN = Plan("dev", "sync dev", "", "", "", (), "")


@pytest.fixture
def records(tmp_path: Path) -> Records:
    return open_records(tmp_path, "dev")


@pytest.fixture
def cluster() -> MemoryCluster:
    made = MemoryCluster()
    made.by_hand(config("old"), annotations=NOTES)
    return made


@pytest.fixture
def sync(cluster: MemoryCluster, records: Records) -> Iterator[EnvironmentSync]:
    diary = SyncDiary(lambda: records)
    made = EnvironmentSync(PLACE, cast(Any, cluster), diary, timeout_seconds=SECONDS)
    yield made
    made.close()


def _desired() -> list[Resource]:
    return [config("new")]


def test_a_sync_that_waits_already_hears_the_confirmation_of_another_process(
    sync: EnvironmentSync, cluster: MemoryCluster, records: Records
) -> None:
    running = threading.Thread(target=lambda: sync.sync(EDGE, _desired()))
    running.start()
    assert not soon(lambda: not running.is_alive(), 0.5), "it waits"
    assert config("old").key in cluster.objects
    confirm_prunes(records, "ada", LONG)
    running.join(10)
    assert config("old").key not in cluster.objects


@pytest.mark.parametrize("until", [1.0, None], ids=["over", "withdrawn"])
def test_a_confirmation_that_is_over_counts_for_nothing(
    sync: EnvironmentSync, cluster: MemoryCluster, records: Records, until: float | None
) -> None:
    confirm_prunes(records, "ada", until or LONG)
    if until is None:
        withdraw(records)
    with pytest.raises(Refused, match="to confirm it: slipway sync dev --confirm-prune"):
        sync.sync(EDGE, _desired())
    assert config("old").key in cluster.objects


def test_the_plan_says_that_a_word_is_missing(
    sync: EnvironmentSync, cluster: MemoryCluster
) -> None:
    (mend,) = mends(sync, cast(Any, cluster), EDGE, [])
    assert mend.words == (
        "edge: ConfigMap shop/old is not desired any more;"
        " removed when somebody confirms it (--confirm-prune)"
    )


def test_a_look_does_not_wait_where_only_a_person_is_missing(
    sync: EnvironmentSync, cluster: MemoryCluster, records: Records
) -> None:
    began = time.monotonic()
    with pytest.raises(Refused, match=r"edge keeps ConfigMap shop/old.*Prune=confirm") as refused:
        sync.sync(EDGE, [])
    assert refused.value.hint == "to remove it: slipway sync dev --confirm-prune"
    assert time.monotonic() - began < SECONDS / 2
    assert not records.audit.entries(5), "nothing was begun"
    confirm_prunes(records, "ada", LONG)
    sync.sync(EDGE, [])
    assert config("old").key not in cluster.objects


def _context(records: Records, **told: Any) -> Context:
    now = datetime.now(UTC)
    given = {"manifests": object(), "observed": None, "syncer": ARGO_CD, **told}
    return cast(
        Context,
        SimpleNamespace(environment="dev", records=records, actor="ada", now=lambda: now, **given),
    )


def test_the_command_confirms_while_it_runs_and_the_audit_names_who_did(
    records: Records, monkeypatch: pytest.MonkeyPatch
) -> None:
    diary, seen = SyncDiary(lambda: records), list[bool]()

    def act(*_: object) -> str:
        seen.append(diary.confirmed())
        return "done"

    monkeypatch.setattr(sync_now, "_sync_now", act)
    assert sync_now.sync_now(_context(records), PLAN, confirm_prune=True) == "done"
    assert (seen, diary.confirmed()) == ([True], False)
    (entry,) = records.audit.entries(5)
    assert (entry.actor, entry.action, entry.plan_digest) == ("ada", "confirm prunes", PLAN.digest)


@pytest.mark.parametrize(
    ("told", "words", "hint"),
    [
        ({"manifests": None}, "runs on this machine", "slipway sync dev"),
        ({"observed": str}, "by argo-cd", "argocd.argoproj.io/deletion-approved"),
        (
            {"observed": str, "syncer": "slipway-controller"},
            "by slipway-controller",
            "slipway.dev/prune-confirmed",
        ),
    ],
    ids=["one machine", "Argo CD", "in the cluster"],
)
def test_where_nobody_would_hear_it_the_confirmation_is_refused(
    records: Records, told: dict[str, Any], words: str, hint: str
) -> None:
    with pytest.raises(BadInput, match=f"--confirm-prune: dev .*{words}") as refused:
        sync_now.sync_now(_context(records, **told), PLAN, confirm_prune=True)
    assert hint in refused.value.hint
    assert not records.audit.entries(5)


def test_nobody_agrees_to_what_they_will_not_see(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["sync", "dev", "--watch", "--confirm-prune", "--state", str(tmp_path)]) == 2
    assert "--confirm-prune together with --watch" in capsys.readouterr().err
