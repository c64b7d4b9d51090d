"""Do branch, row and live name the same slot and release? Looked at from outside the engine."""

from __future__ import annotations

import http.client
import json
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import yaml
from psycopg.rows import dict_row


@dataclass(frozen=True, slots=True)
class Facts:
    """What each of the three says; `troubles` in words, empty when they agree."""

    slot: str
    release: str
    troubles: tuple[str, ...]


def get_json(port: int, path: str, token: str = "", timeout: float = 3.0) -> Any:
    """GET on loopback over a new connection; the JSON body. Raises OSError or ValueError."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
    try:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        connection.request("GET", path, headers=headers)
        return json.loads(connection.getresponse().read())
    except http.client.HTTPException as problem:
        raise OSError(f"port {port}: {type(problem).__name__}: {problem}") from problem
    finally:
        connection.close()


@dataclass(frozen=True)
class Agreement:
    """One environment, seen from outside."""

    environment: str
    origin: Path
    live_port: int
    slot_ports: Mapping[str, int]
    database_uri: str

    def branch(self) -> dict[str, Any]:
        """`release.yaml` at the head of env/<env>."""
        done = subprocess.run(
            ["git", "--git-dir", str(self.origin), "show", f"env/{self.environment}:release.yaml"],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise OSError(done.stderr.strip())
        return dict(yaml.safe_load(done.stdout))

    def row(self) -> dict[str, Any]:
        """slipway.active; raises psycopg.Error."""
        with psycopg.connect(
            self.database_uri, connect_timeout=3, row_factory=dict_row
        ) as database:
            found = database.execute("select * from slipway.active").fetchone()
        if found is None:
            raise LookupError("no active row")
        return dict(found)

    def version(self, port: int | None = None, timeout: float = 3.0) -> dict[str, Any]:
        return dict(get_json(port or self.live_port, "/version", timeout=timeout))

    def look(self) -> Facts:
        """One look at all three; anything that does not answer is a trouble."""
        try:
            branch, row = self.branch(), self.row()
            live = [self.version() for _ in range(3)]
        except (OSError, ValueError, LookupError, psycopg.Error) as problem:
            return Facts("", "", (f"{type(problem).__name__}: {str(problem).strip()}",))
        return Facts(
            str(row["slot"]), str(row["release"]), tuple(self._troubles(branch, row, live))
        )

    def _troubles(
        self, branch: dict[str, Any], row: dict[str, Any], live: list[dict[str, Any]]
    ) -> list[str]:
        slot = branch["active"]
        content = branch["slots"][slot] or {}
        said = []
        if (row["slot"], row["release"]) != (slot, content.get("release")):
            said.append(
                f"row {row['slot']} {row['release']}, branch {slot} {content.get('release')}"
            )
        if row["state"] != "confirmed" or not row["published"]:
            said.append(f"row is {row['state']}, published: {row['published']}")
        for answer in live:
            if (answer["slot"], answer["release"]) != (row["slot"], row["release"]):
                said.append(f"live answers {answer['slot']} {answer['release']}, row {row['slot']}")
            if answer["traffic"] != "live":
                said.append(f"live answer says traffic {answer['traffic']}")
        said.extend(self._other_slot(str(row["slot"])))
        return said

    def _other_slot(self, active: str) -> list[str]:
        other = "green" if active == "blue" else "blue"
        try:
            answer = self.version(self.slot_ports[other], timeout=0.5)  # an empty slot is silent
        except (OSError, ValueError):
            return []
        return [f"{other} accepts live traffic too"] if answer["traffic"] == "live" else []

    def wait(self, seconds: float, *, release: str | None = None) -> float:
        """Seconds until all three agree (on `release`, if named) twice in a row; AssertionError after."""
        begun = time.monotonic()
        good, facts = 0, Facts("", "", ("never looked",))
        while time.monotonic() - begun < seconds:
            facts = self.look()
            fine = not facts.troubles and release in (None, facts.release)
            good = good + 1 if fine else 0
            if good == 2:
                return time.monotonic() - begun
            time.sleep(0.25)
        raise AssertionError(
            f"{self.environment}: no agreement after {seconds:.0f} s"
            f" (wanted {release or 'any release'}): {facts}"
        )
