"""An advisory snapshot of today for an installation: tests must not turn red with the calendar."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from tests.support.security_change import snapshot


def install(state: Path) -> None:
    """Nothing is known against any package; what a real snapshot says is tested elsewhere."""
    folder = state / "advisories"
    folder.mkdir(exist_ok=True)
    snapshot(folder / "today.tgz", [], modified=datetime.now(UTC).date().isoformat())
