"""What a sync would do, from files alone: no cluster, no installation."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pipelines.engine.sync import application_yaml, kinds, prepare, tracking
from pipelines.engine.sync.plan import plan
from pipelines.flows.manifest_files import read_files, read_limited, refuse_stdin_twice
from pipelines.model.errors import BadInput
from pipelines.model.resource import Resource, ResourceKey
from pipelines.model.sync import Action, FieldChange, PlanStep, SyncPlan, SyncSettings

MASK = "********"
DEFAULT_NAMESPACE = "default"
_LAST_APPLIED = "kubectl.kubernetes.io~1last-applied-configuration"


@dataclass(frozen=True, slots=True)
class Question:
    """What a person asked. None: as the Application says, else Argo CD's default, but pruning on."""

    desired: Sequence[str]
    live: Sequence[str] = ()
    application: str = ""
    name: str = ""
    namespace: str = ""
    prune: bool | None = None
    allow_empty: bool = False


def offline_plan(question: Question) -> SyncPlan:
    """Raises BadInput and Refused as `plan` does, and BadInput for files that cannot be read."""
    refuse_stdin_twice([*question.desired, *question.live])
    settings = _settings(question)
    desired = read_files(question.desired)
    found = read_files(question.live)
    scope = {**prepare.shown(found), **prepare.scopes([*found, *desired], {})}
    live = _placed(found, desired, scope, settings)
    settings, warnings = _whose(settings, list(live.values()), bool(question.live))
    made = plan(desired, live, settings, served=scope)
    return replace(made, warnings=(*warnings, *made.warnings))


def _settings(question: Question) -> SyncSettings:
    settings = SyncSettings("", "", prune=True)
    if question.namespace:
        kinds.check_namespace(question.namespace, "--namespace")
    if question.application:
        file = Path(question.application)
        try:
            text = read_limited(file).decode()
        except UnicodeDecodeError:
            raise BadInput(f"{file}: not UTF-8", hint="save the file as UTF-8") from None
        settings = application_yaml.parse(text, question.application).settings
    return replace(
        settings,
        application=question.name or settings.application,
        namespace=question.namespace or settings.namespace or DEFAULT_NAMESPACE,
        prune=settings.prune if question.prune is None else question.prune,
        allow_empty=question.allow_empty or settings.allow_empty,
    )


def _placed(
    live: Sequence[Resource],
    desired: Sequence[Resource],
    scope: prepare.Scopes,
    settings: SyncSettings,
) -> dict[ResourceKey, Resource]:
    """Live objects by name; rendered files may leave the namespace out, as desired ones may. What was
    rendered and not dumped is taken as applied, so that what it alone sets is seen to go."""
    nameless = replace(settings, application="")

    def place(some: Sequence[Resource]) -> dict[ResourceKey, Resource]:
        placed = (prepare.placed(one, nameless, scope, {}) for one in some if one.name)
        return {one.key: one for one in placed}

    return prepare.rendered_before(place(live), place(desired) if live else {})


def _whose(
    settings: SyncSettings, live: Sequence[Resource], given: bool
) -> tuple[SyncSettings, list[str]]:
    """Files without any tracking id (rendered ones) are all the application's."""
    owners = sorted({owner for one in live if (owner := tracking.owner(one))})
    if not owners:
        words = "no live object carries a tracking id: all are taken as the application's"
        warned = [words] if given and live and settings.application else []
        return replace(settings, application=""), warned
    if settings.application:
        return settings, []
    if len(owners) > 1:
        raise BadInput(
            f"live objects belong to {len(owners)} applications: {', '.join(owners)}",
            hint=f"say which one is meant: --name {owners[0]}",
        )
    return replace(settings, application=owners[0]), []


def summary(made: SyncPlan) -> dict[str, int]:
    """How many steps of each action, none left out."""
    counted = Counter(step.action for step in made.steps)
    return {action.value: counted[action] for action in Action}


def changes_anything(made: SyncPlan) -> bool:
    """Hooks run in every sync, so they alone are no difference."""
    idle = (Action.NOTHING, Action.SKIP, Action.HOOK)
    return any(step.action not in idle for step in made.steps)


def document(made: SyncPlan) -> dict[str, Any]:
    """The plan as JSON can say it. What a Secret holds is never shown."""
    return {
        "steps": [_step(step) for step in made.steps],
        "summary": summary(made),
        "warnings": list(made.warnings),
    }


def _step(step: PlanStep) -> dict[str, Any]:
    known = step.desired or step.live
    return {
        "phase": step.phase.value,
        "wave": step.wave,
        "action": step.action.value,
        "apiVersion": known.api_version if known else "",
        "kind": step.key.kind,
        "namespace": step.key.namespace,
        "name": step.key.name,
        "message": step.message,
        "changes": [_change(masked(change, step.key)) for change in step.changes],
    }


def _change(change: FieldChange) -> dict[str, Any]:
    return {
        "path": change.path,
        "old": change.old,
        "new": change.new,
        "manager": change.manager,
        "since": change.since,
        "immutable": change.immutable,
    }


def masked(change: FieldChange, key: ResourceKey) -> FieldChange:
    """Of a Secret's data only that it differs; which of both is there still shows."""
    if (key.group, key.kind) != ("", "Secret") or not _secret(change.path):
        return change
    old = None if change.old is None else MASK
    new = None if change.new is None else (MASK if old is None else f"{MASK} (differs)")
    return replace(change, old=old, new=new)


def _secret(path: str) -> bool:
    """Also the copy of the whole object that `kubectl apply` keeps, and anything above either."""
    kept = f"/metadata/annotations/{_LAST_APPLIED}"
    if path in ("", "/metadata", "/metadata/annotations"):
        return True
    return any(path == one or path.startswith(f"{one}/") for one in ("/data", "/stringData", kept))
