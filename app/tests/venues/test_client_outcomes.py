"""What the trader is told when the venue's answer is lost, late or a refusal."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pytest

from trading.errors import FencingTokenStale, SendOutcomeUnknown, VenueUnavailable
from trading.venues.client import VenueClient

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def _answering(answer: bytes) -> Handler:
    """A venue that reads a request, says `answer` and hangs up."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(65_536)
        writer.write(answer)
        writer.close()

    return handle


def _http(status: str, body: bytes) -> bytes:
    return b"HTTP/1.1 %s\r\nContent-Length: %d\r\n\r\n%s" % (status.encode(), len(body), body)


@asynccontextmanager
async def _client(handler: Handler) -> AsyncIterator[VenueClient]:
    server = await asyncio.start_server(handler, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        yield VenueClient(f"http://127.0.0.1:{port}", "a-bearer-token", timeout_seconds=0.5)


async def _place(handler: Handler) -> object:
    async with _client(handler) as client:
        return await client.place({"client_order_id": "x"})


async def _silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read(65_536)
    await asyncio.sleep(2)
    writer.close()


@pytest.mark.parametrize(
    "handler",
    [
        pytest.param(_answering(b""), id="hangs up without an answer"),
        pytest.param(_answering(b"HTTP/1.1 200 OK\r\nContent-Le"), id="hangs up in the middle"),
        pytest.param(_answering(_http("500 Error", b"{}")), id="fails after it accepted"),
        pytest.param(_answering(_http("200 OK", b"{not json")), id="talks nonsense"),
        pytest.param(_silent, id="says nothing"),
    ],
)
def test_an_order_without_a_clear_answer_is_neither_placed_nor_refused(handler: Handler) -> None:
    with pytest.raises(SendOutcomeUnknown):
        asyncio.run(_place(handler))


def test_a_refused_fencing_token_ends_the_trader_s_turn() -> None:
    with pytest.raises(FencingTokenStale, match=r"it has seen 1\.7"):
        asyncio.run(_place(_answering(_http("412 Stale", b'{"highest": "1.7"}'))))


def test_a_refusal_is_an_answer() -> None:
    answer = asyncio.run(_place(_answering(_http("409 Conflict", b'{"error": "x"}'))))
    assert answer == (409, {"error": "x"})


@pytest.mark.parametrize(
    ("answer", "beyond"),
    [
        (b'{"last_sequence": 3, "newest_day": "2000-01-04T21:00:00+00:00"}', True),
        (b'{"last_sequence": 3, "newest_day": "2000-01-03T21:00:00+00:00"}', False),
        (b'{"last_sequence": 3, "newest_day": null}', False),
        (b'{"last_sequence": 3}', False),
    ],
    ids=["a later day", "this day", "none yet", "does not tell"],
)
def test_whether_the_venue_is_beyond_a_day_is_its_own_word(answer: bytes, beyond: bool) -> None:
    async def post() -> bool:
        async with _client(_answering(_http("200 OK", answer))) as client:
            posted = await client.post_bars({})
            assert posted.last_sequence == 3
            return posted.beyond(datetime(2000, 1, 3, 21, tzinfo=UTC))

    assert asyncio.run(post()) is beyond


def test_a_venue_that_is_not_there_is_unavailable() -> None:
    async def ask() -> None:
        server = await asyncio.start_server(_silent, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        server.close()
        await server.wait_closed()
        await VenueClient(f"http://127.0.0.1:{port}", "a-bearer-token").orders(["x"])

    with pytest.raises(VenueUnavailable):
        asyncio.run(ask())
