"""Printing a command's result: JSON for machines, text for people."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence

from trading.control.checks import Check, report, text


def emit(args: argparse.Namespace, document: object, human: str) -> None:
    """One JSON document on stdout with `--output json`, else `human`."""
    as_json = args.output == "json"
    print(json.dumps(document, ensure_ascii=False, default=str) if as_json else human)


def emit_checks(args: argparse.Namespace, checks: Sequence[Check]) -> int:
    """Print a report of checks; return the exit code that goes with it."""
    document = report(checks)
    emit(args, document, text(checks))
    return 0 if document["ok"] else 1
