"""Reading HTTP answers: every way a body may end, and every way it may be cut."""

from __future__ import annotations

import pytest

from pipelines.adapters.http import complete, parse_answer
from pipelines.targets.local.observation import count_requests, failing

WHOLE = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        pytest.param(WHOLE, (200, b"hello"), id="content-length"),
        pytest.param(b"HTTP/1.0 503 Down\r\n\r\nwhy", (503, b"why"), id="until the end"),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=1\r\nde\r\n0\r\n\r\n",
            (200, b"abcde"), id="chunked",
        ),
        pytest.param(b"HTTP/1.1 204 \r\nContent-Length: 0\r\n\r\n", (204, b""), id="empty"),
    ],
)  # fmt: skip
def test_an_answer_is_read_as_it_was_sent(answer: bytes, expected: tuple[int, bytes]) -> None:
    assert parse_answer(answer) == expected


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"HTTP/1.1 200 OK\r\n", id="cut in the head"),
        pytest.param(WHOLE[:-1], id="cut in the body"),
        pytest.param(b"SSH-2.0-OpenSSH\r\n\r\n", id="not HTTP"),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", id="cut in chunks"
        ),
    ],
)
def test_a_cut_answer_is_no_answer(answer: bytes) -> None:
    with pytest.raises(ValueError, match=r"connection closed|invalid"):
        parse_answer(answer)


def test_reading_ends_with_the_length_also_when_the_other_side_stays_open() -> None:
    assert [complete(WHOLE[:size]) for size in (10, len(WHOLE) - 1, len(WHOLE))] == [
        False, False, True,
    ]  # fmt: skip


def test_requests_are_summed_over_methods_and_5xx_counted_apart() -> None:
    text = """# TYPE http_requests_total counter
http_requests_total{method="GET",status="200"} 10.0
http_requests_total{method="POST",status="503"} 2
http_requests_created{method="GET",status="500"} 7
"""
    counters = count_requests(text)
    assert (counters.requests, counters.server_errors) == (12, 2)


def test_failing_checks_are_named() -> None:
    body = b'{"checks": {"database": {"ok": false, "message": "away"}, "venue": {"ok": true}}}'
    assert failing(body) == "database: away"
    assert failing(b"<html>") == ""
