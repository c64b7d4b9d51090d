"""The console as a person sees it: Chromium against a running installation."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.browser.chromium import Chromium
from tests.harness.installation import REPOSITORY, Installation

PICTURE = REPOSITORY / "docs" / "pictures" / "console.png"
LIVE = "document.getElementById('link')?.textContent === 'live'"


def log_in(browser: Chromium, installation: Installation, environment: str) -> None:
    browser.open(f"http://127.0.0.1:{installation.port(environment)}/")
    browser.wait("!!document.getElementById('token')")
    token = json.dumps(installation.token)
    browser.evaluate(f"document.getElementById('token').value = {token}")
    browser.evaluate("document.forms[0].submit()")
    browser.wait(LIVE)


@pytest.fixture
def browser() -> Iterator[Chromium]:
    with Chromium() as browser:
        yield browser


def test_the_console_shows_a_live_environment_without_a_single_error(
    installation: Installation, browser: Chromium
) -> None:
    log_in(browser, installation, "production")
    assert browser.evaluate("document.querySelector('.environment').textContent") == "production"
    browser.wait("document.querySelectorAll('#orders tbody tr').length > 0", 90)
    browser.wait("document.querySelectorAll('#positions tbody tr').length > 0", 60)
    browser.wait("document.querySelectorAll('.card.active').length === 1")
    day = (
        "[...document.querySelectorAll('#summary dt')].find((term) => term.textContent ==="
        " 'Market day').nextElementSibling.textContent"
    )
    before = browser.evaluate(day)
    browser.wait(f"{day} !== {json.dumps(before)}", 30)
    assert browser.problems() == []


def test_each_environment_has_a_colour_of_its_own(
    installation: Installation, browser: Chromium
) -> None:
    colours = set()
    for environment in ("dev", "staging", "production"):
        log_in(browser, installation, environment)
        colours.add(
            browser.evaluate(
                "getComputedStyle(document.querySelector('.environment')).backgroundColor"
            )
        )
    assert len(colours) == 3


def test_the_kill_switch_works_from_the_page(installation: Installation, browser: Chromium) -> None:
    log_in(browser, installation, "dev")
    press = (
        "document.getElementById('kill-reason').value = 'a drill';"
        "document.querySelector('.kill button').click()"
    )
    browser.evaluate(press)
    browser.wait("document.querySelector('.alarm')?.textContent.includes('a drill')")
    browser.wait("document.getElementById('summary').textContent.includes('stopped')")
    browser.evaluate(press)
    browser.wait("!document.querySelector('.alarm')")
    assert browser.problems() == []


@pytest.mark.parametrize("light", [False, True], ids=["dark", "light"])
def test_the_page_fits_a_laptop_without_scrolling_sideways(
    installation: Installation, light: bool
) -> None:
    with Chromium(1280, 800, light=light) as browser:
        log_in(browser, installation, "production")
        assert browser.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_picture_for_the_documents(installation: Installation, tmp_path: Path) -> None:
    """Written over the committed one only with `SLIPWAY_PICTURES=1`: it differs every time."""
    wanted = os.environ.get("SLIPWAY_PICTURES") == "1"
    path = PICTURE if wanted else tmp_path / "console.png"
    with Chromium(1440, 1000) as browser:
        log_in(browser, installation, "production")
        browser.wait("document.querySelectorAll('#positions tbody tr').length > 0", 90)
        if wanted:
            time.sleep(90)  # a curve worth looking at
            browser.open(f"http://127.0.0.1:{installation.port('production')}/")
            browser.wait(LIVE)
        time.sleep(2)
        browser.picture(path)
    assert path.read_bytes().startswith(b"\x89PNG")
    assert path.stat().st_size > 30_000
