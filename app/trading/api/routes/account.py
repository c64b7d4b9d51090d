"""The account: positions and equity, and the market it trades on."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from trading.api import queries
from trading.api.answers import ERRORS, raw_json
from trading.api.state import of
from trading.errors import UnknownSymbol

router = APIRouter(prefix="/api", tags=["account"], responses=ERRORS)


@router.get("/positions")
async def positions(request: Request, closed: bool = False) -> Response:
    """Shares of each strategy in each symbol; `closed` adds those that are zero now."""
    text = await of(request).database.fetch(queries.POSITIONS, {"all": closed})
    return raw_json(text)


@router.get("/equity")
async def equity(request: Request, limit: Annotated[int, Query(ge=1, le=5000)] = 500) -> Response:
    """The account after each of the newest trading days, oldest first."""
    return raw_json(await of(request).database.fetch(queries.EQUITY, {"limit": limit}))


@router.get("/market/{symbol}")
async def market(
    request: Request, symbol: str, limit: Annotated[int, Query(ge=1, le=2000)] = 250
) -> Response:
    """The newest daily bars of a symbol, oldest first, and the fills on them."""
    state = of(request)
    known = state.values.replay.symbols
    values = {"symbol": symbol, "limit": limit}
    text = await state.database.fetch(queries.MARKET, values) if symbol in known else None
    if text is None:
        raise UnknownSymbol(
            f"there are no bars of {symbol[:20]!r}; known symbols: {', '.join(known)}",
            symbol=symbol[:20],
        )
    return raw_json(text)
