"""Who may ask: tokens, sessions, origins."""

from __future__ import annotations

from typing import Any

import pytest

PROTECTED = [
    ("GET", "/api/orders"),
    ("POST", "/api/orders"),
    ("DELETE", "/api/orders/x"),
    ("GET", "/api/positions"),
    ("GET", "/api/strategies"),
    ("POST", "/api/backtest"),
    ("GET", "/api/risk"),
    ("POST", "/api/risk/kill"),
    ("POST", "/api/risk/rearm"),
    ("GET", "/api/market/AAPL"),
    ("GET", "/api/equity"),
    ("GET", "/api/slots"),
    ("GET", "/api/nothing"),
    ("GET", "/"),
]


@pytest.mark.parametrize(("method", "path"), PROTECTED)
def test_without_a_token_everything_is_refused(module_api: Any, method: str, path: str) -> None:
    status, answer = module_api.client.ask(method, path, token="")
    assert (status, answer["error"], answer["code"]) == (401, "TOKEN_MISSING", 6001)
    assert "Authorization" in answer["message"]


@pytest.mark.parametrize(("method", "path"), PROTECTED)
def test_with_a_wrong_token_everything_is_refused(module_api: Any, method: str, path: str) -> None:
    status, answer = module_api.client.ask(method, path, token="a-token-of-somebody-else")
    assert (status, answer["error"]) == (401, "TOKEN_WRONG")


@pytest.mark.parametrize("path", ["/api/risk?token={}", "/api/risk?access_token={}"])
def test_a_token_in_the_address_is_no_token(module_api: Any, path: str) -> None:
    status, _ = module_api.client.ask("GET", path.format(module_api.client.token), token="")
    assert status == 401


@pytest.mark.parametrize(
    "path", ["/health/live", "/health/ready", "/health/startup", "/version", "/metrics"]
)
def test_machines_need_no_token_for_health_version_and_metrics(module_api: Any, path: str) -> None:
    assert module_api.client.ask("GET", path, token="")[0] == 200


def session(api: Any) -> str:
    status, _ = api.client.ask(
        "POST",
        "/login",
        raw=f"token={api.client.token}".encode(),
        headers={
            "Content-Type": "application/x-www-form-urlencoded",
            "Origin": f"http://127.0.0.1:{api.live_port}",
        },
        token="",
    )
    assert status == 303
    cookie: str = api.client.headers["set-cookie"]
    return cookie


def test_the_login_cookie_cannot_be_read_by_scripts_or_sent_by_other_sites(module_api: Any) -> None:
    cookie = session(module_api)
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert module_api.client.token not in cookie


def test_a_session_reads_the_api(module_api: Any) -> None:
    cookie = session(module_api).partition(";")[0]
    status, _ = module_api.client.ask("GET", "/api/risk", headers={"Cookie": cookie}, token="")
    assert status == 200


@pytest.mark.parametrize("origin", ["", "http://evil.example", "http://127.0.0.1:1"])
def test_a_session_changes_nothing_from_another_origin(module_api: Any, origin: str) -> None:
    headers = {"Cookie": session(module_api).partition(";")[0], "Origin": origin}
    status, answer = module_api.client.ask(
        "POST", "/api/risk/kill", {"reason": "x"}, headers, token=""
    )
    assert (status, answer["error"]) == (403, "CROSS_SITE_REQUEST")
    assert not module_api.client.get("/api/risk")["kill_switch"]["killed"]


def test_a_session_under_a_foreign_name_is_refused(module_api: Any) -> None:
    headers = {"Cookie": session(module_api).partition(";")[0], "Host": "rebound.example"}
    status, answer = module_api.client.ask("GET", "/api/risk", headers=headers, token="")
    assert (status, answer["error"]) == (403, "NOT_LOOPBACK")


@pytest.mark.parametrize("change", ["9999999999.", "x", "0.", "9999999999.00"])
def test_a_made_up_session_is_refused(module_api: Any, change: str) -> None:
    headers = {"Cookie": f"trading_dev={change}"}
    assert module_api.client.ask("GET", "/api/risk", headers=headers, token="")[0] == 401


def test_a_wrong_token_in_the_login_form_starts_no_session(module_api: Any) -> None:
    status, page = module_api.client.ask(
        "POST",
        "/login",
        raw=b"token=wrong",
        headers={
            "Content-Type": "application/x-www-form-urlencoded",
            "Origin": f"http://127.0.0.1:{module_api.live_port}",
        },
        token="",
    )
    assert status == 401
    assert "set-cookie" not in module_api.client.headers
    assert "token" in page
