"""Probes at even times, measured from the moment they were due."""

from __future__ import annotations

import asyncio
import time

from pipelines.adapters.http import (
    MOST_EXAMPLES,
    PROBE_LIMIT_SECONDS,
    complete,
    host_and_port,
    parse_answer,
    request_bytes,
)
from pipelines.model.live import ProbeSamples


async def probe(address: str, path: str, count: int, per_second: float) -> ProbeSamples:
    """A slow answer does not delay the next question, so a stall shows in every sample of it."""
    began = time.perf_counter()
    tasks = []
    for number in range(count):
        due = began + number / per_second
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        tasks.append(asyncio.create_task(once(address, path)))
    results = await asyncio.gather(*tasks)
    errors = [result for result in results if isinstance(result, str)]
    return ProbeSamples(
        latencies_seconds=tuple(result for result in results if isinstance(result, float)),
        errors=len(errors),
        error_examples=tuple(dict.fromkeys(errors))[:MOST_EXAMPLES],
    )


async def once(address: str, path: str) -> float | str:
    """Seconds, or what went wrong in words."""
    began = time.perf_counter()
    try:
        async with asyncio.timeout(PROBE_LIMIT_SECONDS):
            status, _ = parse_answer(await exchange(address, path))
    except TimeoutError:
        return f"no answer within {PROBE_LIMIT_SECONDS:.0f} s"
    except (OSError, ValueError) as error:
        return str(error)
    if status >= 500:
        return f"status {status}"
    return time.perf_counter() - began


async def exchange(address: str, path: str) -> bytes:
    kind, _, place = address.partition(":")
    if kind == "unix":
        reader, writer = await asyncio.open_unix_connection(place)
    else:
        reader, writer = await asyncio.open_connection(*host_and_port(place))
    try:
        writer.write(request_bytes(path))
        answer = bytearray()
        while not complete(answer):
            data = await reader.read(65536)
            if not data:
                break
            answer += data
        return bytes(answer)
    finally:
        writer.close()
