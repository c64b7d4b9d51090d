"""Orders as people place them: through the API of an environment, with a token and a key."""

from __future__ import annotations

import http.client
import itertools
import json
import time
from collections.abc import Callable
from typing import Any

from tests.harness.database import query
from tests.harness.installation import Installation

_numbers = itertools.count(int(time.time()) % 1_000_000 * 1000)

Order = dict[str, Any]


def ask(
    installation: Installation, environment: str, method: str, path: str, body: object = None
) -> tuple[int, Any]:
    """Status and JSON of one request; every POST gets a key of its own."""
    connection = http.client.HTTPConnection("127.0.0.1", installation.port(environment), timeout=10)
    headers = {
        "Authorization": f"Bearer {installation.token}",
        "Content-Type": "application/json",
        "Idempotency-Key": f"test-{next(_numbers)}",
    }
    try:
        content = None if body is None else json.dumps(body)
        connection.request(method, path, content, headers)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        connection.close()


def place(installation: Installation, environment: str, **fields: Any) -> str:
    """Client order id of an accepted order: ten shares of IBM at market unless told otherwise."""
    body = {"symbol": "IBM", "side": "buy", "quantity": "10", "type": "market"} | fields
    status, answer = ask(installation, environment, "POST", "/api/orders", body)
    assert status == 201, answer
    return str(answer["client_order_id"])


def cancel(installation: Installation, environment: str, order: str) -> None:
    status, answer = ask(installation, environment, "DELETE", f"/api/orders/{order}")
    assert status == 202, answer


def find(installation: Installation, environment: str, order: str) -> Order | None:
    """The row of an order in the database itself; None when there is none."""
    rows = query(
        installation.database_uri(environment),
        "select * from trading.orders where client_order_id = %s",
        order,
    )
    return rows[0] if rows else None


def wait_for(what: str, look: Callable[[], Any], seconds: float) -> Any:
    """The first answer of `look` that is true; AssertionError with `what` after so many seconds."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = look()
        if found:
            return found
        time.sleep(0.25)
    raise AssertionError(f"not after {seconds:.0f} s: {what}")


def wait_state(
    installation: Installation, environment: str, order: str, *states: str, seconds: float = 30
) -> Order:
    """The order once it is in one of the states."""

    def look() -> Order | None:
        row = find(installation, environment, order)
        return row if row and row["state"] in states else None

    return dict(wait_for(f"order {order} in {' or '.join(states)}", look, seconds))
