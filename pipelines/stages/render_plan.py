"""What a sync would do with the objects of head where those of base run, without any cluster."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipelines.engine.chart_objects import HIDDEN, title
from pipelines.engine.sync.hooks import is_hook
from pipelines.engine.sync.plan import plan
from pipelines.engine.sync.prepare import placed, rendered_before, scopes
from pipelines.model.check import Finding
from pipelines.model.errors import SlipwayError
from pipelines.model.resource import Resource, ResourceKey
from pipelines.model.sync import Action, PlanStep, SyncSettings
from pipelines.stages.render_charts import ChartsRendered

_LONGEST_VALUE = 2000  # characters of one field in the report


@dataclass(frozen=True, slots=True)
class Field:
    """One field of one object; JSON text, None where there is nothing."""

    path: str
    old: str | None
    new: str | None
    immutable: bool


@dataclass(frozen=True, slots=True)
class Step:
    """What happens to one object. `action`: create, change, replace, prune, hook or skip; `source`:
    its template; `new`: a hook that is not there or another one in base."""

    phase: str
    wave: int
    action: str
    resource: str
    source: str
    fields: tuple[Field, ...] = ()
    message: str = ""
    new: bool = True


def steps_of(
    base: ChartsRendered, head: ChartsRendered
) -> tuple[dict[str, list[Step]], list[Finding]]:
    """By environment, in the order in which they would run; and what a reviewer must know."""
    found: dict[str, list[Step]] = {}
    findings: list[Finding] = []
    for environment, objects in head.objects.items():
        settings = SyncSettings(
            application="", namespace=head.namespaces[environment], prune=True, allow_empty=True
        )
        before = base.objects.get(environment, [])
        try:
            found[environment] = _planned(before, objects, settings)
        except SlipwayError as error:
            findings.append(_refused(environment, error))
            continue
        findings += [
            finding for step in found[environment] for finding in _immutable(environment, step)
        ]
    return found, _once(findings)


def _planned(
    before: Sequence[Resource], objects: Sequence[Resource], settings: SyncSettings
) -> list[Step]:
    scope = scopes([*before, *objects], {})

    def place(some: Iterable[Resource]) -> dict[ResourceKey, Resource]:
        return {one.key: one for one in (placed(one, settings, scope, {}) for one in some)}

    lasting = place(one for one in before if not is_hook(one) and one.name)
    live = rendered_before(lasting, place(objects))
    hooks = {title(one): one.manifest for one in before if is_hook(one)}
    return [
        _step(step, hooks)
        for step in plan(objects, live, settings).steps
        if step.action is not Action.NOTHING
    ]


def _step(step: PlanStep, hooks: Mapping[str, Mapping[str, Any]]) -> Step:
    resource = step.desired or step.live
    assert resource is not None
    name = title(resource)
    return Step(
        phase=str(step.phase),
        wave=step.wave,
        action=str(step.action),
        resource=name,
        source=resource.origin.partition(":")[0],
        fields=tuple(
            Field(change.path, _text(change.old, resource, change.path),
                  _text(change.new, resource, change.path), change.immutable)
            for change in step.changes
        ),
        message=step.message,
        new=step.action is not Action.HOOK or _body(hooks.get(name)) != _body(resource.manifest),
    )  # fmt: skip


def _body(manifest: Mapping[str, Any] | None) -> Any:
    """A hook without what a plan writes into it."""
    if manifest is None:
        return None
    metadata = manifest.get("metadata") or {}
    told = {key: metadata.get(key) for key in ("labels", "annotations")}
    return {**manifest, "metadata": told}


def _text(value: Any, resource: Resource, path: str) -> str | None:
    if value is None:
        return None
    if resource.kind == "Secret" and path.startswith(("/data", "/stringData")):
        return HIDDEN
    text = json.dumps(value, ensure_ascii=False, sort_keys=True)
    return text if len(text) <= _LONGEST_VALUE else f"{text[:_LONGEST_VALUE]}…"


def _immutable(environment: str, step: Step) -> list[Finding]:
    return [
        Finding(
            "render/immutable",
            f"{environment}: {step.resource}: {field.path} cannot change once the object is there"
            f" ({field.old or 'nothing'} → {field.new or 'nothing'})",
            severity="warning",
            path=step.source,
            hint="give the object another name, or have it replaced:"
            " annotation argocd.argoproj.io/sync-options: Replace=true",
        )
        for field in step.fields
        if field.immutable and step.action != Action.REPLACE
    ]


def _refused(environment: str, error: SlipwayError) -> Finding:
    path, _, rest = error.message.partition(": ")
    known = path.startswith("charts/")
    return Finding(
        "render/object", f"{environment}: {rest if known else error.message}",
        path=path if known else "", hint=error.hint,
    )  # fmt: skip


def _once(findings: list[Finding]) -> list[Finding]:
    """What holds for several environments is said of the first."""
    kept: dict[tuple[str, str, str], Finding] = {}
    for finding in findings:
        words = finding.message.partition(": ")[2]
        kept.setdefault((finding.rule, finding.path, words), finding)
    return list(kept.values())
