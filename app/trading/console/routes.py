"""The console's addresses: the page, its panels, the login form, its static files."""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import parse_qs

from fastapi import APIRouter, Request
from fastapi.responses import FileResponse, HTMLResponse, RedirectResponse, Response

from trading.api.answers import body_of
from trading.api.auth import SESSION_SECONDS, own_origin
from trading.api.routes.control import change_switch
from trading.api.state import State, of
from trading.console import pages
from trading.console.facts import PANELS
from trading.errors import InvalidInput, NotFound

router = APIRouter(include_in_schema=False)

# Nothing from elsewhere, no inline script. The charts set styles on their own elements.
HEADERS = {
    "Content-Security-Policy": "default-src 'self'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; form-action 'self'",
    "X-Content-Type-Options": "nosniff",
    # Not stricter: the form's Origin header would become "null".
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
}
WRONG_TOKEN_SECONDS = 0.5
_MOST_TEXT = 500


@router.get("/")
async def console(request: Request) -> Response:
    """The page of this environment."""
    state = of(request)
    facts = await asyncio.gather(*(panel(state) for panel in PANELS.values()))
    panels = {name: pages.fragment(name, found) for name, found in zip(PANELS, facts, strict=True)}
    return _page("console.html", state, panels=panels, symbols=state.values.replay.symbols)


@router.get("/fragments/{name}")
async def fragment(request: Request, name: str) -> Response:
    """One panel, for the page to put in place of the old one."""
    if name not in PANELS:
        raise NotFound(f"there is no panel {name[:40]!r}")
    return await _panel(of(request), name)


@router.post("/risk/{action}")
async def change_risk(request: Request, action: str) -> Response:
    """The kill switch, from the form in the panel of risk."""
    state = of(request)
    if action not in ("kill", "rearm"):
        raise NotFound(f"there is no action {action[:40]!r}")
    reason = _field(await body_of(request), "reason")
    try:
        await asyncio.to_thread(change_switch, state, action == "kill", reason, "console")
    except InvalidInput as error:
        return await _panel(state, "risk", problem=error.message)
    return await _panel(state, "risk")


@router.get("/login")
async def login_form(request: Request) -> Response:
    return _page("login.html", of(request), problem="")


@router.post("/login")
async def login(request: Request) -> Response:
    """Exchange the token for a session's cookie."""
    state = of(request)
    own_origin(request.scope["headers"], demanded=True)
    if not state.gatekeeper.matches(_field(await body_of(request), "token")):
        await asyncio.sleep(WRONG_TOKEN_SECONDS)
        problem = "This is not the token of this environment."
        return _page("login.html", state, 401, problem=problem)
    answer = RedirectResponse("/", 303, headers=HEADERS)
    answer.set_cookie(
        state.gatekeeper.cookie,
        state.gatekeeper.new_session(),
        max_age=SESSION_SECONDS,
        httponly=True,
        samesite="strict",
    )
    return answer


@router.post("/logout")
async def logout(request: Request) -> Response:
    answer = RedirectResponse("/login", 303, headers=HEADERS)
    answer.delete_cookie(of(request).gatekeeper.cookie, httponly=True, samesite="strict")
    return answer


@router.get("/static/{name}")
async def static(name: str) -> Response:
    """A file of the folder `static`, by its plain name."""
    path = pages.STATIC / name
    if path.suffix not in pages.TYPES or path.name != name or not path.is_file():
        raise NotFound(f"there is no file {name[:60]!r}")
    return FileResponse(
        path,
        media_type=pages.TYPES[path.suffix],
        headers={"Cache-Control": "no-cache", "X-Content-Type-Options": "nosniff"},
    )


async def _panel(state: State, name: str, problem: str = "") -> Response:
    facts = {**await PANELS[name](state), "problem": problem}
    return HTMLResponse(pages.fragment(name, facts), headers=HEADERS)


def _page(template: str, state: State, status: int = 200, **values: Any) -> Response:
    common = {
        "environment": state.settings.environment,
        "release": state.settings.release,
        "slot": state.settings.slot,
        "problem": "",
    }
    return HTMLResponse(pages.render(template, **{**common, **values}), status, HEADERS)


def _field(body: bytes, name: str) -> str:
    """One value of a submitted form, empty without it."""
    fields = parse_qs(body.decode("utf-8", errors="replace"), max_num_fields=10)
    return fields.get(name, [""])[0][:_MOST_TEXT]
