"""The application: routes, console, errors, and what they share."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import AsyncIterator

from fastapi import FastAPI

from trading.api import answers
from trading.api.auth import Gatekeeper
from trading.api.backtests import Backtests
from trading.api.database import Database
from trading.api.front import Application, Front
from trading.api.gate import Gate
from trading.api.health import Health
from trading.api.live import Hub
from trading.api.order_desk import OrderDesk
from trading.api.routes import account, backtest, control, orders, service, stream
from trading.api.state import State
from trading.console import routes as console
from trading.settings import Settings

ROUTERS = (service, orders, account, control, backtest, stream, console)


def create_app(settings: Settings, gate: Gate) -> Application:
    """The ASGI application of one process; `gate` is the one of the live socket.

    Raises what reading the token and values.yaml raises: a process that could never answer
    ends here, with a message.
    """
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(name)s %(message)s")
    database = Database(settings.need_database_url())
    values = settings.values()
    state = State(
        settings=settings,
        values=values,
        gate=gate,
        gatekeeper=Gatekeeper(settings.token(), settings.environment),
        database=database,
        hub=Hub(database),
        backtests=Backtests(database, settings.release),
        orders=OrderDesk(database, values.risk, settings.release),
    )

    @contextlib.asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        await state.orders.close()
        await state.backtests.close()
        await database.close()

    app = FastAPI(
        title=f"Trading, {settings.environment}",
        version=settings.release,
        description="Everything under /api needs the header `Authorization: Bearer <token>`. "
        "Every error is JSON with code and message, which says what to do.",
        docs_url=None,  # its scripts come from the network
        redoc_url=None,
        lifespan=lifespan,
    )
    app.state.trading = state
    app.state.health = Health(state)
    answers.install(app)
    for module in ROUTERS:
        app.include_router(module.router)
    return Front(app, state.gatekeeper, state.metrics)
