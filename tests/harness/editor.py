"""What `$EDITOR FILE` of a document does in a test: the edit that the page speaks of."""

from __future__ import annotations

import re
import sys
from pathlib import Path

EDITS = {
    "environments/base/values.yaml": (r"fast: \d+, slow: (\d+)", r"fast: 6, slow: \1"),
    "environments/production/values.yaml": (
        r"\Z",
        "  risk:\n    max_position_quantity: 40000\n",
    ),
}


def main() -> None:
    path = Path(sys.argv[1])
    pattern, text = EDITS[sys.argv[1]]
    before = path.read_text()
    after = re.sub(pattern, text, before, count=1)
    assert after != before, f"{path}: nothing to edit"
    path.write_text(after)


if __name__ == "__main__":
    main()
