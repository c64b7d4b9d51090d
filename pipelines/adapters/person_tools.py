"""The person's own settings for fetching packages, kept for the controller.

A controller knows nothing of anybody's shell; what it builds on its own must find the same package
cache, index, proxy and certificates as `slipway build` does. They may hold a password: only the
owner may read the file.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from pipelines.adapters.files import write_whole

FILE = "tools.json"
_NAMES = (
    *("HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "NETRC"),
    *("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE"),
    *("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"),
    *("http_proxy", "https_proxy", "all_proxy", "no_proxy"),
)
_PREFIX = "UV_"
_NOT = ("UV_OFFLINE", "UV_NO_CACHE")  # of one command, not of the machine


def remember(state: Path, environment: Mapping[str, str]) -> None:
    kept = {
        name: value
        for name, value in environment.items()
        if name in _NAMES or (name.startswith(_PREFIX) and name not in _NOT)
    }
    write_whole(state / FILE, (json.dumps(kept, indent=1, sort_keys=True) + "\n").encode())


def remembered(state: Path) -> dict[str, str]:
    """Empty where nothing can be read: then only what lies in the cache can be built."""
    try:
        found = json.loads((state / FILE).read_text())
    except (OSError, ValueError):
        return {}
    return {k: v for k, v in found.items() if isinstance(v, str)} if isinstance(found, dict) else {}
