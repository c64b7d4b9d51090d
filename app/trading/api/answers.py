"""JSON answers, errors among them."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ValidationError
from starlette.exceptions import HTTPException

from trading.errors import (
    InvalidInput,
    MalformedRequest,
    NotFound,
    RequestTooLarge,
    TradingError,
)

if TYPE_CHECKING:
    from fastapi import FastAPI, Request

log = logging.getLogger("trading.api")

BODY_LIMIT_BYTES = 65_536
Model = TypeVar("Model", bound=BaseModel)


class ErrorAnswer(BaseModel):
    """How every error looks: a stable name and code, what to do, and the values."""

    error: str
    code: int
    message: str
    degrade: str
    fields: dict[str, Any]


ERRORS: dict[int | str, dict[str, Any]] = {
    401: {"model": ErrorAnswer, "description": "no bearer token, or not this environment's"},
    422: {"model": ErrorAnswer, "description": "a value is outside what is allowed"},
    503: {"model": ErrorAnswer, "description": "the database does not answer; try again"},
}


def raw_json(text: str | bytes, status: int = 200) -> Response:
    """JSON that is text already: the database makes most of it."""
    return Response(text, status_code=status, media_type="application/json")


async def body_of(request: Request) -> bytes:
    """The whole body. Raises `RequestTooLarge`."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > BODY_LIMIT_BYTES:
            raise RequestTooLarge(
                f"the body is larger than {BODY_LIMIT_BYTES} bytes", limit=BODY_LIMIT_BYTES
            )
    return bytes(body)


def refused(error: ValidationError | RequestValidationError) -> TradingError:
    """`MalformedRequest` for a body that is no JSON of the right shape, else `InvalidInput`."""
    problems = error.errors()
    texts = [
        f"{'.'.join(str(part) for part in problem['loc'] if part not in _PLACES) or 'the body'}: "
        f"{problem['msg']} (got {str(problem.get('input'))[:80]!r})"
        for problem in problems[:10]
    ]
    malformed = any(problem["type"] in ("json_invalid", "model_type") for problem in problems)
    kind = MalformedRequest if malformed else InvalidInput
    return kind("; ".join(texts) + "; see /openapi.json", problems=texts)


_PLACES = ("body", "query", "path", "header")


def parse(model: type[Model], body: bytes) -> Model:
    """A typed body. Raises `MalformedRequest`, `InvalidInput`."""
    try:
        return model.model_validate_json(body)
    except ValidationError as error:
        raise refused(error) from error


def install(app: FastAPI) -> None:
    """Answer with JSON whatever is raised."""

    async def known(request: Request, error: Exception) -> Response:
        assert isinstance(error, TradingError)
        if error.http_status >= 500:
            log.error("%s %s: %s", request.method, request.url.path, error.message)
        return JSONResponse(error.as_dict(), error.http_status)

    async def invalid(_: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        problem = refused(error)
        return JSONResponse(problem.as_dict(), problem.http_status)

    async def http(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        problem = NotFound(
            f"there is nothing at {request.method} {request.url.path[:100]}; see /openapi.json"
        )
        return JSONResponse(problem.as_dict(), error.status_code, error.headers)

    async def unforeseen(request: Request, error: Exception) -> Response:
        log.exception("%s %s", request.method, request.url.path, exc_info=error)
        return JSONResponse(TradingError().as_dict(), 500)

    handlers: dict[type[Exception], Callable[..., Any]] = {
        TradingError: known,
        RequestValidationError: invalid,
        HTTPException: http,
        Exception: unforeseen,
    }
    for kind, handler in handlers.items():
        app.add_exception_handler(kind, handler)
