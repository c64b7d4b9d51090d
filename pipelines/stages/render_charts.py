"""The charts of a tree, rendered for every environment as a promotion would.

For an environment on one machine too: a broken chart is red before somebody goes to a cluster.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from pipelines.engine import charts
from pipelines.engine.chart_objects import holds_secret, sourced, title
from pipelines.engine.charts import ChartRenderer
from pipelines.engine.sync.manifests import refuse_twins
from pipelines.model.check import Finding, Tree
from pipelines.model.environment import ARGO_CD, EnvironmentSettings
from pipelines.model.errors import BadInput
from pipelines.model.release import Release
from pipelines.model.resource import Resource
from pipelines.model.slots import Slot
from pipelines.stages.protocol import Rendered
from pipelines.stages.render_place import refusals, without_slots

FOLDER = "charts"
_UNNAMED = "unnamed"


@dataclass(frozen=True, slots=True)
class ChartsRendered:
    """By environment: its namespace, and the objects of slot and edge. `others`: those of charts that
    are installed once and never synced, by environment and chart."""

    namespaces: Mapping[str, str] = field(default_factory=dict)
    objects: Mapping[str, list[Resource]] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()
    others: Mapping[tuple[str, str], list[Resource]] = field(default_factory=dict)


def names(folder: Path) -> list[str]:
    """Charts of a tree."""
    return sorted(file.parent.name for file in (folder / FOLDER).glob("*/Chart.yaml"))


def wanted(rendered: Rendered) -> bool:
    """Whether an environment asks for charts."""
    return any(settings.kubernetes for settings in rendered.decided.values())


def render_charts(renderer: ChartRenderer, tree: Tree, rendered: Rendered) -> ChartsRendered:
    """Everything, and a finding for each environment and chart that cannot be rendered. Raises
    Unavailable as the renderer does."""
    assert rendered.release is not None
    release = rendered.release
    findings = _missing(tree, release)
    objects: dict[str, list[Resource]] = {}
    for name, decided in rendered.decided.items() if not findings else ():
        found, wrong = _environment(renderer, tree, release, decided)
        findings += wrong
        if not wrong:
            objects[name] = found
    application = release.application.name
    others: dict[tuple[str, str], list[Resource]] = {}
    for chart in names(tree.folder):
        if chart not in charts.charts_of(application):
            more, wrong = _installed_once(renderer, tree, rendered, chart)
            others |= more
            findings += wrong
    namespaces = {
        name: charts.place_of(settings, application).namespace
        for name, settings in rendered.decided.items()
    }
    return ChartsRendered(namespaces, objects, tuple(_once(findings)), others)


def _missing(tree: Tree, release: Release) -> list[Finding]:
    return [
        Finding(
            "render/chart", f"charts/{chart} is missing: a release for Kubernetes needs it",
            path=f"charts/{chart}/Chart.yaml",
            hint="bring it back, or take all of charts/ away where no environment has"
            " `target: kubernetes`",
        )
        for chart in charts.charts_of(release.application.name)
        if chart not in names(tree.folder)
    ]  # fmt: skip


def _with_everything(settings: EnvironmentSettings, release: Release) -> EnvironmentSettings:
    """An environment that is on no cluster yet is rendered with hooks: they may be broken too. It
    names no image for them yet."""
    if settings.kubernetes is not None:
        return settings
    where = charts.place_of(settings, release.application.name)
    return replace(settings, kubernetes=replace(where, controller=ARGO_CD, engine_tag=_UNNAMED))


def _environment(
    renderer: ChartRenderer, tree: Tree, release: Release, decided: EnvironmentSettings
) -> tuple[list[Resource], list[Finding]]:
    if decided.kubernetes is not None:  # elsewhere people may install the charts with Helm
        try:
            charts.require_slots(release, decided.name)
        except BadInput as error:
            return [], [without_slots(error, decided.name, release.application.name, tree)]
    settings = _with_everything(decided, release)
    found: list[Resource] = []
    findings: list[Finding] = []
    for chart in charts.charts_of(release.application.name):
        try:
            found += _twice(renderer, tree.folder, release, settings, chart)
        except BadInput as error:
            findings += refusals(error, chart, settings.name, tree)
    try:
        refuse_twins(found)
    except BadInput as error:
        findings += refusals(error, "", settings.name, tree)
    return found, findings + [_secret(one) for one in found if holds_secret(one)]


def _twice(
    renderer: ChartRenderer,
    folder: Path,
    release: Release,
    settings: EnvironmentSettings,
    chart: str,
) -> list[Resource]:
    """A branch must hold the same bytes whenever it is rendered."""

    def text() -> str:
        about = (renderer, folder, release, settings, Slot.BLUE)
        if chart == charts.EDGE:
            return charts.render_edge(*about)
        return charts.render_slot(*about, active=True)

    first, second = text(), text()
    if first != second:
        raise BadInput(
            f"charts/{chart}: rendered twice, two different texts come out",
            hint="no now, rand…, uuidv4 or gen… in templates: a branch holds the same bytes again",
        )
    return sourced(first)


def _installed_once(
    renderer: ChartRenderer, tree: Tree, rendered: Rendered, chart: str
) -> tuple[dict[tuple[str, str], list[Resource]], list[Finding]]:
    """Of charts that people install beside the releases: they render, that is all."""
    found: dict[tuple[str, str], list[Resource]] = {}
    findings: list[Finding] = []
    for name, settings in rendered.decided.items():
        assert rendered.release is not None
        where = charts.place_of(settings, rendered.release.application.name)
        try:
            text = renderer.render(
                tree.folder / FOLDER / chart, [rendered.values.get(name, {})],
                name=chart, namespace=where.namespace,
            )  # fmt: skip
            found[name, chart] = sourced(text)
        except BadInput as error:
            findings += refusals(error, chart, name, tree)
    return found, findings


def _secret(resource: Resource) -> Finding:
    path = resource.origin.partition(":")[0]
    return Finding(
        "render/secret",
        f"{title(resource)} would lie on the branch of the environment, for everybody to read",
        path=path,
        hint="name a Secret that somebody makes in the cluster; a chart renders none with values",
    )


def _once(findings: list[Finding]) -> list[Finding]:
    """What is wrong for several environments alike is said once."""
    kept: dict[tuple[str, str, int, str], Finding] = {}
    for finding in findings:
        words = re.sub(r"^[a-z]+: |\d+", "", finding.message)  # which environment, which line
        kept.setdefault((finding.rule, finding.path, finding.line, words), finding)
    return list(kept.values())
