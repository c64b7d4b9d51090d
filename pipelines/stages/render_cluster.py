"""The part of the render stage that is about charts: rendered, planned, judged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from pipelines.model.check import Change, Finding
from pipelines.model.errors import Unavailable
from pipelines.stages import render_charts, render_sync_text
from pipelines.stages.protocol import Rendered, Workshop
from pipelines.stages.render_plan import steps_of


@dataclass(frozen=True, slots=True)
class Charts:
    """What the charts add to the answer. `wrong`: why it is red."""

    wrong: str = ""
    summary: str = ""
    findings: tuple[Finding, ...] = ()
    samples: int = 0
    document: Mapping[str, Any] = field(default_factory=dict)
    markdown: str = ""


def answer(change: Change, workshop: Workshop, base: Rendered, head: Rendered) -> Charts:
    """Nothing in a tree without charts where no environment asks for them. Raises Unavailable."""
    if not render_charts.names(change.head.folder) and not render_charts.wanted(head):
        return Charts()
    if workshop.charts is None:
        raise Unavailable("nothing to render charts with was put in", hint="slipway up")
    new = render_charts.render_charts(workshop.charts, change.head, head)
    if new.findings:
        return Charts(wrong=new.findings[0].message, findings=new.findings)
    old = render_charts.ChartsRendered()
    if base.release is not None and render_charts.names(change.base.folder):
        old = render_charts.render_charts(workshop.charts, change.base, base)
    notes = [
        replace(one, rule="render/base", severity="warning", message=f"the base: {one.message}")
        for one in old.findings
    ]
    steps, findings = steps_of(old, new)
    red = [finding.message for finding in findings if finding.severity == "error"]
    return Charts(
        wrong=red[0] if red else "",
        summary=render_sync_text.summary(steps),
        findings=(*notes, *findings),
        samples=sum(map(len, (*new.objects.values(), *new.others.values()))),
        document={"objects": render_sync_text.plain(steps)},
        markdown=render_sync_text.markdown(steps),
    )
