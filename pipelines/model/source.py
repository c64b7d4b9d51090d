"""The digest of what a release is made from: the name under which evidence is kept."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping

PARTS = ("app", "charts", "environments")


def source_digest(parts: Mapping[str, str]) -> str:
    """sha256 (hex) over the canonical JSON of the git tree ids of app/, charts/ and environments/.

    Takes `Release.parts` (`git:<id>`) as well as plain ids; other keys are ignored. Merges, documents
    and changelogs do not change it.
    """
    kept = {name: parts[name].removeprefix("git:") for name in PARTS if name in parts}
    text = json.dumps(kept, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
