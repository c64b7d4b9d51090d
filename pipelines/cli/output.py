"""Printing: tables and JSON. Colours go away when standard output is no terminal."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import click

COLOURS = {
    "Healthy": "green", "Synced": "green", "succeeded": "green", "done": "green", "ok": "green",
    "Degraded": "red", "Missing": "red", "failed": "red", "OutOfSync": "yellow",
    "Progressing": "yellow", "Unknown": "yellow", "running": "yellow", "undone": "yellow",
}  # fmt: skip


def print_json(data: object) -> None:
    click.echo(json.dumps(data, indent=2, ensure_ascii=False, default=str))


def paint(text: str) -> str:
    colour = COLOURS.get(text.split(" ")[0])
    return click.style(text, fg=colour) if colour else text


def print_table(rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> None:
    """Aligned columns, upper-case headings; an empty value is a dash."""
    cells = [[str(row.get(column) or "-") for column in columns] for row in rows]
    widths = [
        max(len(text) for text in (column, *(row[index] for row in cells)))
        for index, column in enumerate(columns)
    ]
    heading = "  ".join(column.upper().replace("_", " ").ljust(width)
                        for column, width in zip(columns, widths, strict=True))  # fmt: skip
    click.echo(click.style(heading.rstrip(), bold=True))
    for row in cells:
        padded = (
            paint(text) + " " * (width - len(text)) for text, width in zip(row, widths, strict=True)
        )
        click.echo("  ".join(padded).rstrip())


def seconds(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f} s"
