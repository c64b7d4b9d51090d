"""Requests that the API refuses before it looks at what they ask for, by the name of the error."""

from typing import Any

import pytest

COOKIE = {"Cookie": "trading_dev=9999999999.forged"}


@pytest.mark.parametrize(
    ("token", "headers", "status", "name"),
    [
        pytest.param("", {}, 401, "TOKEN_MISSING", id="no token"),
        pytest.param("a-token-of-somebody-else", {}, 401, "TOKEN_WRONG", id="another token"),
        pytest.param("", COOKIE, 401, "TOKEN_WRONG", id="a forged session"),
    ],
)
def test_who_is_not_known_is_refused(
    module_api: Any, token: str, headers: dict[str, str], status: int, name: str
) -> None:
    for method, path in (("GET", "/api/orders"), ("POST", "/api/risk/kill")):
        answer = module_api.client.ask(method, path, {}, headers, token=token)
        assert (answer[0], answer[1]["error"]) == (status, name)


def test_a_session_counts_from_this_machine_and_this_site_only() -> None:
    from trading.api.auth import Gatekeeper
    from trading.errors import CrossSiteRequest, NotLoopback

    gatekeeper = Gatekeeper("a-token-that-only-this-test-knows", "dev")
    cookie = (b"cookie", f"{gatekeeper.cookie}={gatekeeper.new_session()}".encode())
    host = (b"host", b"127.0.0.1:80")
    gatekeeper.check([cookie, host], unsafe=False)
    gatekeeper.check([cookie, host, (b"origin", b"http://127.0.0.1:80")], unsafe=True)
    with pytest.raises(NotLoopback):
        gatekeeper.check([cookie, (b"host", b"rebound.example")], unsafe=False)
    for origin in ([], [(b"origin", b"http://evil.example")]):
        with pytest.raises(CrossSiteRequest):
            gatekeeper.check([cookie, host, *origin], unsafe=True)


def test_what_does_not_exist_is_not_found(module_api: Any) -> None:
    status, answer = module_api.client.ask("GET", "/api/nothing")
    assert (status, answer["error"], answer["code"]) == (404, "NOT_FOUND", 1007)


def test_more_backtests_than_wait_in_line_are_told_to_come_back(api: Any) -> None:
    request = {"strategy": "sma_cross"}
    answers = [api.client.ask("POST", "/api/backtest", request) for _ in range(12)]
    assert answers[0][0] == 202
    status, answer = answers[-1]
    assert (status, answer["error"]) == (503, "NOT_READY")
