"""kill -9 of a random process of an environment, again and again, while orders flow."""

from __future__ import annotations

import random
import subprocess
import time
from collections import Counter
from dataclasses import dataclass, field

from tests.harness.agreement import Agreement
from tests.harness.database import query
from tests.harness.installation import Installation
from tests.harness.processes import ROLES, Running
from tests.harness.releases import other_release
from tests.load.accounts import Account, settle, two_holders
from tests.load.orders import Orders

ENVIRONMENT = "dev"
CONVERGES_SECONDS = 60.0


@dataclass
class Outcome:
    """What a series of kills left behind. `slowest_seconds` of coming together again."""

    kills: Counter[str] = field(default_factory=Counter)
    convergence_seconds: list[float] = field(default_factory=list)
    whole_seconds: list[float] = field(default_factory=list)
    rates: list[float] = field(default_factory=list)
    resting: list[int] = field(default_factory=list)
    account: Account | None = None
    audit_whole: bool = False
    two_holders: list[str] = field(default_factory=list)

    @property
    def slowest_seconds(self) -> float:
        return max(self.convergence_seconds, default=0.0)


def resting_orders(installation: Installation) -> int:
    """Limit orders that the database knows to be open."""
    rows = query(
        installation.database_uri(ENVIRONMENT),
        "select count(*) as n from trading.orders where type = 'limit'"
        " and state in ('SENT', 'ACKED', 'PARTIALLY_FILLED')",
    )
    return int(rows[0]["n"])


def run(installation: Installation, kills: int, *, seed: int = 1, releases: bool = True) -> Outcome:
    """Kill so many times; every third time while a promotion is under way.

    Every role gets its turn (PostgreSQL and the supervisor too) before one gets a second.
    """
    chance, outcome = random.Random(seed), Outcome()
    agreement = installation.agreement(ENVIRONMENT)
    orders = Orders(installation.port(ENVIRONMENT), installation.token)
    orders.start()
    try:
        wishes: list[str] = []
        for number in range(kills):
            orders.wait_for_rate(20.0, CONVERGES_SECONDS)
            wishes = wishes or chance.sample(ROLES, len(ROLES))
            asked = None
            if releases and number % 3 == 2:
                release = other_release(installation, ENVIRONMENT)
                asked = installation.start("promote", ENVIRONMENT, release, "--reason", "kills")
                time.sleep(chance.uniform(0.0, 6.0))
            outcome.rates.append(orders.per_second(2.0))
            outcome.resting.append(resting_orders(installation))
            victim = _victim(installation, wishes.pop(), chance)
            victim.kill()
            outcome.kills[victim.role] += 1
            time.sleep(0.3)
            if asked is not None:
                asked.wait(CONVERGES_SECONDS * 2)
            outcome.convergence_seconds.append(_converged(agreement, number, victim, asked))
            outcome.whole_seconds.append(_whole_again(installation))
            _lift_holds(installation)
        orders.wait_for_rate(20.0, CONVERGES_SECONDS)
    finally:
        orders.stop()
    outcome.account = settle(
        orders.acknowledged,
        installation.port(ENVIRONMENT, 3),
        installation.token,
        installation.database_uri(ENVIRONMENT),
    )
    outcome.audit_whole = installation.run("audit", "verify", ENVIRONMENT).code == 0
    outcome.two_holders = two_holders(installation.database_uri(ENVIRONMENT))
    return outcome


def _converged(
    agreement: Agreement, number: int, victim: Running, asked: subprocess.Popen[str] | None
) -> float:
    """Seconds until all agree again; the error says what was killed, and during what."""
    try:
        return agreement.wait(CONVERGES_SECONDS)
    except AssertionError as problem:
        meanwhile = f"during a promotion ({asked.communicate()})" if asked else "at rest"
        raise AssertionError(f"kill {number}: {victim}, {meanwhile}: {problem}") from problem


def _whole_again(installation: Installation) -> float:
    """Seconds more until every kind of process runs: supervisor and controller watch each other, so
    a second kill before that would leave nobody to bring them back but `slipway up`."""
    begun = time.monotonic()
    while True:
        missing = set(ROLES) - {p.role for p in installation.processes(ENVIRONMENT)}
        if not missing:
            return time.monotonic() - begun
        if time.monotonic() - begun > CONVERGES_SECONDS:
            raise AssertionError(f"not running again: {sorted(missing)}")
        time.sleep(0.2)


def _victim(installation: Installation, role: str, chance: random.Random) -> Running:
    """A living process of that role (of the active slot more often than not)."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        found = [p for p in installation.processes(ENVIRONMENT) if p.role == role]
        if found:
            return chance.choice(found)
        time.sleep(0.2)
    raise AssertionError(f"no process of role {role} runs in {ENVIRONMENT}")


def _lift_holds(installation: Installation) -> None:
    for hold in installation.agreement(ENVIRONMENT).branch()["holds"]:
        installation.run("unhold", ENVIRONMENT, hold["release"], "--reason", "next kill")
