"""The part `manifests` of the security stage: every object that the charts of head give."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pipelines.engine.chart_objects import title
from pipelines.model.check import Change, Finding
from pipelines.model.errors import SlipwayError
from pipelines.model.resource import Resource
from pipelines.stages import render_charts
from pipelines.stages.protocol import Workshop
from pipelines.stages.security.manifests.pods import pod_spec
from pipelines.stages.security.manifests.rights import HINTS, rights
from pipelines.stages.security.manifests.rules import RULES
from pipelines.stages.security.part import Part

_REACHES = ("charts/", "environments/", "app/slipway.yaml")
_PLANTED = Resource(
    {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "planted"},
        "spec": {
            "hostNetwork": True,
            "volumes": [{"name": "root", "hostPath": {"path": "/"}}],
            "securityContext": {"sysctls": [{"name": "kernel.panic", "value": "1"}]},
            "containers": [{"name": "planted", "image": "planted:latest"}],
        },
    }
)
"""Has something for every rule about pods: an all-clear that misses it is not believed."""


def judge_manifests(change: Change, workshop: Workshop) -> Part:
    """Nothing where the change reaches no chart; broken when the charts cannot be rendered."""
    if not change.touches(*_REACHES) or not render_charts.names(change.head.folder):
        return Part("manifests", "objects", 0)
    missed = {rule.name for rule in RULES} - {one.rule for one in judge([_PLANTED])}
    if missed:
        return _broken(f"the planted pod was not found by {', '.join(sorted(missed))}")
    if workshop.renderer is None or workshop.charts is None:
        return _broken("nothing to render charts with was put in")
    try:
        head = workshop.renderer(change.head.folder)
        found = render_charts.render_charts(workshop.charts, change.head, head)
    except SlipwayError as error:
        return _broken(error.message, error.hint)
    wrong = [one for one in found.findings if one.rule != "render/secret"]
    if wrong:
        return _broken(f"not all charts render: {wrong[0].message}", "see what `render` says")
    sets = [*found.objects.values(), *found.others.values()]
    findings = {finding: None for one in sets for finding in judge(one)}
    return Part("manifests", "objects", sum(map(len, sets)), tuple(findings))


def judge(resources: Sequence[Resource]) -> Iterator[Finding]:
    """What is wrong with objects that are installed together."""
    for resource in resources:
        spec = pod_spec(resource)
        if spec is None:
            continue
        for rule in RULES:
            for words in rule.find(spec):
                yield _finding(rule.name, resource, words, rule.hint)
    for name, resource, words in rights(resources):
        yield _finding(name, resource, words, HINTS[name])


def _finding(rule: str, resource: Resource, words: str, hint: str) -> Finding:
    path = resource.origin.partition(":")[0]
    return Finding(rule, f"{title(resource)}: {words}", path=path, hint=hint)


def _broken(message: str, hint: str = "") -> Part:
    return Part("manifests", "objects", 0, broken=message, hint=hint)
