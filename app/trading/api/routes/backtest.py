"""Backtests: started here, run elsewhere."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from trading.api.answers import ERRORS, body_of, parse, raw_json
from trading.api.backtests import STATUS
from trading.api.state import of
from trading.errors import InvalidInput, NotFound, StrategyUnknown, UnknownSymbol
from trading.strategies import registry

router = APIRouter(prefix="/api/backtest", tags=["backtest"], responses=ERRORS)


class BacktestBody(BaseModel):
    """`strategy`: an instance of values.yaml or a plug-in; what is absent comes from there."""

    model_config = ConfigDict(extra="forbid")

    strategy: Annotated[str, Field(min_length=1, max_length=40)]
    first: Annotated[date | None, Field(alias="from")] = None
    last: Annotated[date | None, Field(alias="to")] = None
    symbols: Annotated[list[str] | None, Field(min_length=1, max_length=100)] = None
    parameters: dict[str, Any] | None = None
    capital: Annotated[Decimal | None, Field(gt=0, le=Decimal("1e12"))] = None


@router.post(
    "",
    status_code=202,
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": BacktestBody.model_json_schema()}},
        }
    },
)
async def start(request: Request) -> Response:
    """Queue a backtest over the packaged data; `status` is where to ask for it."""
    state = of(request)
    asked = parse(BacktestBody, await body_of(request))
    if asked.first and asked.last and asked.first > asked.last:
        raise InvalidInput(f"from is {asked.first}, after to, which is {asked.last}")
    names = [*state.values.strategies, *registry.available()]
    if asked.strategy not in names:
        raise StrategyUnknown(
            f"there is no strategy {asked.strategy!r}; known: {', '.join(names)}",
            strategy=asked.strategy,
        )
    unknown = sorted(set(asked.symbols or ()) - set(state.values.replay.symbols))
    if unknown:
        raise UnknownSymbol(f"there are no bars of {', '.join(unknown)[:100]}", symbols=unknown)
    number = await state.backtests.start(asked.model_dump(mode="json", by_alias=True))
    answer = {"id": number, "state": "QUEUED", "status": f"/api/backtest/{number}"}
    return raw_json(json.dumps(answer), 202)


@router.get("/{number}")
async def status(request: Request, number: UUID) -> Response:
    """State (QUEUED, RUNNING, DONE, FAILED, LOST), progress in days, and the result."""
    text = await of(request).database.fetch(STATUS, {"id": str(number)})
    if text is None:
        raise NotFound(f"there is no backtest {number}; the newest 100 are kept")
    return raw_json(text)
