"""How a sync runs, rule by rule, against a cluster in memory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from pipelines.engine.sync import hooks
from pipelines.engine.sync.machine import Machine
from pipelines.engine.sync.moves import Act, Finished, Limits, Method, Verb, Wait
from pipelines.model.resource import Resource
from pipelines.model.sync import IgnoreRule, ResultCode
from tests.unit.sync.objects import NAMESPACE, SETTINGS, live_of, planned, thing
from tests.unit.sync.simulation import BROKEN, COMPLETE, LATE, READY, Simulation

NO_DRY_RUN = Limits(dry_run=False)


def web(name: str = "web", wave: int = 0) -> Resource:
    return thing("Deployment", name, wave=wave, spec={"replicas": 1})


def job(name: str, hook: str = "PreSync", policy: str = "", wave: int = 0) -> Resource:
    return thing("Job", name, hook=hook, policy=policy, wave=wave)


def results(cluster: Simulation) -> dict[str, tuple[str, str, str]]:
    assert cluster.machine
    return {
        one.key.name: (one.code.value, one.hook_phase, one.message)
        for one in cluster.machine.results()
    }


def test_everything_is_tried_dry_before_anything_is_written() -> None:
    cluster = Simulation()
    end = cluster.sync([thing(), thing("Secret", "s")], SETTINGS)
    assert cluster.groups == [["dry-run s", "dry-run a"], ["apply s"], ["apply a"]]
    assert end == Finished("Succeeded", "successfully synced (all tasks run)")
    assert results(cluster)["a"] == ("Synced", "", "done")


def test_a_dry_run_that_fails_leaves_everything_as_it_was() -> None:
    cluster = Simulation(refuses={("dry-run", "a"): "spec is nonsense"})
    end = cluster.sync([thing(), thing("Secret", "s"), job("sorry", "SyncFail")], SETTINGS)
    assert end.phase == "Failed"
    assert end.message == (
        "one or more objects failed to apply (dry run), reason: ConfigMap shop/a: spec is nonsense"
    )
    assert cluster.live == {}
    assert results(cluster) == {
        "a": ("SyncFailed", "", "spec is nonsense"),
        "s": ("NotApplied", "", "create: the sync ended before it"),
    }


def test_what_a_sync_did_not_come_to_is_in_its_results_once_it_has_ended() -> None:
    settings = replace(SETTINGS, options=frozenset({"ApplyOutOfSyncOnly"}))
    same = thing(name="same", wave=2)
    cluster = Simulation(becomes={"web": LATE}, live=live_of(same))
    told: list[set[str]] = []
    desired = [web(), thing(wave=1), same, job("after", "PostSync"), job("sorry", "SyncFail")]
    cluster.becomes["sorry"] = COMPLETE
    cluster.sync(desired, settings, NO_DRY_RUN, lambda now: told.append(set(results(now))))
    assert told[-1] == {"web", "sorry"}, "while it goes on, what has a result counts as done"
    assert {name: code for name, (code, _, _) in results(cluster).items()} == {
        "web": "Synced",
        "a": "NotApplied",
        "after": "NotApplied",
        "sorry": "Synced",
    }


def test_a_prune_that_nobody_confirmed_is_told_as_that() -> None:
    cluster = Simulation(live=live_of(thing(name="held", options="Prune=confirm"), thing()))
    cluster.sync([thing()], SETTINGS, Limits(operation_seconds=5))
    words = "waits until pruning is confirmed (Prune=confirm)"
    assert results(cluster)["held"] == ("NotApplied", "", words)


def test_what_succeeded_left_nothing_out() -> None:
    cluster = Simulation()
    cluster.sync([thing(), job("sorry", "SyncFail")], SETTINGS, NO_DRY_RUN)
    assert set(results(cluster)) == {"a"}


def test_the_namespace_of_the_application_comes_before_the_dry_run() -> None:
    cluster = Simulation(becomes={"before": COMPLETE})
    settings = replace(SETTINGS, options=frozenset({"CreateNamespace"}))
    cluster.sync([thing(), job("before", wave=-1)], settings)
    assert cluster.log[:2] == ["apply shop", "dry-run before"]


def test_without_its_namespace_a_sync_ends() -> None:
    cluster = Simulation(refuses={("apply", NAMESPACE): "quota"})
    settings = replace(SETTINGS, options=frozenset({"CreateNamespace"}))
    end = cluster.sync([thing()], settings)
    assert end.phase == "Failed"
    assert "quota" in end.message
    assert cluster.log == ["apply shop"]


def test_what_comes_with_the_sync_is_not_tried_dry() -> None:
    definition = thing(
        "CustomResourceDefinition", "widgets.x.io",
        spec={"group": "x.io", "scope": "Namespaced", "names": {"kind": "Widget"}},
    )  # fmt: skip
    cluster = Simulation(
        becomes={"widgets.x.io": {"conditions": [{"type": "Established", "status": "True"}]}}
    )
    desired = [
        definition, thing("Widget", "w", api="x.io/v1"), thing("Namespace", "n"),
        thing(name="inside", namespace="n"),
    ]  # fmt: skip
    assert cluster.sync(desired, SETTINGS).phase == "Succeeded"
    assert [line for line in cluster.log if line.startswith("dry-run")] == [
        "dry-run n", "dry-run widgets.x.io",
    ]  # fmt: skip


def test_a_kind_that_may_be_missing_is_said_to_be_one() -> None:
    plan = planned([thing(options="SkipDryRunOnMissingResource=true")])
    move = Machine(plan, Limits(), started_seconds=0).next({}, 0)
    assert isinstance(move, Act)
    assert move.groups[0][0].tolerate_missing


def test_the_next_wave_waits_for_health() -> None:
    cluster = Simulation(becomes={"web": READY}, takes={"web": 3})
    end = cluster.sync([web(), thing(wave=1)], SETTINGS, NO_DRY_RUN)
    assert end.phase == "Succeeded"
    assert cluster.log == ["apply web", "apply a"]
    assert set(cluster.waits) == {"waiting for healthy state of apps/Deployment/web"}
    assert len(cluster.waits) == 3


def test_health_is_not_waited_for_where_another_asks_for_it_and_hooks_still_are() -> None:
    limits = Limits(dry_run=False, wait_for_health=False)
    cluster = Simulation(becomes={"web": LATE})
    assert cluster.sync([web(), thing(wave=1)], SETTINGS, limits).phase == "Succeeded"
    assert cluster.log == ["apply web", "apply a"]
    assert cluster.waits == []
    cluster = Simulation(becomes={"before": COMPLETE}, takes={"before": 2})
    assert cluster.sync([job("before", "PreSync"), thing()], SETTINGS, limits).phase == "Succeeded"
    assert set(cluster.waits) == {"waiting for completion of hook batch/Job/before"}


def test_the_last_step_is_not_waited_for_when_it_has_no_hook() -> None:
    cluster = Simulation()
    assert cluster.sync([web()], SETTINGS, NO_DRY_RUN).phase == "Succeeded"
    assert cluster.waits == []
    cluster = Simulation(becomes={"first": READY})
    assert cluster.sync([web("first"), web("last", 1)], SETTINGS, NO_DRY_RUN).phase == "Succeeded"
    assert len(cluster.waits) == 1


def test_the_last_step_is_waited_for_where_that_is_asked_for() -> None:
    cluster = Simulation(becomes={"web": LATE})
    end = cluster.sync([web()], SETTINGS, Limits(dry_run=False, wait_for_last=True))
    assert end.phase == "Failed"
    assert '"web" exceeded its progress deadline' in end.message


def test_a_hook_after_the_last_wave_makes_it_wait() -> None:
    cluster = Simulation(becomes={"web": READY, "after": COMPLETE}, takes={"web": 2})
    end = cluster.sync([web(), job("after", "PostSync")], SETTINGS, NO_DRY_RUN)
    assert end == Finished("Succeeded", "successfully synced (no more tasks)")
    assert cluster.log == ["apply web", "apply after", "release after"]
    assert results(cluster)["after"][:2] == ("Synced", "Succeeded")


def test_one_that_degrades_before_the_next_wave_fails_the_sync() -> None:
    cluster = Simulation(becomes={"web": LATE})
    end = cluster.sync([web(), thing(wave=1)], SETTINGS, NO_DRY_RUN)
    assert end.phase == "Failed"
    assert end.message.startswith("one or more synchronization tasks completed unsuccessfully")
    assert "apply a" not in cluster.log
    assert results(cluster)["a"] == ("NotApplied", "", "create: the sync ended before it")


def test_an_object_that_vanishes_while_it_is_waited_for_is_an_error_and_no_endless_wait() -> None:
    def vanish(cluster: Simulation) -> None:
        if cluster.now == 2:
            cluster.live.clear()

    cluster = Simulation()
    end = cluster.sync([web(), thing(wave=1)], SETTINGS, NO_DRY_RUN, vanish)
    assert end.phase == "Failed"
    assert "vanished" in end.message


def test_what_no_watch_shows_is_read_from_the_api_server() -> None:
    plan = planned([web(), thing(wave=1)])
    machine = Machine(plan, NO_DRY_RUN, started_seconds=0)
    act = machine.next({}, 0)
    assert isinstance(act, Act)
    (do,) = act.groups[0]
    machine.report(do, ok=True, message="", live=web())
    assert isinstance(machine.next({}, 1), Wait)
    look = machine.next({}, 4)
    assert isinstance(look, Act)
    assert look.groups[0][0].verb is Verb.LOOK
    machine.report(look.groups[0][0], ok=True, message="", live=None)
    end = machine.next({}, 5)
    assert isinstance(end, Finished)
    assert "vanished" in end.message


def test_a_cache_that_is_late_does_not_count() -> None:
    old = thing("Job", "j", meta={"resourceVersion": "5", "uid": "old"}, status=COMPLETE)
    new = thing("Job", "j", hook="Sync", meta={"resourceVersion": "9", "uid": "new"})
    machine = Machine(planned([job("j", "Sync")]), NO_DRY_RUN, started_seconds=0)
    act = machine.next({}, 0)
    assert isinstance(act, Act)
    machine.report(act.groups[0][0], ok=True, message="", live=new)
    assert isinstance(machine.next(live_of(old), 1), Wait)
    done = thing("Job", "j", meta={"resourceVersion": "10", "uid": "new"}, status=COMPLETE)
    assert isinstance(machine.next(live_of(done), 2), Finished)


def test_what_is_unchanged_is_not_sent_but_its_health_counts() -> None:
    cluster = Simulation(becomes={"web": READY})
    cluster.sync([web()], SETTINGS, NO_DRY_RUN)
    cluster.log.clear()
    assert cluster.sync([web(), thing(wave=1)], SETTINGS).phase == "Succeeded"
    assert cluster.log == ["dry-run a", "apply a"]
    assert results(cluster)["web"] == ("Synced", "", "unchanged")
    assert cluster.waits


def test_only_what_is_out_of_sync_counts_where_that_is_asked_for() -> None:
    cluster = Simulation()
    cluster.sync([web()], SETTINGS, NO_DRY_RUN)
    settings = replace(SETTINGS, options=frozenset({"ApplyOutOfSyncOnly"}))
    assert cluster.sync([web(), thing(wave=1)], settings, NO_DRY_RUN).phase == "Succeeded"
    assert cluster.waits == []
    assert "web" not in results(cluster)


def test_a_failed_group_does_not_stop_the_later_ones_of_its_wave() -> None:
    cluster = Simulation(refuses={("apply", "s"): "forbidden"})
    desired = [thing("Secret", "s"), thing(), thing("Service", "v"), thing(name="later", wave=1)]
    end = cluster.sync(desired, SETTINGS, NO_DRY_RUN)
    assert end.phase == "Failed"
    assert end.message == "one or more objects failed to apply, reason: Secret shop/s: forbidden"
    assert cluster.groups == [["apply s"], ["apply a"], ["apply v"]]
    assert results(cluster)["s"] == ("SyncFailed", "", "forbidden")
    assert results(cluster)["a"][0] == "Synced"
    assert results(cluster)["later"][0] == "NotApplied"


def test_a_rerun_after_a_failure_converges() -> None:
    cluster = Simulation(refuses={("apply", "s"): "forbidden"})
    desired = [thing("Secret", "s"), thing(), thing(name="later", wave=1)]
    assert cluster.sync(desired, SETTINGS, NO_DRY_RUN).phase == "Failed"
    cluster.refuses.clear()
    cluster.log.clear()
    assert cluster.sync(desired, SETTINGS, NO_DRY_RUN).phase == "Succeeded"
    assert cluster.log == ["apply s", "apply later"]


def test_sync_fail_hooks_run_and_are_waited_for() -> None:
    cluster = Simulation(becomes={"before": BROKEN, "sorry": COMPLETE}, takes={"sorry": 2})
    end = cluster.sync([job("before"), thing(), job("sorry", "SyncFail")], SETTINGS, NO_DRY_RUN)
    assert end.phase == "Failed"
    assert "it broke" in end.message
    assert cluster.log == ["apply before", "release before", "apply sorry", "release sorry"]
    assert results(cluster)["before"][1] == "Failed"
    assert results(cluster)["sorry"][1] == "Succeeded"


def test_a_failing_sync_fail_hook_only_lengthens_the_message() -> None:
    cluster = Simulation(becomes={"before": BROKEN, "sorry": BROKEN})
    end = cluster.sync([job("before"), job("sorry", "SyncFail")], SETTINGS, NO_DRY_RUN)
    assert end.phase == "Failed"
    assert "one or more SyncFail hooks failed, reason:" in end.message


@pytest.mark.parametrize(
    ("policy", "status", "there"),
    [
        ("HookSucceeded", COMPLETE, False),
        ("HookSucceeded", BROKEN, True),
        ("HookFailed", BROKEN, False),
        ("HookFailed", COMPLETE, True),
        ("BeforeHookCreation", COMPLETE, True),
        ("HookSucceeded,HookFailed", BROKEN, False),
    ],
)
def test_hooks_are_deleted_as_their_policy_says(
    policy: str, status: dict[str, object], there: bool
) -> None:
    cluster = Simulation(becomes={"j": status})
    hook = job("j", policy=policy)
    cluster.sync([hook, thing()], SETTINGS, NO_DRY_RUN)
    assert (hook.key in cluster.live) is there
    if there:
        assert cluster.live[hook.key].metadata["finalizers"] == []


def test_a_hook_of_an_earlier_sync_is_deleted_before_it_is_made_again() -> None:
    cluster = Simulation(becomes={"j": COMPLETE})
    cluster.sync([job("j"), thing()], SETTINGS, NO_DRY_RUN)
    first = cluster.live[job("j").key].metadata["uid"]
    cluster.log.clear()
    assert cluster.sync([job("j"), thing()], SETTINGS).phase == "Succeeded"
    assert cluster.log == ["delete j", "apply j", "release j"]
    assert cluster.live[job("j").key].metadata["uid"] != first


def test_an_old_hook_that_was_left_with_its_finalizer_is_released_first() -> None:
    finalizers = {"finalizers": ["argocd.argoproj.io/hook-finalizer"], "uid": "old"}
    stale = thing("Job", "j", hook="PreSync", meta=finalizers)
    cluster = Simulation(live=live_of(stale), becomes={"j": COMPLETE})
    assert cluster.sync([job("j"), thing()], SETTINGS, NO_DRY_RUN).phase == "Succeeded"
    assert cluster.log[:3] == ["release j", "delete j", "apply j"]


def test_the_next_wave_waits_until_pruned_objects_are_really_gone() -> None:
    def free(cluster: Simulation) -> None:
        if cluster.now == 3:
            cluster.live.pop(gone.key, None)

    gone = thing(name="gone", meta={"uid": "g"})
    cluster = Simulation(live=live_of(gone), keeps={"gone"})
    end = cluster.sync([thing("Secret", "s"), thing(wave=1)], SETTINGS, NO_DRY_RUN, free)
    assert end.phase == "Succeeded"
    assert cluster.log == ["delete gone", "apply s", "apply a"]
    assert set(cluster.waits) == {"waiting for deletion of /ConfigMap/gone"}
    assert len(cluster.waits) == 3
    assert results(cluster)["gone"][0] == "Pruned"


def test_a_prune_that_fails_fails_the_sync_before_anything_is_made() -> None:
    cluster = Simulation(
        live=live_of(thing(name="gone")), refuses={("delete", "gone"): "webhook says no"}
    )
    end = cluster.sync([thing("Secret", "s")], SETTINGS, NO_DRY_RUN)
    assert end.phase == "Failed"
    assert "webhook says no" in end.message
    assert cluster.log == ["delete gone"]


def test_what_is_kept_from_pruning_is_said_so() -> None:
    cluster = Simulation(live=live_of(thing(name="kept", options="Prune=false")))
    cluster.sync([thing("Secret", "s")], SETTINGS, NO_DRY_RUN)
    assert results(cluster)["kept"] == (ResultCode.PRUNE_SKIPPED.value, "", "ignored (no prune)")


def test_prunes_that_want_confirmation_hold_their_step() -> None:
    def approve(cluster: Simulation) -> None:
        if cluster.now == 2 and cluster.machine:
            cluster.machine.approve_prunes()

    cluster = Simulation(live=live_of(thing(name="gone", options="Prune=confirm")))
    end = cluster.sync([thing("Secret", "s")], SETTINGS, NO_DRY_RUN, approve)
    assert end.phase == "Succeeded"
    assert set(cluster.waits) == {"waiting for pruning confirmation of /ConfigMap/gone"}
    assert cluster.log == ["delete gone", "apply s"]


def test_terminating_deletes_running_hooks_and_nothing_else() -> None:
    def stop(cluster: Simulation) -> None:
        if cluster.now == 2 and cluster.machine:
            cluster.machine.terminate("a newer commit came")

    cluster = Simulation(becomes={"done": COMPLETE})
    desired = [job("done", wave=-1), job("runs"), thing(), job("sorry", "SyncFail")]
    end = cluster.sync(desired, SETTINGS, NO_DRY_RUN, stop)
    assert end == Finished("Terminated", "a newer commit came")
    assert cluster.log == [
        "apply done",
        "release done",
        "apply runs",
        "release runs",
        "delete runs",
    ]
    assert results(cluster)["runs"] == ("Synced", "Succeeded", "Deleted")
    assert results(cluster)["a"] == ("NotApplied", "", "create: the sync ended before it")


def test_a_hook_that_cannot_be_released_is_tried_once_and_an_error() -> None:
    cluster = Simulation(becomes={"j": COMPLETE}, refuses={("release", "j"): "conflict"})
    end = cluster.sync([job("j"), thing()], SETTINGS, NO_DRY_RUN)
    assert end.phase == "Failed"
    assert "failed to remove hook finalizer: conflict" in end.message
    assert cluster.log == ["apply j", "release j"]


def test_ending_with_a_hook_that_cannot_be_released_is_an_error() -> None:
    cluster = Simulation(refuses={("release", "j"): "conflict"})
    end = cluster.sync([job("j")], SETTINGS, Limits(operation_seconds=5, dry_run=False))
    assert end.phase == "Error"
    assert "conflict" in end.message
    assert cluster.log == ["apply j", "release j"]


def test_a_sync_that_takes_too_long_ends_and_says_what_it_waited_for() -> None:
    cluster = Simulation()
    end = cluster.sync(
        [web(), thing(wave=1)], SETTINGS, Limits(operation_seconds=30, dry_run=False)
    )
    assert end.phase == "Failed"
    assert end.message == (
        "took longer than 30 seconds; was waiting for healthy state of apps/Deployment/web"
    )


def test_waves_can_be_kept_apart() -> None:
    cluster = Simulation()
    limits = Limits(dry_run=False, wave_delay_seconds=2)
    assert cluster.sync([thing(), thing(name="b", wave=1)], SETTINGS, limits).phase == "Succeeded"
    assert cluster.waits == ["waiting between two waves"] * 2


@pytest.mark.parametrize(
    ("kind", "options", "there", "method"),
    [
        ("ConfigMap", "", True, Method.APPLY),
        ("ConfigMap", "ServerSideApply=true", False, Method.APPLY),
        ("ConfigMap", "Replace=true", False, Method.CREATE),
        ("ConfigMap", "Replace=true", True, Method.UPDATE),
        ("ConfigMap", "Replace=true,Force=true", True, Method.RECREATE),
        ("Namespace", "Replace=true,Force=true", True, Method.UPDATE),
    ],
)
def test_how_a_manifest_is_sent(kind: str, options: str, there: bool, method: Method) -> None:
    live = [thing(kind, data={"a": "1"})] if there else []
    plan = planned([thing(kind, options=options, data={"a": "2"})], live)
    move = Machine(plan, NO_DRY_RUN, started_seconds=0).next(live_of(*live), 0)
    assert isinstance(move, Act)
    assert move.groups[0][0].method is method


def test_ignored_fields_are_sent_as_they_live_where_that_is_asked_for() -> None:
    settings = replace(
        SETTINGS,
        ignore=(IgnoreRule(kind="ConfigMap", json_pointers=("/data/a",)),),
        options=frozenset({"RespectIgnoreDifferences"}),
    )
    live = thing(data={"a": "live", "b": "1"})
    plan = planned([thing(data={"a": "mine", "b": "2"})], [live], settings)
    move = Machine(plan, NO_DRY_RUN, started_seconds=0).next(live_of(live), 0)
    assert isinstance(move, Act)
    sent = move.groups[0][0].manifest
    assert sent is not None
    assert sent["data"] == {"a": "live", "b": "2"}


def test_nothing_new_is_asked_for_while_answers_are_missing() -> None:
    machine = Machine(planned([thing(), thing(name="b")]), NO_DRY_RUN, started_seconds=0)
    act = machine.next({}, 0)
    assert isinstance(act, Act)
    first, second = act.groups[0]
    assert machine.next({}, 0) == Wait("waiting for 2 answers of the API server")
    machine.report(first, ok=True, message="")
    assert machine.next({}, 0) == Wait("waiting for 1 answers of the API server")
    machine.report(second, ok=True, message="")
    assert isinstance(machine.next({}, 0), Finished)


def test_nothing_to_do_succeeds_at_once() -> None:
    cluster = Simulation()
    assert cluster.sync([], SETTINGS) == Finished(
        "Succeeded", "successfully synced (no more tasks)"
    )


def _taken_up(status: Mapping[str, object], *, adopt: bool = True, mine: str = "one") -> Simulation:
    """The hook `verify` of operation `mine` is there already, with this status; the one that syncs now
    is `one`."""
    wanted = [thing(), hooks.marked(job("verify", "Sync", "BeforeHookCreation", wave=1), "one")]
    there = hooks.marked(job("verify", "Sync", "BeforeHookCreation", wave=1), mine)
    metadata = {**there.metadata, "namespace": NAMESPACE, "uid": "1", "resourceVersion": "1"}
    made = Resource({**there.manifest, "metadata": metadata, "status": status})
    cluster = Simulation(live=live_of(made), becomes={"verify": COMPLETE})
    cluster.sync(wanted, SETTINGS, replace(NO_DRY_RUN, adopt=adopt))
    return cluster


def test_hooks_of_an_operation_that_is_taken_up_are_not_made_again() -> None:
    cluster = _taken_up(COMPLETE)
    assert cluster.log == ["apply a"]
    assert results(cluster)["verify"][:2] == ("Synced", "Succeeded")


def test_a_hook_that_failed_before_its_operation_was_taken_up_has_failed() -> None:
    cluster = _taken_up(BROKEN)
    assert "apply verify" not in cluster.log
    assert results(cluster)["verify"][:2] == ("Synced", "Failed")


@pytest.mark.parametrize(("adopt", "mine"), [(True, "another"), (False, "one"), (True, "")])
def test_a_hook_of_another_operation_is_made_again(adopt: bool, mine: str) -> None:
    cluster = _taken_up(BROKEN, adopt=adopt, mine=mine)
    assert cluster.log[:3] == ["apply a", "delete verify", "apply verify"]
    assert results(cluster)["verify"][:2] == ("Synced", "Succeeded")


def test_what_runs_in_two_phases_is_made_in_both_of_them() -> None:
    wanted = [hooks.marked(job("twice", "PreSync,PostSync", "BeforeHookCreation"), "one")]
    cluster = Simulation(becomes={"twice": COMPLETE})
    cluster.sync([thing(), *wanted], SETTINGS, replace(NO_DRY_RUN, adopt=True))
    assert cluster.log.count("apply twice") == 2
