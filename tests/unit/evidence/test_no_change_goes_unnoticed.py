"""A thousand random edits, deletions, swaps and replays of statements: each one is refused."""

from __future__ import annotations

import base64
import json
import random
import shutil
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from pipelines.adapters.evidence_files import FileShelf
from pipelines.adapters.signing import FileKeys
from pipelines.model.evidence import CHECK_RUNNER, PERSON, environment_role
from pipelines.records.envelope import open_envelope, seal
from tests.unit.evidence.ledgers import ENVIRONMENTS, OTHER_SOURCE, SOURCE, ledger, say_much

TIMES = 1000
Change = Callable[[Path, random.Random], None]
ROLES = [(PERSON, "ada"), (CHECK_RUNNER, CHECK_RUNNER)]
ROLES += [(environment_role(name), name) for name in ENVIRONMENTS]


def files(state: Path, source: str = SOURCE) -> list[Path]:
    return sorted((state / "evidence" / source).glob("*.json"))


def flip_a_bit(state: Path, chance: random.Random) -> None:
    path = chance.choice(files(state))
    content = bytearray(path.read_bytes())
    content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
    path.write_bytes(bytes(content))


def add_white_space(state: Path, chance: random.Random) -> None:
    path = chance.choice(files(state))
    content = path.read_bytes()
    path.write_bytes(chance.choice([content + b" ", b"\n" + content, content[:-1]]))


def cut_a_file(state: Path, chance: random.Random) -> None:
    path = chance.choice(files(state))
    content = path.read_bytes()
    path.write_bytes(content[: chance.randrange(len(content))])


def delete_one(state: Path, chance: random.Random) -> None:
    chance.choice(files(state)).unlink()


def delete_the_end(state: Path, chance: random.Random) -> None:
    there = files(state)
    for path in there[chance.randrange(len(there)) :]:
        path.unlink()


def swap_two(state: Path, chance: random.Random) -> None:
    one, two = chance.sample(files(state), 2)
    content = one.read_bytes()
    one.write_bytes(two.read_bytes())
    two.write_bytes(content)


def repeat_one(state: Path, chance: random.Random) -> None:
    there = files(state)
    shutil.copy(chance.choice(there), there[0].with_name(f"{len(there) + 1:06}.json"))


def put_one_over_another(state: Path, chance: random.Random) -> None:
    one, two = chance.sample(files(state), 2)
    one.write_bytes(two.read_bytes())


def replay_an_older_folder(state: Path, chance: random.Random) -> None:
    """A copy taken when there were fewer statements, whole and well signed as it was."""
    there = files(state)
    kept = chance.randrange(1, len(there))
    older = state / "older"
    older.mkdir()
    for path in there[:kept]:
        shutil.copy(path, older)
    shutil.rmtree(there[0].parent)
    older.rename(state / "evidence" / SOURCE)


def bring_one_of_another_source(state: Path, chance: random.Random) -> None:
    there, others = files(state), files(state, OTHER_SOURCE)
    position = chance.randrange(len(there) + 1)
    shutil.copy(chance.choice(others), there[0].with_name(f"{position + 1:06}.json"))


def bring_all_of_another_source(state: Path, chance: random.Random) -> None:
    shutil.rmtree(state / "evidence" / SOURCE)
    shutil.copytree(state / "evidence" / OTHER_SOURCE, state / "evidence" / SOURCE)


def bring_one_of_another_installation(state: Path, chance: random.Random) -> None:
    """Equal in every word, signed by keys that this installation does not trust."""
    path = chance.choice(files(state))
    statement, *_ = open_envelope(path.read_bytes())
    keys = FileKeys(state / "foreign")
    path.write_bytes(seal(statement, lambda m: keys.sign(statement.role, statement.signer, m)))


def sign_by_another_role(state: Path, chance: random.Random) -> None:
    """A trusted key, but not that of the role that the statement names."""
    path = chance.choice(files(state))
    statement, *_ = open_envelope(path.read_bytes())
    role, signer = chance.choice([one for one in ROLES if one[0] != statement.role])
    keys = FileKeys(state)
    path.write_bytes(seal(statement, lambda m: keys.sign(role, signer, m)))


def _edit_payload(
    state: Path, chance: random.Random, edit: Callable[[dict[str, object]], None]
) -> None:
    path = chance.choice(files(state))
    envelope = json.loads(path.read_bytes())
    document = json.loads(base64.b64decode(envelope["payload"]))
    edit(document)
    text = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    envelope["payload"] = base64.b64encode(text.encode()).decode()
    path.write_text(json.dumps(envelope, sort_keys=True, separators=(",", ":")) + "\n")


def swap_the_role(state: Path, chance: random.Random) -> None:
    def edit(document: dict[str, object]) -> None:
        own = document["predicate"]["slipway"]  # type: ignore[index]
        own["role"], own["signer"] = chance.choice([one for one in ROLES if one[0] != own["role"]])

    _edit_payload(state, chance, edit)


def edit_a_word(state: Path, chance: random.Random) -> None:
    def edit(document: dict[str, object]) -> None:
        predicate = document["predicate"]
        assert isinstance(predicate, dict)
        key = chance.choice([name for name in predicate if name != "slipway"])
        predicate[key] = chance.choice(["failed", 0, None, {"ok": True}])

    _edit_payload(state, chance, edit)


def take_the_key_away(state: Path, chance: random.Random) -> None:
    path = chance.choice(files(state))
    envelope = json.loads(path.read_bytes())
    envelope["signatures"] = chance.choice([[], envelope["signatures"] * 2, [{}]])
    path.write_text(json.dumps(envelope, sort_keys=True, separators=(",", ":")) + "\n")


def lay_something_beside(state: Path, chance: random.Random) -> None:
    there = files(state)
    shutil.copy(chance.choice(there), there[0].with_name(chance.choice(["1.json", "copy.json"])))


def write_a_new_end(state: Path, chance: random.Random) -> None:
    """The end is replaced by one that the right key signed elsewhere, in its right place."""
    path = files(state)[-1]
    statement, *_ = open_envelope(path.read_bytes())
    predicate = {**statement.predicate, "operation": str(chance.random())}
    keys = FileKeys(state)
    forged = type(statement)(
        *(statement.predicate_type, statement.source, predicate, statement.role, statement.signer),
        *(statement.at, statement.sequence, statement.previous, statement.release),
    )
    path.write_bytes(seal(forged, lambda m: keys.sign(statement.role, statement.signer, m)))


CHANGES: list[Change] = [
    *(flip_a_bit, add_white_space, cut_a_file, delete_one, delete_the_end, swap_two, repeat_one),
    *(put_one_over_another, replay_an_older_folder, bring_one_of_another_source),
    *(bring_all_of_another_source, bring_one_of_another_installation, sign_by_another_role),
    *(swap_the_role, edit_a_word, take_the_key_away, lay_something_beside, write_a_new_end),
]


@pytest.fixture(scope="module")
def spoken(tmp_path_factory: pytest.TempPathFactory) -> Path:
    state = tmp_path_factory.mktemp("spoken")
    evidence = ledger(state)
    say_much(evidence)
    say_much(evidence, OTHER_SOURCE)
    FileKeys(state / "foreign").enrol("ada", ENVIRONMENTS)
    return state


def test_every_change_of_a_thousand_is_refused(spoken: Path, tmp_path: Path) -> None:
    chance = random.Random(20260302)
    unnoticed: list[str] = []
    tried: Counter[str] = Counter()
    state = tmp_path / "state"
    shutil.copytree(spoken, state)
    evidence = ledger(state)
    good = {path.name: path.read_bytes() for path in files(state)}
    for number in range(TIMES):
        change = CHANGES[number % len(CHANGES)]
        change(state, chance)
        proven = evidence.proven(SOURCE)
        tried[change.__name__] += 1
        if not proven.problems or any(proven.newest(s.predicate_type) for s in proven.statements):
            unnoticed.append(f"{number}: {change.__name__}")
        _put_back(state, good)
    assert unnoticed == []
    assert not evidence.proven(SOURCE).problems
    assert sum(tried.values()) == TIMES
    assert min(tried.values()) >= TIMES // len(CHANGES)


def _put_back(state: Path, good: dict[str, bytes]) -> None:
    folder = state / "evidence" / SOURCE
    for path in files(state):
        path.unlink()
    for name, content in good.items():
        (folder / name).write_bytes(content)


def test_what_was_not_changed_is_proven(spoken: Path, tmp_path: Path) -> None:
    """Guards the test above: the copies themselves are good."""
    shutil.copytree(spoken, tmp_path / "state")
    proven = ledger(tmp_path / "state").proven(SOURCE)
    assert proven.problems == ()
    assert len(proven.statements) >= 20


def test_verifying_a_release_takes_less_than_a_second(spoken: Path) -> None:
    evidence = ledger(spoken)
    began = time.monotonic()
    assert len(evidence.proven(SOURCE).statements) >= 20
    assert time.monotonic() - began < 1.0


def test_a_head_that_was_taken_away_is_noticed(spoken: Path, tmp_path: Path) -> None:
    """Without the heads nobody can say where the chain ends."""
    state = tmp_path / "state"
    shutil.copytree(spoken, state)
    for path in state.glob("evidence-heads.sqlite*"):
        path.unlink()
    assert "the head says 0" in ledger(state).proven(SOURCE).problems[0]
    assert FileShelf(state).sources() == []
