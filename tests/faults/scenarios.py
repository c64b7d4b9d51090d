"""Which command makes the engine pass a given effect, and running it with the failpoint armed."""

from __future__ import annotations

import subprocess
import time

from pipelines.model.steps import effects
from tests.harness.installation import Installation
from tests.harness.releases import forget, other_release, two_releases
from tests.planted.builds import BREAKS_OLD, VERIFY_FAILS
from tests.planted.edits import Edit, both, harmless, migration

POINTS = [f"{effect}:{moment}" for effect in effects() for moment in ("before", "after")]
"""Before and after every durable effect of the step table."""
# effect, or the step of one -> scenario
SCENARIOS = {
    "migrate.undo": "breaking",
    "backup": "migrating",
    "migrate": "migrating",
    "stage": "promotion",
    "verify": "promotion",
    "switch": "promotion",
    "analyse": "promotion",
    "confirm": "promotion",
    "return": "rollback",
    "publish": "rollback",
    "restage": "failing",
}
WAIT_SECONDS = 60.0


class Scenarios:
    """Runs one command per failpoint in one environment and waits until all agree again."""

    def __init__(
        self, installation: Installation, environment: str, wait_seconds: float = WAIT_SECONDS
    ) -> None:
        self.installation, self.environment = installation, environment
        self._wait_seconds = wait_seconds
        self.agreement = installation.agreement(environment)
        self._count = 0
        self._migrated = False
        self._promote_both()

    def _promote_both(self) -> None:
        self._lift_holds()
        for release in two_releases(self.installation):
            answer = self.installation.promote(self.environment, release)
            assert answer.code == 0, str(answer)

    @staticmethod
    def kind_of(effect: str) -> str | None:
        return SCENARIOS.get(effect) or SCENARIOS.get(effect.split(".")[0])

    def run(self, point: str) -> float:
        """Seconds from the kill until one active slot is named alike by row, branch and live."""
        kind = self.kind_of(point.split(":")[0])
        assert kind is not None, f"no scenario reaches {point}"
        if self._migrated and kind != "migrating":
            forget(self.installation)
            self._promote_both()
            self._migrated = False
        command = {
            "migrating": self._migrating,
            "promotion": self._promotion,
            "rollback": self._rollback,
            "failing": self._failing,
            "breaking": self._breaking,
        }[kind]()
        if command[0] == "promote" and point.endswith(":after"):
            command.append("--no-wait")  # nobody follows: the next controller must go on alone
        self.installation.arm(point, self.environment)
        asked = self.installation.start(*command)
        try:
            killed = self._wait_for_kill(asked, point)
            self.agreement.wait(self._wait_seconds)
            self._wait_until_idle(killed)
            return time.monotonic() - killed
        finally:
            self._end(asked)
            (self.installation.state / "failpoint").unlink(missing_ok=True)
            self._lift_holds()

    # --- commands ------------------------------------------------------------------------------
    def _promotion(self) -> list[str]:
        release = other_release(self.installation, self.environment)
        return ["promote", self.environment, release, "--reason", "failpoint"]

    def _rollback(self) -> list[str]:
        self._lift_holds()
        release = other_release(self.installation, self.environment)
        answer = self.installation.promote(self.environment, release)
        assert answer.code == 0, str(answer)
        return ["rollback", self.environment, "--reason", "failpoint"]

    def _migrating(self) -> list[str]:
        """A release with one more revision than the database, and all the earlier ones."""
        self._count += 1
        column = f"planted_{self._count}"
        edit = both(
            migration(
                f"alter table trading.instruments add column {column} int",
                f"alter table trading.instruments drop column {column}",
            ),
            harmless(f"migrating {self._count}"),
        )
        release = self.installation.release(edit, f"Add {column}")
        self._migrated = True
        return ["promote", self.environment, release, "--reason", "failpoint"]

    def _failing(self) -> list[str]:
        return self._bad(VERIFY_FAILS, "Fail verify")

    def _breaking(self) -> list[str]:
        return self._bad(BREAKS_OLD, "Take a column away")

    def _bad(self, bad: Edit, subject: str) -> list[str]:
        self._count += 1
        edit = both(bad, harmless(f"bad {self._count}"))
        with self.installation.put_back():
            release = self.installation.release(edit, f"{subject} {self._count}")
        return ["promote", self.environment, release, "--reason", "failpoint"]

    # --- waiting -------------------------------------------------------------------------------
    def _wait_for_kill(self, asked: subprocess.Popen[str], point: str) -> float:
        deadline = time.monotonic() + self._wait_seconds
        while self.installation.armed():
            if time.monotonic() > deadline:
                self._end(asked)
                raise AssertionError(
                    f"nothing reached {point}: {asked.stdout and asked.stdout.read()}"
                )
            time.sleep(0.05)
        return time.monotonic()

    def _wait_until_idle(self, since: float) -> None:
        """Until no operation is under way, so that the next test starts from rest."""
        while time.monotonic() - since < self._wait_seconds:
            operations = self.installation.ok("history", self.environment, "--limit", "1")
            if all(o["result"] != "running" for o in operations["operations"]):
                return
            time.sleep(0.3)
        raise AssertionError(f"an operation is still running: {operations['operations'][0]}")

    def _end(self, asked: subprocess.Popen[str]) -> None:
        try:
            asked.wait(20)
        except subprocess.TimeoutExpired:
            asked.kill()
            asked.wait()

    def _lift_holds(self) -> None:
        for hold in self.agreement.branch()["holds"]:
            self.installation.run(
                "unhold", self.environment, hold["release"], "--reason", "next failpoint"
            )
