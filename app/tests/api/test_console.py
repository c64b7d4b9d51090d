"""The console's pages through the running server."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import psycopg
import pytest

PANELS = ("summary", "positions", "orders", "strategies", "risk", "slots")
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.fixture
def client(api: Any) -> Any:
    return api.client


def page(client: Any, path: str) -> str:
    status, text = client.ask("GET", path)
    assert status == 200, text
    return str(text)


def test_the_page_names_its_environment_release_and_slot(client: Any) -> None:
    html = page(client, "/")
    assert 'data-environment="dev"' in html
    assert "r-test" in html
    assert "blue" in html


def test_the_page_is_whole_before_anything_ever_happened(client: Any) -> None:
    html = page(client, "/")
    for panel in PANELS:
        assert f'id="{panel}"' in html
    assert "No orders yet" in html
    assert "No release has been made active yet" in html


@pytest.mark.parametrize("panel", PANELS)
def test_each_panel_can_be_asked_for_alone(module_api: Any, panel: str) -> None:
    assert "<html" not in page(module_api.client, f"/fragments/{panel}")


def test_nothing_on_the_page_comes_from_elsewhere(module_api: Any) -> None:
    html = page(module_api.client, "/")
    links = re.findall(r'(?:src|href|action|hx-get|hx-post)="([^"]+)"', html)
    outside = [link for link in links if not link.startswith("/")]
    assert outside == ["https://www.tradingview.com/"]  # asked for by the charts' licence
    assert not re.search(r"<script(?![^>]* src=)", html)
    assert "script-src" not in module_api.client.headers["content-security-policy"]
    assert "default-src 'self'" in module_api.client.headers["content-security-policy"]
    for link in links:
        if link.startswith("/static/"):
            page(module_api.client, link)


def test_what_people_write_is_shown_as_text(client: Any) -> None:
    reason = "<script>alert(1)</script>"
    assert client.ask("POST", "/api/risk/kill", {"reason": reason})[0] == 200
    html = page(client, "/")
    assert reason not in html
    assert "&lt;script&gt;" in html


def test_the_kill_switch_of_the_page_needs_a_reason(client: Any) -> None:
    status, html = client.ask("POST", "/risk/kill", raw=b"reason=+", headers=FORM)
    assert status == 200
    assert "needs a reason" in html
    assert not client.get("/api/risk")["kill_switch"]["killed"]


def test_the_kill_switch_of_the_page_stops_and_re_arms(client: Any) -> None:
    _, html = client.ask("POST", "/risk/kill", raw=b"reason=odd+prices", headers=FORM)
    assert "Trading is stopped" in html
    assert "odd prices" in html
    _, html = client.ask("POST", "/risk/rearm", raw=b"reason=repaired", headers=FORM)
    assert "Trading is stopped" not in html


def test_a_switch_shows_both_slots_and_why(client: Any, database_url: str) -> None:
    with psycopg.connect(database_url) as connection:
        for number, (slot, release) in enumerate([("blue", "r-one"), ("green", "r-two")]):
            connection.execute(
                "select slipway.switch(%s, %s, %s, 'c', 1, %s, 'confirmed', null, true, 'faster')",
                (slot, release, f"operation-{number}", number),
            )
    html = page(client, "/fragments/slots")
    assert re.search(r'card green active">.*?r-two', html, re.DOTALL)
    assert re.search(r'card blue">.*?r-one.*?way back', html, re.DOTALL)
    assert "faster" in html


def test_a_browser_without_a_session_is_sent_to_the_login_form(module_api: Any) -> None:
    client = module_api.client
    status, _ = client.ask("GET", "/", headers={"Accept": "text/html"}, token="")
    assert (status, client.headers["location"]) == (303, "/login")
    status, _ = client.ask("GET", "/fragments/risk", headers={"HX-Request": "true"}, token="")
    assert client.headers["hx-redirect"] == "/login"


@pytest.mark.parametrize(
    "path",
    [
        "/static/../pages.py",
        "/static/..%2fpages.py",
        "/static/%2e%2e/pages.py",
        "/static/README.md",
        "/static/none.js",
        "/fragments/none",
        "/fragments/../login",
    ],
)
def test_only_what_is_meant_to_be_served_is_served(module_api: Any, path: str) -> None:
    assert module_api.client.ask("GET", path)[0] == 404


def test_each_vendored_library_has_its_licence() -> None:
    import trading.console

    static = Path(trading.console.__file__).parent / "static"
    names = {path.name for path in static.iterdir()}
    for library in ("htmx", "lightweight-charts"):
        assert f"{library}-LICENSE.txt" in names
        assert any(name.startswith(library) and name.endswith(".js") for name in names)
        assert library in (static / "README.md").read_text()
    assert "lightweight-charts-NOTICE.txt" in names


def test_money_and_numbers_are_written_for_people() -> None:
    from trading.console.pages import MINUS, day, money, number, sign

    assert money("1234567.891") == "1,234,567.89"
    assert money("-5", True) == f"{MINUS}5.00"
    assert money("5", True) == "+5.00"
    assert money("-0.001") == "0.00"
    assert money(None) == "–"
    assert number("1500.000") == "1,500"
    assert number("0.12345") == "0.1234"
    assert [sign(value) for value in ("1", "-1", "0", None)] == ["gain", "loss", "", ""]
    assert day("2001-02-03T21:00:00+00:00") == "2001-02-03"
