"""Files in charts/ that are generated: `python -m tests.support.chart_files` writes them.

The hooks' step table comes from the engine's, the schema of every chart from the one that all
share, and each README from the comments of its values.yaml.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml

from pipelines.model.steps import STEPS

CHARTS = Path(__file__).parents[2] / "charts"
NAMES = ("trading", "edge", "database", "venue", "controller")
SCHEMA = "values.schema.json"
# The switch, its analysis and its confirmation are one hook: its undo must not be left to another.
TOGETHER = {"switch": ("switch", "analyse", "confirm")}
WITHOUT_HOOK = ("stage", "analyse", "confirm")
READS_PODS = ("verify", "switch")
WRITES_SERVICES = ("switch",)
# What a container of the application's own image does before the engine's: files/application.py.
ASKS_APPLICATION = {"guard": "status", "backup": "status", "migrate": "migrate"}


def steps() -> dict[str, dict[str, Any]]:
    """Of every step that is a hook: what the chart's templates need to know of the step table."""
    limits = {step.name: step.limit_seconds for step in STEPS}
    return {
        step.name: {
            "hook": str(step.phase),
            "wave": step.wave,
            "limitSeconds": int(
                sum(limits[part] for part in TOGETHER.get(step.name, (step.name,)))
            ),
            "once": bool(step.once),
            "soaks": "analyse" in TOGETHER.get(step.name, ()),
            "reads": step.name in READS_PODS,
            "writes": step.name in WRITES_SERVICES,
            "asks": ASKS_APPLICATION.get(step.name, ""),
        }
        for step in STEPS
        if step.name not in WITHOUT_HOOK
    }


def files() -> dict[Path, str]:
    """Path → text of everything that is generated."""
    head = "# Written by scripts/charts from the engine's step table. Do not edit.\n"
    table = head + yaml.safe_dump(steps(), sort_keys=False)
    schema = (CHARTS / SCHEMA).read_text()
    return {
        CHARTS / "trading" / "files" / "steps.yaml": table,
        **{CHARTS / name / SCHEMA: schema for name in NAMES},
        **{CHARTS / name / "README.md": readme(name) for name in NAMES},
    }


def readme(name: str) -> str:
    """What the chart is, and a table of its values."""
    chart = yaml.safe_load((CHARTS / name / "Chart.yaml").read_text())
    text = (CHARTS / name / "values.yaml").read_text()
    rows = [f"| `{key}` | {default} | {words} |" for key, default, words in documented(text)]
    return "\n".join(
        [
            f"# {name}",
            "",
            f"{chart['description']}.",
            "",
            "| value | default | meaning |",
            "|---|---|---|",
            *rows,
            "",
            "Written by `scripts/charts` from `values.yaml`; `docs/charts.md` tells the whole.",
            "",
        ]
    )


def documented(text: str) -> list[tuple[str, str, str]]:
    """(dotted key, default as JSON in a code span, comment) in the order of the file. Every key has
    a comment right above it; a key that has none is a ValueError naming it."""
    rows: list[tuple[str, str, str]] = []
    above: list[tuple[int, str]] = []
    comment: list[str] = []
    for line in text.splitlines():
        stripped = line.strip()
        indent = len(line) - len(line.lstrip())
        if not stripped:
            comment = []
        elif stripped.startswith("#"):
            comment.append(stripped[1:].strip())
        elif ":" in stripped and not stripped.startswith("- "):
            key, _, value = stripped.partition(":")
            above = [parent for parent in above if parent[0] < indent]
            dotted = ".".join([*(name for _, name in above), key])
            if comment:
                rows.append((dotted, _shown(value.strip()), " ".join(comment)))
            elif not any(dotted.startswith(f"{row[0]}.") for row in rows[-1:]):
                raise ValueError(f"{dotted} has no comment")
            above.append((indent, key))
            comment = []
    return rows


def _shown(value: str) -> str:
    if not value:
        return ""
    return f"`{json.dumps(yaml.safe_load(value), ensure_ascii=False)}`".replace("|", "\\|")


def main() -> None:
    for path, text in files().items():
        if not path.exists() or path.read_text() != text:
            path.write_text(text)
            print(f"wrote {path.relative_to(CHARTS.parent)}")


if __name__ == "__main__":
    main()
