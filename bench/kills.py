"""50 random kills of any process, PostgreSQL and the supervisor included, while orders flow."""

from __future__ import annotations

from bench.context import Bench
from bench.table import Row, spread
from tests.faults import kills


def run(bench: Bench) -> list[Row]:
    bench.prepare()
    wanted = bench.times(50, 6)
    found = kills.run(bench.installation, wanted)
    account = found.account
    assert account is not None
    killed = ", ".join(f"{role} {count}" for role, count in sorted(found.kills.items()))
    return [
        Row(
            f"{wanted} random kills ({killed}): one active slot, named alike",
            "≤ 60 s, all",
            spread(found.convergence_seconds),
            found.slowest_seconds <= 60,
            {"seconds": found.convergence_seconds},
        ),
        Row(
            "order flow at every kill",
            "≥ 20 a second, ≥ 5 resting",
            f"at least {min(found.rates):.0f} a second, {min(found.resting)} resting",
            min(found.rates) >= 20 and min(found.resting) >= 5,
        ),
        Row(
            "orders: lost, doubled, ledger against venue; audit; two holders",
            "0, 0, equal; whole; never",
            f"{account.acknowledged:,} acknowledged: {len(account.lost)} lost, "
            f"{len(account.doubled)} doubled, {len(account.different)} different; "
            f"audit {'whole' if found.audit_whole else 'broken'}; {len(found.two_holders)}",
            account.right and found.audit_whole and not found.two_holders,
            {"lost": account.lost[:20], "different": account.different},
        ),
    ]
