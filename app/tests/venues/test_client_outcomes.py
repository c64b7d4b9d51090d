"""What the trader is told when the venue's answer is lost, late or a refusal."""

import asyncio
from collections.abc import Awaitable, Callable

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


async def _place(handler: Handler) -> object:
    server = await asyncio.start_server(handler, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        client = VenueClient(f"http://127.0.0.1:{port}", "a-bearer-token", timeout_seconds=0.5)
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


def test_a_venue_that_is_not_there_is_unavailable() -> None:
    async def ask() -> None:
        server = await asyncio.start_server(_silent, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        server.close()
        await server.wait_closed()
        await VenueClient(f"http://127.0.0.1:{port}", "a-bearer-token").orders(["x"])

    with pytest.raises(VenueUnavailable):
        asyncio.run(ask())
