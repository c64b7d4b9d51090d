"""The examination as JSON: `document` is the same for the same inputs, `observed` is not."""

from __future__ import annotations

import platform
from dataclasses import asdict
from typing import Any

from trading.examination.examine import Examination, Side
from trading.market_data.sample import SHA256

FORMAT = 1


def as_json(found: Examination) -> dict[str, Any]:
    """`{"ok", "document", "observed"}`."""
    return {
        "ok": found.ok,
        "document": document(found),
        "observed": {**found.observed, "python": platform.python_version()},
    }


def document(found: Examination) -> dict[str, Any]:
    request = found.request
    run = found.head.run
    return {
        "format": FORMAT,
        "ok": found.ok,
        "strategy": {
            **request.wanted.as_dict(),
            "parameters_in_full": run.parameters if run else None,
            "lookback": run.lookback if run else None,
        },
        "checks": [check.as_dict() for check in found.checks],
        "coverage": asdict(found.coverage) if found.coverage else None,
        "metrics": metrics(found.head),
        "signals": _signals(found.head),
        "base": base(found),
        "data": {
            "sha256": SHA256,
            "first": str(found.days[0][0].timestamp.date()),
            "last": str(found.days[-1][0].timestamp.date()),
            "days": len(found.days),
            "bars": sum(map(len, found.days)),
        },
        "costs": {key: str(value) for key, value in asdict(request.costs).items()},
        "limits": request.limits.model_dump(mode="json"),
        "seed": request.seed,
    }


def metrics(side: Side) -> dict[str, float | int | None] | None:
    return side.figures.values if side.figures else None


def base(found: Examination) -> dict[str, Any] | None:
    """The base's figures and how many bars decide differently; None where there is no base."""
    if found.base is None:
        return None
    return {
        "problem": found.base.problem,
        "metrics": metrics(found.base),
        "signals": _signals(found.base),
        "days_that_differ": differing_days(found),
    }


def differing_days(found: Examination) -> list[str] | None:
    """The days on which head and base answer differently; None where one of them has no run."""
    if found.head.run is None or found.base is None or found.base.run is None:
        return None
    pairs = zip(found.head.run.answers, found.base.run.answers, strict=True)
    return [
        str(found.days[index][0].timestamp.date()) for index, (a, b) in enumerate(pairs) if a != b
    ]


def _signals(side: Side) -> dict[str, Any] | None:
    if side.run is None:
        return None
    return {"days": len(side.run.signal_days), "sha256": side.run.sha256}
