"""Who may ask: a bearer token for programs, a signed cookie for the console.

The cookie holds no token: an expiry and its signature under the token, so every process of the
environment accepts it, in either slot, and a new token ends all sessions. Browsers send cookies to
every port of a host and count all ports as one site, so the cookie carries the environment's name,
and whatever changes something must come from this very origin.
"""

from __future__ import annotations

import hmac
import time
from hashlib import sha256

from trading.errors import CrossSiteRequest, NotLoopback, TokenMissing, TokenWrong

SESSION_SECONDS = 12 * 3600
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_LOCAL_NAMES = frozenset({"127.0.0.1", "localhost", "[::1]"})

Headers = list[tuple[bytes, bytes]]


class Gatekeeper:
    """Checks requests against one environment's token."""

    def __init__(self, token: str, environment: str) -> None:
        self._bearer = b"Bearer " + token.encode("latin-1", errors="replace")
        self._key = token.encode()
        self._environment = environment
        self.cookie = f"trading_{''.join(c if c.isalnum() else '_' for c in environment)}"
        self._cookie_prefix = f"{self.cookie}=".encode("ascii", errors="replace")

    def check(self, headers: Headers, *, unsafe: bool) -> None:
        """Pass, or raise `TokenMissing`, `TokenWrong`, `CrossSiteRequest`, `NotLoopback`.

        `unsafe`: the request changes something or opens a WebSocket. Bearer tokens need no check
        of the origin: no other site can make a browser send one.
        """
        cookie = b""
        for name, value in headers:
            if name == b"authorization":
                if hmac.compare_digest(value, self._bearer):
                    return
                raise TokenWrong("the bearer token is not this environment's; see its token file")
            if name == b"cookie":
                cookie = value
        session = self._session(cookie)
        if not session:
            raise TokenMissing(
                "send the header `Authorization: Bearer <token>`; the token is in the "
                "environment's token file"
            )
        if not self._valid(session):
            raise TokenWrong("the session has ended; log in again")
        own_origin(headers, demanded=unsafe)

    def matches(self, token: str) -> bool:
        """Whether a person typed the right token."""
        return hmac.compare_digest(token.strip().encode(), self._key)

    def new_session(self) -> str:
        """The value of a cookie that is good for `SESSION_SECONDS`."""
        expiry = str(int(time.time()) + SESSION_SECONDS)
        return f"{expiry}.{self._signature(expiry)}"

    def _session(self, cookies: bytes) -> str:
        for part in cookies.split(b";"):
            if part.strip().startswith(self._cookie_prefix):
                return part.strip()[len(self._cookie_prefix) :].decode("latin-1")
        return ""

    def _valid(self, session: str) -> bool:
        expiry, _, signature = session.partition(".")
        genuine = hmac.compare_digest(signature.encode(), self._signature(expiry).encode())
        return genuine and int(expiry) > time.time()

    def _signature(self, expiry: str) -> str:
        message = f"console\0{self._environment}\0{expiry}".encode()
        return hmac.new(self._key, message, sha256).hexdigest()


def own_origin(headers: Headers, *, demanded: bool) -> None:
    """Refuse another site's request, and names that a foreign DNS server could point here.

    Raises `CrossSiteRequest`, `NotLoopback`.
    """
    found = {name: value.decode("latin-1") for name, value in headers if name in _ORIGIN_HEADERS}
    host = found.get(b"host", "")
    if host.rsplit(":", 1)[0] not in _LOCAL_NAMES:
        raise NotLoopback(f"the host {host[:100]!r} is not this machine; use 127.0.0.1", host=host)
    origin = found.get(b"origin")
    if demanded and (origin is None or origin != f"http://{host}"):
        raise CrossSiteRequest(
            f"the origin {str(origin)[:100]!r} is not this console's", origin=origin
        )


_ORIGIN_HEADERS = frozenset({b"host", b"origin"})
