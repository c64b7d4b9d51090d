"""detect-secrets: what it is asked, and its answer read strictly. Two planted secrets go along."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipelines.stages.protocol import Done
from pipelines.stages.security.part import Broken

SECONDS = 180.0
PROGRAM = Path(__file__).with_name("detector_program.py")
# Put together here, so that nobody's scanner takes this file for a leak.
PLANTED = (
    ("planted.py", "key = 'AK" + "IAQ3EGWZ7XN5RJT2LK'", "AWS Access Key"),
    ("planted.py", "pass" + 'word = "kT7v-q2Lm9xZ"', "Secret Keyword"),
)


@dataclass(frozen=True, slots=True)
class Detected:
    """`index` of the line that was asked, `start` at most four characters, `digest` sha256."""

    index: int
    rule: str
    start: str
    digest: str


@dataclass(frozen=True, slots=True)
class Detection:
    found: tuple[Detected, ...]
    version: str
    detectors: int


def command(python: Path) -> list[str]:
    return [str(python), "-I", str(PROGRAM)]


def question(lines: Sequence[tuple[str, str]]) -> str:
    """Path and text of each line; the planted ones come first."""
    return json.dumps(
        {"lines": [[path, text] for path, text, _ in PLANTED] + [list(x) for x in lines]}
    )


def read_answer(done: Done, asked: int) -> Detection:
    """Raises Broken unless every line was looked at and the planted ones were found."""
    if done.why:
        raise Broken(f"detect-secrets: {done.why}")
    if done.code != 0:
        raise Broken(f"detect-secrets ended with {done.code}: {done.err.strip()[-300:]}")
    try:
        answer = json.loads(done.out)
        version, detectors = str(answer["version"]), len(answer["plugins"])
        looked_at = int(answer["lines"])
        raw = [(int(i), str(kind), str(start), str(sha)) for i, kind, start, sha in answer["found"]]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise Broken(f"detect-secrets' answer cannot be read ({type(error).__name__})") from None
    kinds = {(index, kind) for index, kind, _, _ in raw}
    if any((index, kind) not in kinds for index, (_, _, kind) in enumerate(PLANTED)):
        raise Broken("detect-secrets does not find the secrets that were planted for it")
    if looked_at != asked + len(PLANTED):
        raise Broken(f"detect-secrets looked at {looked_at} lines of {asked + len(PLANTED)}")
    found = tuple(
        Detected(index - len(PLANTED), rule_of(kind), start[:4], digest)
        for index, kind, start, digest in raw
        if len(PLANTED) <= index < looked_at
    )
    return Detection(found, version, detectors)


def rule_of(kind: str) -> str:
    """`AWS Access Key` is `secret/aws-access-key`."""
    names: Mapping[str, str] = {"Secret Keyword": "secret/keyword"}
    return names.get(kind) or "secret/" + re.sub(r"[^a-z0-9]+", "-", kind.lower()).strip("-")
