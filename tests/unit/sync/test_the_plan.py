"""What a plan says, rule by rule, in Argo CD's semantics."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from pipelines.engine.sync.plan import plan
from pipelines.model.errors import BadInput, Refused
from pipelines.model.resource import Resource, ResourceKey
from pipelines.model.sync import Action, IgnoreRule, SyncSettings
from tests.unit.sync.objects import (
    NAMESPACE,
    SETTINGS,
    actions,
    live_of,
    planned,
    said,
    thing,
)

TRACKED = SyncSettings("shop", NAMESPACE, prune=True)
ID = "argocd.argoproj.io/tracking-id"


def crd(kind: str, group: str = "x.io", scope: str = "Namespaced") -> Resource:
    return thing(
        "CustomResourceDefinition", f"{kind.lower()}s.{group}",
        spec={"group": group, "scope": scope, "names": {"kind": kind}},
    )  # fmt: skip


# --- order -----------------------------------------------------------------------------------


def test_phases_then_waves_then_kinds_then_names() -> None:
    made = planned([
        thing("Job", "after", hook="PostSync"),
        thing("Deployment", "web"),
        thing("Service", "b"),
        thing("Service", "a"),
        thing("Widget", "w", api="x.io/v1"),
        thing("Secret", "late", wave=1),
        thing("ConfigMap", "early", wave=-1),
        thing("Job", "before", hook="PreSync", wave=5),
        thing("Job", "sorry", hook="SyncFail"),
        thing("Job", "middle", hook="Sync"),
    ])  # fmt: skip
    assert said(made) == [
        "PreSync/5 hook Job/before",
        "Sync/-1 create ConfigMap/early",
        "Sync/0 create Service/a",
        "Sync/0 create Service/b",
        "Sync/0 create Deployment/web",
        "Sync/0 hook Job/middle",
        "Sync/0 create Widget/w",  # kinds outside the table come last
        "Sync/1 create Secret/late",
        "PostSync/0 hook Job/after",
        "SyncFail/0 hook Job/sorry",
    ]


def test_a_namespace_moves_before_its_first_user_and_takes_its_phase_and_wave() -> None:
    made = planned([
        thing("Namespace", NAMESPACE, wave=3),
        thing("Namespace", "other", wave=1),
        thing("Job", "before", hook="PreSync", wave=-2),
        thing("ConfigMap", "there", wave=0, namespace="other"),
    ])  # fmt: skip
    assert said(made) == [
        "PreSync/-2 create Namespace/shop",
        "PreSync/-2 hook Job/before",
        "Sync/0 create Namespace/other",
        "Sync/0 create ConfigMap/there",
    ]


def test_a_definition_moves_before_its_first_object() -> None:
    widget = thing("Widget", "w", api="x.io/v1", wave=-1)
    other = thing("Widget", "w", api="y.io/v1", wave=-2)
    made = planned([crd("Widget"), widget, other])
    assert said(made) == [
        "Sync/-2 create Widget/w",  # of another group
        "Sync/-1 create CustomResourceDefinition/widgets.x.io",
        "Sync/-1 create Widget/w",
    ]


def test_a_namespace_on_a_kind_that_its_own_definition_says_has_none_is_refused() -> None:
    widget = thing("Widget", "w", api="x.io/v1")
    assert planned([widget, crd("Widget")]).steps
    with pytest.raises(BadInput, match="Widget w lives in no namespace, but has"):
        planned([widget, crd("Widget", scope="Cluster")])


# --- hooks -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("notes", "phases"),
    [
        ({"argocd.argoproj.io/hook": "PreSync,PostSync"}, ["PreSync", "PostSync"]),
        ({"argocd.argoproj.io/hook": " PostSync , PostSync "}, ["PostSync"]),
        ({"argocd.argoproj.io/hook": "Skip,Sync"}, ["Sync"]),
        ({"helm.sh/hook": "pre-install,pre-upgrade"}, ["PreSync"]),
        ({"helm.sh/hook": "post-upgrade"}, ["PostSync"]),
        ({"helm.sh/hook": "post-install", "argocd.argoproj.io/hook": "Sync"}, ["Sync"]),
    ],
)
def test_hooks_run_in_the_phases_they_name(notes: dict[str, str], phases: list[str]) -> None:
    made = planned([thing("Job", "j", notes=notes)])
    assert [(step.phase.value, step.action.value) for step in made.steps] == [
        (phase, "hook") for phase in phases
    ]


@pytest.mark.parametrize("hook", ["test", "post-delete", "pre-rollback"])
def test_hooks_of_helm_that_are_no_part_of_a_sync_are_left_out_and_said_so(hook: str) -> None:
    made = planned([thing("Pod", "p", notes={"helm.sh/hook": hook})])
    assert said(made) == ["Sync/0 skip Pod/p"]
    assert made.steps[0].message == f"{hook} hook: not part of a sync"


def test_crd_install_is_no_hook() -> None:
    assert actions(planned([thing(notes={"helm.sh/hook": "crd-install"})])) == {
        "ConfigMap/a": "create"
    }


def test_an_object_to_skip_is_neither_made_nor_pruned() -> None:
    skipped = thing(hook="Skip", data={"a": "2"})
    assert actions(planned([skipped, thing("Secret", "s")], [thing(data={"a": "1"})])) == {
        "ConfigMap/a": "skip", "Secret/s": "create",
    }  # fmt: skip


def test_an_object_that_says_skip_where_it_lives_is_not_pruned() -> None:
    assert actions(planned([thing("Secret", "s")], [thing(hook="Skip")])) == {"Secret/s": "create"}


def test_what_is_skipped_needs_nothing_before_it() -> None:
    made = planned([crd("Widget"), thing("Widget", "w", api="x.io/v1", wave=-1, hook="Skip")])
    assert said(made) == [
        "Sync/-1 skip Widget/w",
        "Sync/0 create CustomResourceDefinition/widgets.x.io",
    ]


def test_the_weight_of_helm_is_a_wave_unless_there_is_one() -> None:
    weight = {"helm.sh/hook-weight": "4"}
    assert said(planned([thing(notes=weight)])) == ["Sync/4 create ConfigMap/a"]
    assert said(planned([thing(notes=weight, wave=2)])) == ["Sync/2 create ConfigMap/a"]


def test_an_unnamed_hook_is_named_after_revision_phase_and_time() -> None:
    job = thing("Job", "", hook="PreSync,PostSync", meta={"generateName": "migrate-"})
    settings = replace(SETTINGS, revision="0123456789abcdef", started_at_unix=1700000000)
    made = planned([job], settings=settings)
    assert [step.key.name for step in made.steps] == [
        "migrate-0123456-presync-1700000000",
        "migrate-0123456-postsync-1700000000",
    ]
    assert made.steps[0].desired is not None
    assert "generateName" not in made.steps[0].desired.metadata


@pytest.mark.parametrize("wave", [None, 3])
def test_two_unnamed_hooks_that_would_get_one_name_are_refused(wave: int | None) -> None:
    """Whatever their waves: only one of them could be followed, and the sync would never end."""
    named = {"generateName": "migrate-"}
    first = replace(thing("Job", "", hook="PreSync", meta=named), origin="a.yaml: document 1")
    second = replace(
        thing("Job", "", hook="PreSync", wave=wave, meta=named), origin="b.yaml: document 2"
    )
    with pytest.raises(BadInput) as caught:
        planned([first, second])
    assert "there twice in PreSync" in caught.value.message
    assert "a.yaml: document 1" in caught.value.message
    assert "b.yaml: document 2" in caught.value.message
    assert "generateName" in caught.value.hint


def test_unnamed_hooks_of_one_beginning_may_run_in_other_phases_or_never() -> None:
    named = {"generateName": "migrate-"}
    hooks = [thing("Job", "", hook=hook, meta=named) for hook in ("PreSync", "PostSync")]
    tests = [thing("Job", "", hook="PostDelete", meta=named) for _ in range(2)]
    assert [step.action for step in planned([*hooks, *tests]).steps].count(Action.HOOK) == 2


def test_every_hook_gets_the_finalizer_that_keeps_it_until_it_was_judged() -> None:
    made = planned([thing("Job", "j", hook="Sync", meta={"finalizers": ["mine"]})])
    assert made.steps[0].desired is not None
    assert made.steps[0].desired.metadata["finalizers"] == [
        "mine", "argocd.argoproj.io/hook-finalizer",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("notes", "words"),
    [
        ({}, "BeforeHookCreation"),
        ({"argocd.argoproj.io/hook-delete-policy": "HookSucceeded"}, "HookSucceeded"),
        ({"helm.sh/hook-delete-policy": "hook-failed,hook-succeeded"}, "HookFailed, HookSucceeded"),
    ],
)
def test_a_hook_is_deleted_before_its_next_run_unless_it_says_otherwise(
    notes: dict[str, str], words: str
) -> None:
    made = planned([thing("Job", "j", hook="Sync", notes=notes)])
    assert made.steps[0].message == f"Sync hook, deleted: {words}"


# --- prune -----------------------------------------------------------------------------------


def test_prunes_run_in_mirrored_waves() -> None:
    going = [thing(name=name, wave=wave) for name, wave in (("a", -1), ("b", 0), ("c", 7))]
    assert said(planned([thing("Secret", "s")], going)) == [
        "Sync/-1 prune ConfigMap/c",
        "Sync/0 prune ConfigMap/b",
        "Sync/0 create Secret/s",
        "Sync/7 prune ConfigMap/a",
    ]


def test_prunes_come_before_what_is_made_in_the_same_wave() -> None:
    assert said(planned([thing("Namespace", "n")], [thing("Zebra", "z", api="x.io/v1")])) == [
        "Sync/0 prune Zebra/z",
        "Sync/0 create Namespace/n",
    ]


@pytest.mark.parametrize("where", ["application", "object"])
def test_prune_last_comes_one_wave_after_the_last_one(where: str) -> None:
    options = "PruneLast=true" if where == "object" else ""
    settings = replace(SETTINGS, options=frozenset({"PruneLast"} if where == "application" else ()))
    made = planned(
        [thing("Secret", "s", wave=3), thing("Job", "j", hook="PostSync", wave=9)],
        [thing(name="gone", wave=-4, options=options)],
        settings,
    )
    assert said(made) == [
        "Sync/3 create Secret/s",
        "Sync/4 prune ConfigMap/gone",
        "PostSync/9 hook Job/j",
    ]


@pytest.mark.parametrize(
    ("prune", "application", "options", "notes", "action", "message"),
    [
        (False, "", "", {}, "skip", "ignored (requires pruning)"),
        (True, "", "Prune=false", {}, "skip", "ignored (no prune)"),
        (True, "Prune=false", "", {}, "skip", "ignored (no prune)"),
        (True, "Prune=false", "Prune=true", {}, "prune", ""),
        (True, "", "Prune=confirm", {}, "prune", "waits until pruning is confirmed (Prune=confirm)"),
        (True, "Prune=confirm", "Prune=false", {}, "skip", "ignored (no prune)"),
        (True, "", "", {"helm.sh/resource-policy": "keep"}, "skip",
         "ignored (helm.sh/resource-policy: keep)"),
    ],
)  # fmt: skip
def test_what_keeps_an_object_from_being_pruned(
    prune: bool, application: str, options: str, notes: dict[str, str], action: str, message: str
) -> None:
    settings = replace(
        SETTINGS, prune=prune, options=frozenset({application} if application else ())
    )
    made = planned([thing("Secret", "s")], [thing(options=options, notes=notes)], settings)
    (step,) = [step for step in made.steps if step.key.kind == "ConfigMap"]
    assert (step.action, step.message) == (action, message)


def test_what_a_controller_made_and_what_a_hook_left_is_not_pruned() -> None:
    made = planned(
        [thing("Secret", "s")],
        [
            thing("Pod", "child", meta={"ownerReferences": [{"kind": "ReplicaSet"}]}),
            thing("Job", "old", hook="PreSync"),
        ],
    )
    assert actions(made) == {"Secret/s": "create"}


def test_a_plan_that_would_take_everything_away_is_refused_unless_allowed() -> None:
    with pytest.raises(Refused, match="all 1 live objects would be pruned") as refused:
        planned([], [thing()])
    assert "allowEmpty" in refused.value.hint
    with pytest.raises(Refused):
        planned([thing("Job", "j", hook="PreSync")], [thing()])  # hooks alone are nothing desired
    assert actions(planned([], [thing()], replace(SETTINGS, allow_empty=True))) == {
        "ConfigMap/a": "prune"
    }
    assert actions(planned([], [thing()], replace(SETTINGS, prune=False))) == {
        "ConfigMap/a": "skip"
    }


# --- tracking --------------------------------------------------------------------------------


def test_objects_carry_the_tracking_id_of_argo_cd() -> None:
    made = planned([thing("Deployment", "web"), thing("ClusterRole", "r")], settings=TRACKED)
    ids = {step.key.name: step.desired.annotations[ID] for step in made.steps if step.desired}
    assert ids == {
        "web": "shop:apps/Deployment:shop/web",
        "r": "shop:rbac.authorization.k8s.io/ClusterRole:shop/r",
    }


def test_an_object_of_another_application_is_refused() -> None:
    theirs = thing(notes={ID: "other:/ConfigMap:shop/a"})
    with pytest.raises(Refused, match="ConfigMap shop/a belongs to the application 'other'"):
        planned([thing()], [theirs], TRACKED)


def test_only_what_the_application_tracks_is_pruned() -> None:
    made = planned(
        [thing("Secret", "s")],
        [
            thing(name="mine", notes={ID: "shop:/ConfigMap:shop/mine"}),
            thing(name="theirs", notes={ID: "other:/ConfigMap:shop/theirs"}),
            thing(name="nobodys"),
            thing(name="copied", notes={ID: "shop:apps/Deployment:shop/web"}),
        ],
        TRACKED,
    )
    assert actions(made) == {"ConfigMap/mine": "prune", "Secret/s": "create"}


# --- differences -----------------------------------------------------------------------------


def test_equal_objects_need_nothing_and_others_say_which_field() -> None:
    made = planned(
        [thing(data={"a": "1"}), thing("Secret", "s", stringData={})],
        [thing(data={"a": "2"}, meta={"uid": "u", "resourceVersion": "7"}), thing("Secret", "s")],
    )
    assert actions(made) == {"Secret/s": "nothing", "ConfigMap/a": "change"}
    (change,) = made.steps[1].changes
    assert (change.path, change.old, change.new) == ("/data/a", "2", "1")


@pytest.mark.parametrize("bad", ["text", 7, ["a"], [{"a": []}], {"a": [["b"]]}, None, True])
def test_parts_of_a_wrong_shape_are_a_difference_and_no_defect(bad: Any) -> None:
    record = [{"manager": "slipway", "operation": "Apply", "fieldsType": "FieldsV1",
               "fieldsV1": {"f:stringData": {"f:a": {}}, "f:data": bad, "f:type": bad}}]  # fmt: skip
    there = thing("Secret", "s", meta={"managedFields": record}, data={"a": "Yg=="})
    made = planned([thing("Secret", "s", stringData={"a": "c"}, data=bad)], [there])
    assert actions(made) == {"Secret/s": "change"}
    pod = thing("Pod", "p", spec={"tolerations": [{"key": bad}, bad]})
    lively = thing("Pod", "p", spec={"tolerations": [{"key": {"x": bad}}]})
    assert actions(planned([pod], [lively])) == {"Pod/p": "change"}


def test_ignored_fields_are_no_difference() -> None:
    rule = IgnoreRule(kind="ConfigMap", json_pointers=("/data/a",))
    made = planned(
        [thing(data={"a": "1"})], [thing(data={"a": "2"})], replace(SETTINGS, ignore=(rule,))
    )
    assert actions(made) == {"ConfigMap/a": "nothing"}


CLAIM = {"resources": {"requests": {"storage": "2Gi"}}, "storageClassName": "fast"}


@pytest.mark.parametrize(
    ("kind", "old", "new", "refused"),
    [
        ("Service", {"spec": {"clusterIP": "10.0.0.1"}}, {"spec": {"clusterIP": "10.0.0.2"}}, True),
        ("Service", {"spec": {}}, {"spec": {"clusterIP": "10.0.0.2"}}, False),
        ("Service", {"spec": {"type": "ClusterIP"}}, {"spec": {"type": "NodePort"}}, False),
        ("Deployment", {"spec": {"selector": {"matchLabels": {"a": "b"}}}},
         {"spec": {"selector": {"matchLabels": {"a": "c"}}}}, True),
        ("Deployment", {"spec": {"replicas": 1}}, {"spec": {"replicas": 2}}, False),
        ("Job", {"spec": {"template": {"spec": {"restartPolicy": "Never"}}}},
         {"spec": {"template": {"spec": {"restartPolicy": "OnFailure"}}}}, True),
        ("Job", {"spec": {"parallelism": 1}}, {"spec": {"parallelism": 2}}, False),
        ("StatefulSet", {"spec": {"serviceName": "a"}}, {"spec": {"serviceName": "b"}}, True),
        ("StatefulSet", {"spec": {"replicas": 1}}, {"spec": {"replicas": 2}}, False),
        ("PersistentVolumeClaim", {"spec": CLAIM}, {"spec": {**CLAIM, "storageClassName": "x"}},
         True),
        ("PersistentVolumeClaim", {"spec": CLAIM},
         {"spec": {**CLAIM, "resources": {"requests": {"storage": "1Gi"}}}}, True),
        ("PersistentVolumeClaim", {"spec": CLAIM},
         {"spec": {**CLAIM, "resources": {"requests": {"storage": "3Gi"}}}}, False),
        ("RoleBinding", {"roleRef": {"name": "a"}}, {"roleRef": {"name": "b"}}, True),
        ("Secret", {"type": "Opaque"}, {"type": "kubernetes.io/tls"}, True),
        ("ConfigMap", {"immutable": True, "data": {"a": "1"}},
         {"immutable": True, "data": {"a": "2"}}, True),
        ("ConfigMap", {"data": {"a": "1"}}, {"data": {"a": "2"}}, False),
        ("Pod", {"spec": {"containers": [{"name": "c", "image": "a"}]}},
         {"spec": {"containers": [{"name": "c", "image": "b"}]}}, False),
        ("Pod", {"spec": {"nodeName": "a"}}, {"spec": {"nodeName": "b"}}, True),
    ],
)  # fmt: skip
def test_fields_that_cannot_change_are_marked(
    kind: str, old: dict[str, Any], new: dict[str, Any], refused: bool
) -> None:
    made = planned([thing(kind, **new)], [thing(kind, **old)])
    (step,) = made.steps
    assert step.action == "change"
    assert any(change.immutable for change in step.changes) is refused
    assert ("immutable" in step.message and "Replace=true" in step.message) is refused
    assert bool(made.warnings) is refused


@pytest.mark.parametrize(
    ("options", "application", "action", "words"),
    [
        ("Replace=true", (), "replace", "updated as a whole"),
        ("Replace=true,Force=true", (), "replace", "deleted and created anew"),
        ("", ("Replace",), "replace", "updated as a whole"),
        ("Replace=false", ("Replace",), "change", ""),
    ],
)
def test_replace_makes_it_a_replacement(
    options: str, application: tuple[str, ...], action: str, words: str
) -> None:
    settings = replace(SETTINGS, options=frozenset(application))
    notes = {"argocd.argoproj.io/sync-options": options} if options else {}
    made = planned(
        [thing(data={"a": "1"}, notes=notes)], [thing(data={"a": "2"}, notes=notes)], settings
    )
    (step,) = made.steps
    assert step.action == action
    assert words in step.message


def test_an_object_that_is_being_deleted_is_warned_about() -> None:
    dying = {"deletionTimestamp": "2026-01-01T00:00:00Z", "finalizers": ["x.io/keep"]}
    made = planned([thing()], [thing(meta=dying)])
    assert made.warnings == (
        "ConfigMap shop/a: is being deleted since 2026-01-01T00:00:00Z (finalizers: x.io/keep)",
    )


def test_a_namespace_that_is_being_deleted_is_warned_about_once() -> None:
    dying = thing("Namespace", NAMESPACE, hook="Skip", meta={"deletionTimestamp": "2026-01-01"})
    settings = replace(SETTINGS, options=frozenset({"CreateNamespace"}))
    made = planned([thing(), thing("Secret", "s")], [dying], settings)
    assert made.warnings == (
        "namespace shop is being deleted: the API server refuses new objects in it",
    )


# --- namespaces and scopes -------------------------------------------------------------------


def test_create_namespace_comes_before_everything() -> None:
    settings = replace(SETTINGS, options=frozenset({"CreateNamespace"}))
    desired = [thing(), thing("Job", "j", hook="PreSync", wave=-3)]
    assert said(planned(desired, settings=settings))[:2] == [
        "PreSync/-3 create Namespace/shop",
        "PreSync/-3 hook Job/j",
    ]
    there = thing("Namespace", NAMESPACE)
    assert "Namespace/shop" not in actions(planned(desired, [there], settings))
    assert said(planned([thing()], settings=settings)) == [
        "PreSync/0 create Namespace/shop",
        "Sync/0 create ConfigMap/a",
    ]


def test_objects_without_a_namespace_live_in_the_applications() -> None:
    made = planned([
        thing(namespace=""), thing("ClusterRole", "r"), thing("Widget", "w", api="x.io/v1", namespace=""),
        thing("Global", "g", api="x.io/v1", namespace=""), crd("Global", scope="Cluster"),
    ])  # fmt: skip
    places = {step.key.name: step.key.namespace for step in made.steps}
    assert places == {"a": "shop", "r": "", "w": "shop", "g": "", "globals.x.io": ""}


def test_a_kind_nobody_knows_is_where_it_lives() -> None:
    widget = thing("Widget", "w", api="x.io/v1", namespace="", spec={"a": 1})
    assert actions(planned([widget], [widget])) == {"Widget/w": "nothing"}
    placed = thing("Widget", "w", api="x.io/v1", spec={"a": 1})
    made = planned([placed], [placed])
    assert [(step.action, step.key.namespace) for step in made.steps] == [("nothing", NAMESPACE)]


def test_what_a_cluster_serves_decides_the_scope() -> None:
    widget = thing("Widget", "w", api="x.io/v1", namespace="")
    made = plan([widget], {}, SETTINGS, served={("x.io", "Widget"): False})
    assert made.steps[0].key.namespace == ""


def test_a_namespace_that_nobody_says_is_refused() -> None:
    with pytest.raises(BadInput, match="ConfigMap a needs a namespace"):
        planned([thing(namespace="")], settings=SyncSettings("", ""))


def test_two_objects_that_become_one_by_the_namespace_are_refused() -> None:
    with pytest.raises(BadInput, match="is there twice"):
        planned([thing(), thing(namespace="")])


# --- heals -----------------------------------------------------------------------------------


def test_a_heal_touches_what_drifted_and_runs_no_hook() -> None:
    desired = [thing(data={"a": "1"}), thing("Secret", "s"), thing("Job", "j", hook="PreSync")]
    live = live_of(thing(data={"a": "2"}), thing(name="extra"))
    only = {ResourceKey("", "ConfigMap", NAMESPACE, "a")}
    assert said(plan(desired, live, SETTINGS, only=only)) == ["Sync/0 change ConfigMap/a"]
