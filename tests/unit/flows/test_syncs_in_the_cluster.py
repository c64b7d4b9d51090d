"""`slipway history` of an environment that is synced in its cluster reads what was written there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from pipelines.adapters.sqlite import open_records
from pipelines.cli.history import print_syncs
from pipelines.flows.context import Context
from pipelines.flows.history import all_syncs, history
from pipelines.flows.ports import BranchCommit
from pipelines.model.branch import BranchState, SlotContent
from pipelines.model.environment import ARGO_CD, DEPLOYMENT, SLIPWAY, KubernetesSettings
from pipelines.model.errors import Unavailable
from pipelines.model.resource import ResourceKey
from pipelines.model.slots import Slot
from pipelines.model.sync import ResourceResult, ResultCode, SyncOutcome, SyncPhase
from pipelines.model.sync_state import SyncState, parse, render
from pipelines.records.sync_diary import SyncDiary
from pipelines.targets.kubernetes import sync_notes, sync_states
from pipelines.targets.kubernetes.target import KubernetesTarget
from pipelines.wiring_target import remember, written_syncs

KEY = ResourceKey("", "ConfigMap", "dev", "x")
RESULT = sync_notes.result(ResourceResult(KEY, SyncPhase.SYNC, 0, ResultCode.SYNCED, "made"))
ENDED = SyncState(
    "slipway-dev-slots", "slots", revision="c" * 40, phase="Succeeded", message="successfully synced",
    started_at="2099-01-01T10:00:00.000+00:00", finished_at="2099-01-01T10:00:09.000+00:00",
    actor="ada", manifests="sha256:1", options={"prune": True}, results=[RESULT],
)  # fmt: skip


class Branch:
    """Its newest commit, of which a syncer may know older ones."""

    commits: tuple[BranchCommit, ...] = ()

    def history(self, environment: str, limit: int) -> Sequence[BranchCommit]:
        assert environment == "dev"
        return self.commits[:limit]


class Away(Branch):
    def history(self, environment: str, limit: int) -> Sequence[BranchCommit]:
        raise Unavailable("the origin cannot be read")


def _commit(name: str, release: str) -> BranchCommit:
    slots = {Slot.BLUE: SlotContent(release, "1", "f" * 40), Slot.GREEN: None}
    state = BranchState(
        *("dev", Slot.BLUE, slots, (), "promotion", "a reason", "ada", "promotion-1", "", "")
    )
    return BranchCommit(name, "", "", state)


def _context(
    folder: Path, written: Callable[[], Sequence[SyncState]] | None, origin: Branch | None = None
) -> Context:
    records = open_records(folder, "dev")
    outcome = SyncOutcome("Succeeded", "by the host", (), "sha256:0", "2026-01-02", "2026-01-02")
    SyncDiary(lambda: records).synced("edge", outcome, {})
    return cast(
        Context,
        SimpleNamespace(
            environment="dev", records=records, written=written, origin=origin or Branch()
        ),
    )


def _shown(context: Context, limit: int) -> tuple[list[dict[str, Any]], str]:
    """As `slipway history` puts them together."""
    return all_syncs(context, limit, history(context, limit))


def _as_read() -> SyncState:
    """With a sync that ended, and one that runs."""
    running = SyncState(
        *("slipway-dev-slots", "slots"), revision="d" * 40, phase="Running", message="waiting for y",
        started_at="2099-01-01T11:00:00.000+00:00", history=[sync_notes.history(ENDED)],
    )  # fmt: skip
    return parse(render(running), "x")


def test_syncs_of_the_cluster_stand_beside_those_of_the_audit_with_all_there_is_to_tell(
    tmp_path: Path, capsys: Any
) -> None:
    found, trouble = _shown(_context(tmp_path, lambda: [_as_read()]), 10)
    assert trouble == ""
    assert [(one["part"], one["result"]) for one in found] == [
        ("slots", "running"), ("slots", "succeeded"), ("edge", "succeeded"),
    ]  # fmt: skip
    told = found[1]
    assert (told["actor"], told["options"], told["manifests"]) == (
        "ada",
        {"prune": True},
        "sha256:1",
    )
    assert (told["commit"], told["counts"], told["results"]) == ("c" * 40, {"Synced": 1}, [RESULT])
    print_syncs(found)
    assert "successfully synced" in capsys.readouterr().out
    assert [one["part"] for one in _shown(_context(tmp_path, lambda: [_as_read()]), 1)[0]] == [
        "slots"
    ]


def test_the_branch_says_of_which_release_a_commit_was_that_the_cluster_synced(
    tmp_path: Path,
) -> None:
    branch = Branch()
    branch.commits = (_commit("c" * 40, "r-2"), _commit("b" * 40, "r-1"))
    found, _ = _shown(_context(tmp_path, lambda: [_as_read()], branch), 10)
    assert [(one["part"], one["release"], one["reason"]) for one in found[:2]] == [
        ("slots", "", ""), ("slots", "r-2", "a reason"),
    ]  # fmt: skip


def test_with_git_away_syncs_of_the_cluster_are_shown_without_a_release(tmp_path: Path) -> None:
    found, trouble = _shown(_context(tmp_path, lambda: [_as_read()], Away()), 10)
    assert [one["release"] for one in found[:2]] == ["", ""]
    assert trouble == ""


def test_with_the_cluster_away_the_audit_is_shown_and_why_there_is_no_more(tmp_path: Path) -> None:
    def away() -> Sequence[SyncState]:
        raise Unavailable("the API server does not answer")

    found, trouble = _shown(_context(tmp_path, away), 10)
    assert [one["part"] for one in found] == ["edge"]
    assert trouble == "the API server does not answer"


def test_only_where_the_deployment_syncs_the_config_map_is_read(
    tmp_path: Path, monkeypatch: Any
) -> None:
    monkeypatch.setattr(sync_states, "read_all", lambda cluster, namespace: [namespace])
    target = KubernetesTarget.__new__(KubernetesTarget)
    target.cluster = cast(Any, None)
    layout = cast(Any, SimpleNamespace(root=tmp_path))
    assert written_syncs(layout, cast(Any, None)) is None, "this machine"
    found = {}
    for controller in (SLIPWAY, ARGO_CD, DEPLOYMENT):
        where = KubernetesSettings("slipway-dev", "image", controller=controller)
        remember(layout, cast(Any, SimpleNamespace(kubernetes=where)))
        ask = written_syncs(layout, target)
        found[controller] = ask() if ask else None
    assert found == {SLIPWAY: None, ARGO_CD: None, DEPLOYMENT: ["slipway-dev"]}


def test_what_counts_is_known_where_results_have_no_room() -> None:
    results = [RESULT] * 3 + [{**RESULT, "result": "SyncFailed"}]
    told = sync_notes.history(SyncState("a", "slots", results=results))
    assert told["counts"] == {"SyncFailed": 1, "Synced": 3}
