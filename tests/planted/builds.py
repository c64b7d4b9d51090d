"""The bad builds: what is wrong with each, the step that must catch it, and the words it must say."""

from __future__ import annotations

from dataclasses import dataclass

from tests.planted.edits import Edit, append, both, harmless, migration


@dataclass(frozen=True, slots=True)
class BadBuild:
    """`gate` is the step whose status must be `failed`; `words` must stand in the message.
    `switches`: the bad release becomes active for a while before it is caught."""

    name: str
    edit: Edit
    gate: str
    words: tuple[str, ...]
    switches: bool = False


def around_requests(body: str) -> Edit:
    """Wrap the API's ASGI application, inside what counts requests. In `body`, `live` says whether
    the slot has traffic."""
    indented = "\n".join(f"            {line}" for line in body.strip().splitlines())
    code = f"""
_sound_create_app = create_app


class _Planted:
    def __init__(self, inner, gate):
        self.inner, self.gate, self.count = inner, gate, 0

    def __getattr__(self, name):
        return getattr(self.inner, name)

    async def __call__(self, scope, receive, send):
        import asyncio
        async def say(status, body):
            headers = [(b"content-length", str(len(body)).encode())]
            await send({{"type": "http.response.start", "status": status, "headers": headers}})
            await send({{"type": "http.response.body", "body": body}})
        if scope["type"] == "http":
            live = not self.gate.draining
            self.count += live
{indented}
        await self.inner(scope, receive, send)


def create_app(*arguments, **options):
    front = _sound_create_app(*arguments, **options)
    gate = next(a for a in (*arguments, *options.values()) if hasattr(a, "draining"))
    front._inner = _Planted(front._inner, gate)
    return front
"""
    return append("api/app.py", code)


CRASH = append(
    "api/server.py",
    """
    def main(*arguments, **options):
        raise RuntimeError("planted: the API crashes at start")
    """,
)
NEVER_READY = around_requests(
    'if scope["path"] == "/health/ready":\n'
    '    return await say(503, b\'{"status":"failing","checks":'
    '{"planted":{"ok":false,"message":"planted: never ready"}}}\')'
)
ERRORS = around_requests(
    "if live and self.count % 20 == 0:\n"
    "    return await say(500, b'planted: one request in twenty fails')"
)
SLOW = around_requests("if live:\n    await asyncio.sleep(0.06)")
LEAK = append(
    "api/app.py",
    """
    _sound_create_app = create_app


    def create_app(*arguments, **options):
        import threading
        import time

        def leak():
            kept = []
            for _ in range(120):
                kept.append(b"x" * 3_000_000)
                time.sleep(0.5)
            time.sleep(3600)

        threading.Thread(target=leak, daemon=True).start()
        return _sound_create_app(*arguments, **options)
    """,
)
OLD_CODE = append(
    "artifact.py",
    """
    def _become_old_code():
        import os
        import sys

        own = Path(sys.prefix).parent  # releases/<id>, beside the other releases
        others = [p for p in own.parent.iterdir() if p != own and (p / "venv" / "bin").is_dir()]
        if "trader" in sys.argv and others:
            oldest = min(others, key=lambda path: path.stat().st_mtime)
            python = str(oldest / "venv" / "bin" / "python")
            os.execv(python, [python, "-m", "trading", *sys.argv[1:]])


    _become_old_code()
    """,
)
"""The trader is started from the environment of the first release, under the name of the new one."""
VERIFY_FAILS = append(
    "venues/costs.py",
    """
    _sound_fee = Costs.fee
    Costs.fee = lambda self, quantity, price: 2 * _sound_fee(self, quantity, price)
    """,
)
WRONG_SCHEMA = migration("alter table trading.table_that_is_not_there add column planted int")
BREAKS_OLD = both(
    migration(
        "alter table trading.positions rename column fees to costs",
        "alter table trading.positions rename column costs to fees",
    ),
    append(
        "migrations/needs.py",
        """
        NEEDED.remove("positions.fees")
        """,
    ),
)
"""Its own code would not mind; the release that is active needs the column."""
AGAINST_RECORD = append(
    "backtest/kernel.py",
    """
    _sound_on_day = StrategyEngine.on_day


    def _planted_on_day(self, bars):
        import sys
        from dataclasses import replace

        signals = _sound_on_day(self, bars)
        if "trader" not in sys.argv:
            return signals
        return [replace(signal, target_quantity=-signal.target_quantity) for signal in signals]


    StrategyEngine.on_day = _planted_on_day
    """,
)

BUILDS: tuple[BadBuild, ...] = (
    BadBuild("crash at start", CRASH, "verify", ("not ready",)),
    BadBuild("never ready", NEVER_READY, "verify", ("not ready", "never ready")),
    BadBuild("wrong schema", WRONG_SCHEMA, "migrate", ("table_that_is_not_there",)),
    BadBuild("takes a column away", BREAKS_OLD, "migrate", ("positions.fees", "slipway restore")),
    BadBuild("verify fails", VERIFY_FAILS, "verify", ("engine",)),
    BadBuild("5 % errors after the switch", ERRORS, "analyse", ("answers failed",), switches=True),
    BadBuild("p95 times 3", SLOW, "analyse", ("p95",), switches=True),
    BadBuild("leaks memory", LEAK, "analyse", ("grows by",), switches=True),
    BadBuild("one process on old code", OLD_CODE, "verify", ("trader", "runs release")),
    BadBuild(
        "trades against its record",
        AGAINST_RECORD,
        "analyse",
        ("live against its backtest",),
        switches=True,
    ),
)

CLOSES_INSTEAD_OF_DRAINING = append(
    "api/gate.py",
    """
    def _close_all(self):
        self.draining = True
        for connection in tuple(self._connections):
            transport = getattr(connection, "transport", None)
            if transport is not None:
                transport.abort()


    Gate.close = _close_all
    """,
)
"""For the counter-proof of the bench: a slot that leaves hard must be noticed by the generator."""

GOOD = harmless
