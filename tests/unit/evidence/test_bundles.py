"""Evidence that left its installation is believed by committed keys, and by nothing else."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from pipelines.adapters.evidence_bundle import BundleShelf, CommittedKeys, export
from pipelines.adapters.signing import FileKeys
from pipelines.cli.commands import run
from pipelines.model.errors import BadInput, Refused
from pipelines.model.evidence import Proven
from pipelines.records.evidence import Head, Ledger
from tests.unit.evidence.ledgers import ENVIRONMENTS, OTHER_SOURCE, SOURCE, ledger, say_much


class Elsewhere:
    """A pipeline with an exported folder and the keys that a branch holds."""

    def __init__(self, folder: Path) -> None:
        self.state, self.bundle, self.keys = folder / "state", folder / "bundle", folder / "keys"
        self.count = say_much(ledger(self.state))
        assert export(self.state, SOURCE, self.bundle) == self.count
        self.keys.mkdir()
        (self.keys / "trusted.json").write_text(FileKeys(self.state).public())

    def proven(self, source: str = SOURCE) -> Proven:
        keys, shelf = CommittedKeys(self.keys), BundleShelf(self.bundle)
        return Ledger(keys, shelf, lambda: "").proven(source)

    def prove(self, *more: str, source: str = SOURCE) -> int:
        words = ["evidence", "prove", str(self.bundle), "--source", source]
        return run([*words, "--keys", str(self.keys), *more])


@pytest.fixture
def elsewhere(tmp_path: Path) -> Elsewhere:
    return Elsewhere(tmp_path)


def test_what_was_exported_is_believed_by_public_keys_alone(elsewhere: Elsewhere) -> None:
    proven = elsewhere.proven()
    assert not proven.problems
    assert len(proven.statements) == elsewhere.count
    assert "PRIVATE" not in (elsewhere.keys / "trusted.json").read_text()
    assert elsewhere.prove() == 0


def test_nothing_is_added_to_a_copy(elsewhere: Elsewhere) -> None:
    before = sorted(elsewhere.bundle.iterdir())
    shelf = BundleShelf(elsewhere.bundle)
    with pytest.raises(Refused, match="only read"):
        shelf.add(SOURCE, elsewhere.count + 1, b"{}")
    with pytest.raises(Refused, match="only read"):
        shelf.set_head(SOURCE, Head(0, ""))
    assert sorted(elsewhere.bundle.iterdir()) == before


def test_a_missing_end_shows_when_the_number_is_known(elsewhere: Elsewhere) -> None:
    max(elsewhere.bundle.iterdir()).unlink()
    assert elsewhere.prove("--least", str(elsewhere.count)) == 1
    assert elsewhere.prove("--least", str(elsewhere.count - 1)) == 0


def _edited(place: Elsewhere) -> None:
    file = place.bundle / "000003.json"
    file.write_bytes(file.read_bytes().replace(b"a", b"b", 1))


def _swapped(place: Elsewhere) -> None:
    one, two = place.bundle / "000001.json", place.bundle / "000002.json"
    first = one.read_bytes()
    one.write_bytes(two.read_bytes())
    two.write_bytes(first)


def _a_hole(place: Elsewhere) -> None:
    (place.bundle / "000002.json").unlink()


def _other_keys(place: Elsewhere) -> None:
    FileKeys(place.state.parent / "stranger").enrol("ada", ENVIRONMENTS)
    (place.keys / "trusted.json").write_text(FileKeys(place.state.parent / "stranger").public())


def _a_role_less(place: Elsewhere) -> None:
    file = place.keys / "trusted.json"
    trusted = json.loads(file.read_text())
    del trusted["check-runner"]
    file.write_text(json.dumps(trusted))


@pytest.mark.parametrize("change", [_edited, _swapped, _a_hole, _other_keys, _a_role_less])
def test_anything_else_is_not_believed(
    elsewhere: Elsewhere, change: Callable[[Elsewhere], None]
) -> None:
    change(elsewhere)
    assert elsewhere.proven().problems
    assert elsewhere.prove() == 1


def test_evidence_about_another_source_is_none(elsewhere: Elsewhere) -> None:
    assert elsewhere.prove(source=OTHER_SOURCE) == 1


@pytest.mark.parametrize("text", [None, "", "[]", "{"])
def test_keys_that_cannot_be_read_are_bad_input(elsewhere: Elsewhere, text: str | None) -> None:
    file = elsewhere.keys / "trusted.json"
    file.unlink()
    if text is not None:
        file.write_text(text)
    assert elsewhere.prove() == 2


def test_a_folder_that_is_there_is_not_written_to(elsewhere: Elsewhere) -> None:
    with pytest.raises(BadInput, match="exists"):
        export(elsewhere.state, SOURCE, elsewhere.bundle)


def test_an_empty_folder_proves_nothing(elsewhere: Elsewhere) -> None:
    for file in elsewhere.bundle.iterdir():
        file.unlink()
    assert elsewhere.prove() == 1
