"""Runs detect-secrets over lines, in the environment of the check's tools.

Run as a file: it imports nothing of Slipway, which is not installed there. Reads one JSON document,
{"lines": [[path, text]…]}, and answers {"version", "plugins", "lines": n, "found": [[index, type,
first four characters, sha256]…]}. A secret itself is never written anywhere.

Its own filters for whole files, for lock files, for allow-listing comments without a reason and for
asking the network whether a secret works are left out.
"""

from __future__ import annotations

import hashlib
import json
import sys
from typing import Any

from detect_secrets.__version__ import VERSION
from detect_secrets.core.plugins.util import get_mapping_from_secret_type_to_class
from detect_secrets.filters import heuristic
from detect_secrets.settings import get_plugins, transient_settings

# Public addresses are no secrets.
LEFT_OUT = ("IPPublicDetector",)


def main() -> None:
    request = json.load(sys.stdin)
    names = sorted(c.__name__ for c in get_mapping_from_secret_type_to_class().values())
    used = [name for name in names if name not in LEFT_OUT]
    found: list[list[Any]] = []
    with transient_settings({"plugins_used": [{"name": name} for name in used]}):
        plugins = list(get_plugins())
        for index, (path, text) in enumerate(request["lines"]):
            for kind, secret in sorted(secrets_in(plugins, path, text)):
                digest = hashlib.sha256(secret.encode()).hexdigest()
                found.append([index, kind, secret[:4], digest])
    answer = {"version": VERSION, "plugins": used, "lines": len(request["lines"]), "found": found}
    json.dump(answer, sys.stdout)


def secrets_in(plugins: list[Any], path: str, text: str) -> set[tuple[str, str]]:
    """(type, secret) of one line."""
    found = set()
    for plugin in plugins:
        for secret in plugin.analyze_line(filename=path, line=text, line_number=1) or ():
            value = secret.secret_value
            if value and not harmless(value, text, plugin):
                found.add((str(secret.type), str(value)))
    return found


def harmless(secret: str, text: str, plugin: Any) -> bool:
    """What the library itself takes for no secret, by its looks."""
    return bool(
        heuristic.is_potential_uuid(secret)
        or heuristic.is_sequential_string(secret)
        or heuristic.is_likely_id_string(secret, text, plugin)
        or heuristic.is_templated_secret(secret)
        or heuristic.is_prefixed_with_dollar_sign(secret)
        or heuristic.is_indirect_reference(text)
        or heuristic.is_not_alphanumeric_string(secret)
    )


if __name__ == "__main__":
    main()
