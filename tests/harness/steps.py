"""Waiting until an operation has come so far, as `slipway history` tells it."""

from __future__ import annotations

import time

from tests.harness.installation import Installation


def wait_for_step(installation: Installation, environment: str, step: str) -> None:
    """Until the running operation has begun `step`; AssertionError after a minute."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        operation = installation.ok("history", environment, "--limit", "1")["operations"][0]
        states = {s["name"]: s["status"] for s in operation["steps"]}
        if operation["result"] == "running" and states.get(step, "pending") != "pending":
            return
        time.sleep(0.02)
    raise AssertionError(f"no operation reached {step}")
