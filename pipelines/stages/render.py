"""The render stage: what a release of head would change, environment by environment.

Processes, values, strategies, settings, migrations, locked packages, and where there are charts what
a sync would do with their objects. Compared with base, which is the verdict's record, and with what
each environment's branch says now, which a reader wants to know and which is another thing tomorrow.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pipelines.model import yaml_strict
from pipelines.model.check import BROKEN, FAILED, PASSED, Change, Finding, StageResult, Tree
from pipelines.model.errors import BadInput, Unavailable
from pipelines.stages.protocol import Options, Rendered, Renderer, Workshop
from pipelines.stages.render_cluster import answer
from pipelines.stages.render_difference import Row, against_running, difference, flat
from pipelines.stages.report_json import canonical
from pipelines.stages.report_text import escaped

MOST_ROWS = 60
_PLACE = re.compile(r"^([\w./-]+\.(?:yaml|yml|py|lock|toml)): (?:line (\d+): )?")
_KEY = re.compile(r"^([\w.-]+): |'([\w.-]+)'")
_EMPTY = Rendered()


class RenderStage:
    """`stages.protocol.Stage`."""

    name = "render"

    def touched(self, change: Change) -> bool:
        return change.touches("app/", "environments/", "charts/")

    def inputs(self, change: Change, options: Options) -> Mapping[str, str]:
        trees = {"head": change.head, "base": change.base}
        parts = {
            f"{name}:{part}": tree.objects.get(part, "")
            for name, tree in trees.items()
            for part in ("app", "environments", "charts")
        }
        running = hashlib.sha256(canonical(dict(options.running)).encode()).hexdigest()
        return {**parts, "running": running}

    def run(self, change: Change, workshop: Workshop) -> StageResult:
        if workshop.renderer is None:
            finding = Finding("render/broken", "nothing to read the trees with was put in")
            return StageResult("render", BROKEN, finding.message, (finding,))
        try:
            head = workshop.renderer(change.head.folder)
        except BadInput as error:
            finding = place(error, change.head)
            return StageResult("render", FAILED, finding.message, (finding,), samples=1)
        base, notes = _read_base(workshop.renderer, change.base.folder)
        try:
            charts = answer(change, workshop, base, head)
        except Unavailable as error:
            finding = Finding("render/broken", error.message, hint=error.hint)
            return StageResult("render", BROKEN, finding.message, (finding,))
        rows = difference(base, head)
        now = _against_now(workshop.options.running, head)
        parts = [_summary(rows, len(head.values)), charts.summary]
        return StageResult(
            stage="render",
            status=FAILED if charts.wrong else PASSED,
            summary=charts.wrong or "; ".join(part for part in parts if part),
            findings=(*notes, *charts.findings),
            samples=_looked_at(head) + charts.samples,
            document={
                "environments": sorted(head.values),
                "changes": [_plain(r) for r in rows],
                **charts.document,
            },
            observed={"running": {name: [_plain(r) for r in found] for name, found in now.items()}},
            markdown="\n\n".join(filter(None, (_markdown(rows, now), charts.markdown))),
        )


def place(error: BadInput, tree: Tree) -> Finding:
    """The finding of a file that cannot be read, at the line that the message or its key names."""
    message, path, line = error.message, "", 0
    if found := _PLACE.match(message):
        path, line = found[1], int(found[2] or 0)
        message = message[found.end() :]
        key = _KEY.search(message)
        text = tree.text(path) or ""
        if not line:
            number = re.search(r"line (\d+)", message)
            line = int(number[1]) if number else _line_of(text, key)
    return Finding("render/unreadable", message, path=path, line=line, hint=error.hint)


def _line_of(text: str, named: re.Match[str] | None) -> int:
    """The first line with the last key of the dotted path that was named, 0 when there is none."""
    key = (named[1] or named[2]).rpartition(".")[2] if named else ""
    for number, line in enumerate(text.splitlines(), 1):
        if key and line.strip().startswith(f"{key}:"):
            return number
    return 0


def _read_base(renderer: Renderer, folder: Path) -> tuple[Rendered, list[Finding]]:
    """Something that cannot be read is what the change may be there to repair."""
    try:
        return renderer(folder), []
    except BadInput as error:
        words = f"the base cannot be rendered, all of head counts as new: {error.message}"
        return _EMPTY, [Finding("render/base", words, severity="warning")]


def _against_now(running: Mapping[str, str], head: Rendered) -> dict[str, list[Row]]:
    found = {}
    for environment, text in sorted(running.items()):
        if environment in head.values:
            try:
                document = yaml_strict.load_mapping(text, f"env/{environment}")
            except BadInput:
                continue
            found[environment] = against_running(document, head, environment)
    return found


def _looked_at(rendered: Rendered) -> int:
    """Values of all environments, processes, migrations and locked packages."""
    values = sum(len(flat(values)) for values in rendered.values.values())
    parts = (rendered.processes, rendered.migrations, rendered.dependencies)
    return values + sum(len(part) for part in parts)


def _summary(rows: Sequence[Row], environments: int) -> str:
    if not rows:
        return f"nothing changes in {environments} environments but code"
    counts: dict[str, int] = {}
    for row in rows:
        counts[row.kind] = counts.get(row.kind, 0) + 1
    return ", ".join(f"{kind}: {count} changed" for kind, count in counts.items())


def _plain(row: Row) -> dict[str, Any]:
    return {
        "kind": row.kind, "environments": row.environments, "path": row.path,
        "old": row.old, "new": row.new,
    }  # fmt: skip


def _markdown(rows: Sequence[Row], now: Mapping[str, Sequence[Row]]) -> str:
    blocks = [_table(rows) if rows else "Nothing but code changes."]
    for environment, found in now.items():
        if found:
            blocks.append(
                f"<details><summary>against what {escaped(environment)} runs now:"
                f" {len(found)} differences</summary>\n\n{_table(found)}\n\n</details>"
            )
        else:
            blocks.append(f"{escaped(environment)} runs these processes and values already.")
    return "\n\n".join(blocks)


def _table(rows: Sequence[Row]) -> str:
    lines = ["| what | where | path | old | new |", "|---|---|---|---|---|"]
    for row in rows[:MOST_ROWS]:
        cells = (row.kind, row.environments, row.path, row.old, row.new)
        lines.append("| " + " | ".join(escaped(cell or "–", 120) for cell in cells) + " |")
    if len(rows) > MOST_ROWS:
        lines.append(f"| … | | {len(rows) - MOST_ROWS} more | | |")
    return "\n".join(lines)
