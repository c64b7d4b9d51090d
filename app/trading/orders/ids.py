"""Order ids are functions of the logical event: written twice, they are the same order.

No epoch, no release and no clock in them: after a restart, a hand-over or a rollback the same
event gives the same id, and the venue refuses the double.
"""

from __future__ import annotations

import hashlib
from datetime import datetime
from decimal import Decimal


def client_order_id(strategy: str, symbol: str, bar_timestamp: datetime, target: Decimal) -> str:
    """`<strategy>-<symbol>-<day>-<8 hex digits of the whole content>`.

    The same before and after the target was stored: PostgreSQL keeps no sign of a zero.
    """
    unsigned_zero = target.normalize() + 0  # -0 is what rounding a small short target gives
    content = f"{strategy}|{symbol}|{bar_timestamp.isoformat()}|{unsigned_zero:f}"
    digest = hashlib.sha256(content.encode()).hexdigest()[:8]
    return f"{strategy}-{symbol}-{bar_timestamp:%Y%m%d}-{digest}"
