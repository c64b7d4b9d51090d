"""The trader's own HTTP endpoint: health, version, metrics. Nothing here changes anything."""

from __future__ import annotations

import json
import os
import resource
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from trading import __version__
from trading.control.trader import Facts
from trading.lean_http import Request, Response
from trading.settings import Settings

_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


class Endpoint:
    def __init__(self, settings: Settings, artifact: str, facts: Callable[[], Facts]) -> None:
        self._settings = settings
        self._artifact = artifact
        self._facts = facts
        self._started_at = datetime.now(UTC).isoformat()
        self._requests: dict[tuple[str, int], int] = {}
        self.traffic = "idle"

    async def handle(self, request: Request) -> Response:
        response = self._answer(request)
        key = (request.method, response.status)
        self._requests[key] = self._requests.get(key, 0) + 1
        return response

    def _answer(self, request: Request) -> Response:
        if request.method not in ("GET", "HEAD"):
            return _json({"error": "METHOD_NOT_ALLOWED"}, 405)
        if request.path == "/version":
            return _json(self._version())
        if request.path == "/metrics":
            return Response(body=self._metrics().encode(), content_type="text/plain; version=0.0.4")
        if request.path == "/health/live":
            return _json({"status": "ok", "checks": {}})
        if request.path in ("/health/ready", "/health/startup"):
            checks = self._checks(request.path)
            ok = all(check["ok"] for check in checks.values())
            status = "ok" if ok else "failing"
            return _json({"status": status, "checks": checks}, 200 if ok else 503)
        return _json({"error": "NOT_FOUND"}, 404)

    def _checks(self, path: str) -> dict[str, dict[str, Any]]:
        facts = self._facts()
        checks: dict[str, dict[str, Any]] = {
            "database": {"ok": facts.database_ok, "message": facts.database_message},
            "strategies": {"ok": facts.warm, "message": "" if facts.warm else "not warmed up yet"},
        }
        if path == "/health/ready":
            checks["venue"] = {"ok": facts.venue_ok, "message": facts.venue_message}
        return checks

    def _version(self) -> dict[str, Any]:
        return {
            "application": "trading",
            "version": __version__,
            "release": self._settings.release,
            "artifact": self._artifact,
            "slot": self._settings.slot,
            "role": "trader",
            "environment": self._settings.environment,
            "pid": os.getpid(),
            "started_at": self._started_at,
            "traffic": self.traffic,
            "schema": self._facts().schema,
        }

    def _metrics(self) -> str:
        facts = self._facts()
        gauges = {
            "trading_lease_held": int(facts.holding),
            "trading_takeover_seconds": f"{facts.takeover_seconds:.6f}",
            "process_resident_memory_bytes": _resident_bytes(),
            "process_cpu_seconds_total": f"{_cpu_seconds():.3f}",
        }
        counters = {
            "trading_orders_sent_total": facts.orders_sent,
            "trading_days_total": facts.days,
            "trading_takeovers_total": facts.takeovers,
            "trading_unknown_outcomes_total": facts.unknown_resolved,
        }
        lines = [f"# TYPE {name} gauge\n{name} {value}" for name, value in gauges.items()]
        lines += [f"# TYPE {name} counter\n{name} {value}" for name, value in counters.items()]
        lines.append("# TYPE http_requests_total counter")
        lines += [
            f'http_requests_total{{method="{method}",status="{status}"}} {count}'
            for (method, status), count in sorted(self._requests.items())
        ]
        return "\n".join(lines) + "\n"


def _resident_bytes() -> int:
    with open("/proc/self/statm", encoding="ascii") as file:  # noqa: PTH123 (no path to join)
        return int(file.read().split()[1]) * _PAGE_BYTES


def _cpu_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def _json(document: object, status: int = 200) -> Response:
    return Response(status=status, body=json.dumps(document).encode())
