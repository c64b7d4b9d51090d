"""What runs and within which limits: strategies, risk, the kill switch, slots and releases."""

from __future__ import annotations

import asyncio
import json
from dataclasses import asdict
from functools import cache
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from trading.api import queries
from trading.api.answers import ERRORS, body_of, parse, raw_json
from trading.api.state import State, of
from trading.control.database import connect
from trading.risk import killswitch
from trading.strategies import registry

router = APIRouter(prefix="/api", tags=["control"], responses=ERRORS)


class Reason(BaseModel):
    """Why, in a few words; it is kept with the change."""

    model_config = ConfigDict(extra="forbid")

    reason: Annotated[str, Field(min_length=1, max_length=500)]
    actor: Annotated[str, Field(max_length=100)] = ""


@cache
def _plugins() -> list[str]:
    """Looked for once: it reads the metadata of every installed distribution."""
    return registry.available()


async def strategies_of(state: State) -> list[dict[str, Any]]:
    """Each strategy of values.yaml with its parameters, and what it holds and earned."""
    names = list(state.values.strategies)
    facts = await state.database.fetch(queries.STRATEGIES, {"names": names})
    return [
        {"name": name, **settings.model_dump(mode="json"), **facts.get(name, {})}
        for name, settings in state.values.strategies.items()
    ]


async def risk_of(state: State) -> dict[str, Any]:
    """The limits of values.yaml, and where the account stands."""
    facts: dict[str, Any] = await state.database.fetch(queries.RISK)
    return {"limits": state.values.risk.model_dump(mode="json"), **facts}


@router.get("/strategies")
async def strategies(request: Request) -> Response:
    """The strategies that trade here, and the plug-ins a backtest may name."""
    found = await strategies_of(of(request))
    return raw_json(json.dumps({"strategies": found, "plugins": _plugins()}))


@router.get("/risk")
async def risk(request: Request) -> Response:
    """Limits, today's loss and the kill switch."""
    return raw_json(json.dumps(await risk_of(of(request))))


_REASON = {
    "requestBody": {
        "required": True,
        "content": {"application/json": {"schema": Reason.model_json_schema()}},
    }
}


@router.post("/risk/kill", openapi_extra=_REASON)
async def kill(request: Request) -> Response:
    """Stop all sending now and cancel working orders. Latched until somebody re-arms."""
    return await _change(request, killed=True)


@router.post("/risk/rearm", openapi_extra=_REASON)
async def rearm(request: Request) -> Response:
    """Allow sending again."""
    return await _change(request, killed=False)


@router.get("/slots")
async def slots(request: Request, limit: Annotated[int, Query(ge=1, le=200)] = 20) -> Response:
    """The row of the active slot, the trading lease, and the newest switches."""
    return raw_json(await of(request).database.fetch(queries.SLOTS, {"limit": limit}))


async def _change(request: Request, *, killed: bool) -> Response:
    asked = parse(Reason, await body_of(request))
    switch = await asyncio.to_thread(change_switch, of(request), killed, asked.reason, asked.actor)
    return raw_json(json.dumps(asdict(switch), default=str))


def change_switch(state: State, killed: bool, reason: str, actor: str) -> killswitch.KillSwitch:
    """On a connection of its own: the switch must work while every other one is busy."""
    with connect(state.settings.need_database_url(), "trading kill switch") as connection:
        change = killswitch.trip if killed else killswitch.rearm
        return change(connection, reason, actor or "api")
