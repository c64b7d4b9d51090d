"""Which state may follow which. The journal refuses every other step.

    NEW ──► SENT ──► ACKED ──► PARTIALLY_FILLED ──► FILLED
     │       │ ▲       └────────────┴──► CANCELED
     │       ▼ │
     │     UNKNOWN ──► (whatever the venue says)
     └──► CANCELED, REJECTED            (never left the house)

UNKNOWN: it was sent and nobody knows whether it arrived. Only the venue's own word leads out of
it; silence never does. Where the venue says that it does not know the order, it is sent again
under the same id: back to SENT. If it was cancelled meanwhile, it is CANCELED instead, as soon as
the venue refuses the token that sent it, so that no late request can bring it there after all.
"""

from __future__ import annotations

from trading.orders.model import State

_AT_VENUE = frozenset(
    {State.ACKED, State.PARTIALLY_FILLED, State.FILLED, State.CANCELED, State.REJECTED}
)

FOLLOWERS: dict[State, frozenset[State]] = {
    State.NEW: frozenset({State.SENT, State.CANCELED, State.REJECTED}),
    State.SENT: _AT_VENUE | {State.UNKNOWN},
    State.UNKNOWN: _AT_VENUE | {State.SENT},
    State.ACKED: frozenset({State.PARTIALLY_FILLED, State.FILLED, State.CANCELED, State.REJECTED}),
    State.PARTIALLY_FILLED: frozenset({State.PARTIALLY_FILLED, State.FILLED, State.CANCELED}),
    State.FILLED: frozenset(),
    State.CANCELED: frozenset(),
    State.REJECTED: frozenset(),
}


def may_follow(before: State, after: State) -> bool:
    return after in FOLLOWERS[before]


def predecessors(after: State) -> list[str]:
    """States from which `after` may be entered, for `where state = any(...)`."""
    return [before.value for before, followers in FOLLOWERS.items() if after in followers]
