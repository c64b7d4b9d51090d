"""`/api/live`: events as they happen, resumable by number."""

from __future__ import annotations

import asyncio
import contextlib
import json
from typing import Any

from fastapi import APIRouter, WebSocket, WebSocketDisconnect

from trading.api.live import PAGE, Hub, Numbered, Subscriber
from trading.errors import TradingError

router = APIRouter()

RESTART = 1012
TRY_AGAIN = 1013
MOST_NUMBER = 2**63 - 1


@router.websocket("/api/live")
async def live(socket: WebSocket) -> None:
    """`?since=N`: every event after number N; without it, from now on.

    Messages: `hello` (with the number it starts from), `event`, `active` (the slots changed),
    `resume` (connect again with `since=from`: this process is leaving), `gap` (events before
    `to` are no longer kept).
    """
    await socket.accept()
    text = socket.query_params.get("since", "")
    if text and (not text.isdecimal() or int(text) > MOST_NUMBER):
        await _end(socket, 1008, {"type": "error", "message": "since is a number of an event"})
        return
    hub: Hub = socket.app.state.trading.hub
    gate = socket.scope["state"]["gate"]
    subscriber = Subscriber(int(text) if text else -1)
    gate.enter(subscriber)
    reader = asyncio.create_task(_read(socket, subscriber))
    try:
        await _follow(socket, hub, subscriber, reader)
    except (TradingError, TimeoutError):
        await _end(socket, TRY_AGAIN, _resume(subscriber))
    except (WebSocketDisconnect, RuntimeError):
        pass  # the client is gone
    finally:
        reader.cancel()
        hub.leave(subscriber)
        gate.leave(subscriber)


async def _read(socket: WebSocket, subscriber: Subscriber) -> None:
    """Nothing a client says matters, but its leaving does."""
    with contextlib.suppress(WebSocketDisconnect, RuntimeError, KeyError):
        while True:
            await socket.receive_text()
    subscriber.wake.set()


async def _follow(
    socket: WebSocket, hub: Hub, subscriber: Subscriber, reader: asyncio.Task[None]
) -> None:
    await hub.join(subscriber)
    await _start(socket, hub, subscriber)
    while not reader.done():
        while subscriber.waiting:
            await _send(socket, subscriber, subscriber.waiting.popleft())
        if subscriber.draining or subscriber.overrun:
            code = RESTART if subscriber.draining else TRY_AGAIN
            await _end(socket, code, _resume(subscriber))
            return
        subscriber.wake.clear()
        await subscriber.wake.wait()


async def _start(socket: WebSocket, hub: Hub, subscriber: Subscriber) -> None:
    """Say hello and send what the client missed."""
    oldest, newest = await hub.bounds()
    asked = subscriber.last
    if asked < 0 or asked > newest:  # no number, or one of another life of the database
        subscriber.last = newest
    elif asked < oldest - 1:
        await socket.send_text(json.dumps({"type": "gap", "from": asked, "to": oldest}))
        subscriber.last = oldest - 1
    await socket.send_text(json.dumps({"type": "hello", "from": subscriber.last}))
    while not subscriber.draining:
        events = await hub.after(subscriber.last)
        for event in events:
            await _send(socket, subscriber, event)
        if len(events) < PAGE:
            return


async def _send(socket: WebSocket, subscriber: Subscriber, event: Numbered) -> None:
    number, text = event
    if number == 0:  # a hint without a number
        await socket.send_text(text)
    elif number > subscriber.last:
        await socket.send_text(text)
        subscriber.last = number


def _resume(subscriber: Subscriber) -> dict[str, Any]:
    """`from` is null for a client that was sent nothing yet and named no number."""
    return {"type": "resume", "from": None if subscriber.last < 0 else subscriber.last}


async def _end(socket: WebSocket, code: int, message: dict[str, Any]) -> None:
    with contextlib.suppress(WebSocketDisconnect, RuntimeError):
        await socket.send_text(json.dumps(message))
        await socket.close(code)
