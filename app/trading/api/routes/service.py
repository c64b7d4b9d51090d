"""Health, version and metrics: for machines, without a token."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse, PlainTextResponse

from trading.api import metrics
from trading.api.health import Health, good, report
from trading.api.state import of

router = APIRouter(tags=["service"])


def _health(request: Request) -> Health:
    health: Health = request.app.state.health
    return health


@router.get("/version")
async def version(request: Request) -> dict[str, Any]:
    """What code this process runs, in which slot, and what it does with traffic."""
    return of(request).version()


@router.get("/health/live")
async def live() -> dict[str, Any]:
    """The process answers; whether its database does is another question."""
    return report({})


@router.get("/health/ready")
async def ready(request: Request) -> Response:
    checks = await _health(request).ready()
    return JSONResponse(report(checks), 200 if good(checks) else 503)


@router.get("/health/startup")
async def startup(request: Request) -> Response:
    checks = await _health(request).startup()
    return JSONResponse(report(checks), 200 if good(checks) else 503)


@router.get("/metrics", response_class=PlainTextResponse)
async def exposition(request: Request) -> str:
    state = of(request)
    return state.metrics.text(
        {
            "process_resident_memory_bytes": metrics.resident_bytes(),
            "process_cpu_seconds_total": metrics.cpu_seconds(),
            "process_start_time_seconds": state.started_at.timestamp(),
            "trading_live_connections": len(state.gate),
            "trading_websocket_clients": len(state.hub),
            "trading_accepts_traffic": float(state.gate.traffic == "live"),
        }
    )
