"""Saying and proving, keys and their permissions, two writers, and a crash in between."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest

from pipelines.adapters.evidence_files import FileShelf
from pipelines.adapters.signing import FileKeys
from pipelines.model.errors import BadInput, NeedsPerson, Refused
from pipelines.model.evidence import APPROVAL, CHECK, CHECK_RUNNER, PERSON, SOAK, environment_role
from pipelines.records.envelope import PAYLOAD_TYPE, pre_authentication_encoding
from pipelines.records.evidence import Head
from tests.unit.evidence.ledgers import (
    ENVIRONMENTS,
    NOW,
    OTHER_SOURCE,
    RELEASE,
    SOURCE,
    ledger,
    say_much,
)


def test_nothing_said_is_nothing_proven(tmp_path: Path) -> None:
    proven = ledger(tmp_path).proven(SOURCE)
    assert (proven.statements, proven.problems) == ((), ())


def test_what_was_said_is_proven_in_its_order(tmp_path: Path) -> None:
    evidence = ledger(tmp_path)
    said = say_much(evidence)
    proven = evidence.proven(SOURCE)
    assert proven.problems == ()
    assert [s.sequence for s in proven.statements] == list(range(1, said + 1))
    assert {s.source for s in proven.statements} == {SOURCE}
    assert proven.statements[0].previous == ""
    assert proven.statements[0].at == NOW
    newest = proven.newest(SOAK, environment="staging")
    assert newest is not None
    assert (newest.predicate["operation"], newest.release) == ("two", RELEASE)
    assert evidence.head(SOURCE)[0] == said
    assert evidence.sources() == [SOURCE]


def test_chains_of_two_sources_do_not_mix(tmp_path: Path) -> None:
    evidence = ledger(tmp_path)
    for source in (SOURCE, OTHER_SOURCE, SOURCE):
        evidence.say(APPROVAL, source, {"of": source}, role=PERSON, signer="ada")
    assert len(evidence.proven(SOURCE).statements) == 2
    assert len(evidence.proven(OTHER_SOURCE).statements) == 1
    assert not evidence.proven(SOURCE).problems


def test_the_encoding_that_is_signed_is_that_of_the_specification() -> None:
    assert (
        pre_authentication_encoding("http://example.com/HelloWorld", b"hello world")
        == b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    )


def test_an_envelope_is_an_in_toto_statement_that_openssl_verifies(tmp_path: Path) -> None:
    ledger(tmp_path).say(
        APPROVAL, SOURCE, {"branch": "x"}, role=PERSON, signer="ada", release=RELEASE
    )
    envelope = json.loads((tmp_path / "evidence" / SOURCE / "000001.json").read_bytes())
    payload = base64.b64decode(envelope["payload"])
    statement = json.loads(payload)
    assert statement["_type"] == "https://in-toto.io/Statement/v1"
    assert statement["subject"][0] == {"name": "source", "digest": {"sha256": SOURCE}}
    assert statement["predicate"]["branch"] == "x"
    key = json.loads((tmp_path / "keys" / "trusted.json").read_text())["person"]["ada"]
    (tmp_path / "key.pem").write_text(key)
    (tmp_path / "signed").write_bytes(pre_authentication_encoding(PAYLOAD_TYPE, payload))
    (tmp_path / "signature").write_bytes(base64.b64decode(envelope["signatures"][0]["sig"]))
    done = subprocess.run(
        [
            *("openssl", "pkeyutl", "-verify", "-pubin", "-inkey", tmp_path / "key.pem", "-rawin"),
            *("-in", tmp_path / "signed", "-sigfile", tmp_path / "signature"),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Signature Verified Successfully" in done.stdout, done.stderr


def test_keys_are_made_once_and_for_their_owner_alone(tmp_path: Path) -> None:
    keys = FileKeys(tmp_path)
    made = keys.enrol("ada", ENVIRONMENTS)
    assert sorted(made) == [
        "check-runner.key",
        "environment-dev.key",
        "environment-production.key",
        "environment-staging.key",
        "person-ada.key",
    ]
    before = {p.name: p.read_bytes() for p in (tmp_path / "keys").iterdir()}
    assert FileKeys(tmp_path).enrol("ada", ENVIRONMENTS) == []
    assert {p.name: p.read_bytes() for p in (tmp_path / "keys").iterdir()} == before
    assert FileKeys(tmp_path).enrol("grace", ENVIRONMENTS) == ["person-grace.key"]
    assert (tmp_path / "keys").stat().st_mode & 0o777 == 0o700
    assert {p.stat().st_mode & 0o777 for p in (tmp_path / "keys").iterdir()} == {0o600}


def test_a_name_of_a_person_cannot_leave_the_folder(tmp_path: Path) -> None:
    keys = FileKeys(tmp_path)
    keys.enrol("../../ada / Ünïcode", ENVIRONMENTS)
    assert len(list((tmp_path / "keys").glob("person-x-*.key"))) == 1
    identity, signature = keys.sign(PERSON, "../../ada / Ünïcode", b"m")
    assert keys.verify(PERSON, "../../ada / Ünïcode", identity, b"m", signature) == ""


@pytest.mark.parametrize(
    ("name", "mode", "hint"),
    [
        ("keys", 0o755, "chmod 0700"),
        ("keys/person-ada.key", 0o640, "chmod 0600"),
        ("keys/trusted.json", 0o644, "chmod 0600"),
    ],
)
def test_keys_that_others_can_read_are_refused(
    tmp_path: Path, name: str, mode: int, hint: str
) -> None:
    evidence = ledger(tmp_path)
    evidence.say(APPROVAL, SOURCE, {}, role=PERSON, signer="ada")
    (tmp_path / name).chmod(mode)
    with pytest.raises(Refused) as refused:
        evidence.say(APPROVAL, SOURCE, {}, role=PERSON, signer="ada")
    assert refused.value.hint == f"{hint} {tmp_path / name}"


def test_a_missing_or_broken_list_of_trusted_keys_is_refused(tmp_path: Path) -> None:
    evidence = ledger(tmp_path)
    evidence.say(APPROVAL, SOURCE, {}, role=PERSON, signer="ada")
    trusted = tmp_path / "keys" / "trusted.json"
    for content in ("[1]", "{", '{"person": []}'):
        trusted.write_text(content)
        with pytest.raises(Refused, match="damaged"):
            evidence.proven(SOURCE)
    trusted.unlink()
    with pytest.raises(Refused, match="nobody is trusted"):
        evidence.proven(SOURCE)


def test_an_exchanged_key_is_not_trusted_in_silence(tmp_path: Path) -> None:
    FileKeys(tmp_path).enrol("ada", ENVIRONMENTS)
    FileKeys(tmp_path / "other").enrol("ada", ENVIRONMENTS)
    (tmp_path / "other/keys/person-ada.key").replace(tmp_path / "keys/person-ada.key")
    with pytest.raises(NeedsPerson, match="is not the key that"):
        FileKeys(tmp_path).enrol("ada", ENVIRONMENTS)


@pytest.mark.parametrize(
    ("role", "signer", "kind", "said"),
    [
        (PERSON, "ada", CHECK, "may not say"),
        (CHECK_RUNNER, CHECK_RUNNER, APPROVAL, "may not say"),
        (PERSON, "ada", SOAK, "may not say"),
        (environment_role("dev"), "dev", APPROVAL, "may not say"),
    ],
)
def test_a_role_says_only_what_is_its_own(
    tmp_path: Path, role: str, signer: str, kind: str, said: str
) -> None:
    evidence = ledger(tmp_path)
    with pytest.raises(BadInput, match=said):
        evidence.say(kind, SOURCE, {}, role=role, signer=signer)
    assert evidence.proven(SOURCE).statements == ()


def test_a_person_without_a_key_cannot_speak(tmp_path: Path) -> None:
    evidence = ledger(tmp_path)
    with pytest.raises(Refused, match="grace has no key") as refused:
        evidence.say(APPROVAL, SOURCE, {}, role=PERSON, signer="grace")
    assert "slipway up" in refused.value.hint
    assert evidence.proven(SOURCE).problems == ()


def test_it_is_known_beforehand_whether_somebody_can_speak(tmp_path: Path) -> None:
    evidence = ledger(tmp_path)
    evidence.require_voice(SOURCE, role=PERSON, signer="ada")
    with pytest.raises(Refused, match="grace has no key"):
        evidence.require_voice(SOURCE, role=PERSON, signer="grace")
    (tmp_path / "keys/person-ada.key").chmod(0o644)
    with pytest.raises(Refused, match="others can read"):
        evidence.require_voice(SOURCE, role=PERSON, signer="ada")
    assert evidence.sources() == []


def test_a_key_that_nobody_trusts_has_no_voice(tmp_path: Path) -> None:
    evidence = ledger(tmp_path)
    FileKeys(tmp_path / "other").enrol("ada", ENVIRONMENTS)
    (tmp_path / "other/keys/person-ada.key").replace(tmp_path / "keys/person-ada.key")
    with pytest.raises(Refused, match="what ada signs is not believed") as refused:
        evidence.require_voice(SOURCE, role=PERSON, signer="ada")
    assert "slipway up" in refused.value.hint


@pytest.mark.parametrize(
    "predicate", [{"x": float("nan")}, {"x": object()}, {"slipway": 1}, {"x": "\ud800"}]
)
def test_what_is_no_json_is_not_said(tmp_path: Path, predicate: dict[str, object]) -> None:
    evidence = ledger(tmp_path)
    with pytest.raises(BadInput):
        evidence.say(APPROVAL, SOURCE, predicate, role=PERSON, signer="ada")
    assert evidence.proven(SOURCE).statements == ()


@pytest.mark.parametrize("source", ["", "../x", "AB" * 32, "ab" * 31, "ab" * 32 + "\n"])
def test_a_source_is_a_digest(tmp_path: Path, source: str) -> None:
    with pytest.raises(BadInput, match="not a sha256"):
        ledger(tmp_path).say(APPROVAL, source, {}, role=PERSON, signer="ada")


def _say_twenty(state: str, who: int) -> None:
    evidence = ledger(Path(state))
    for number in range(20):
        evidence.say(APPROVAL, SOURCE, {"n": number, "who": who}, role=PERSON, signer="ada")


def test_writers_at_the_same_time_all_succeed(tmp_path: Path) -> None:
    ledger(tmp_path)
    with ProcessPoolExecutor(3) as pool:
        list(pool.map(_say_twenty, [str(tmp_path)] * 3, range(3)))
    proven = ledger(tmp_path).proven(SOURCE)
    assert proven.problems == ()
    for who in range(3):
        own = [s.predicate["n"] for s in proven.statements if s.predicate["who"] == who]
        assert own == list(range(20))


class _Crash(Exception):
    pass


@pytest.mark.parametrize("written", [False, True])
def test_a_crash_while_writing_loses_and_doubles_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, written: bool
) -> None:
    """Killed after the head was told what comes, before or after the envelope was written."""
    evidence = ledger(tmp_path)
    evidence.say(APPROVAL, SOURCE, {"n": 1}, role=PERSON, signer="ada")
    real = FileShelf.add

    def dies(self: FileShelf, source: str, sequence: int, content: bytes) -> None:
        if written:
            real(self, source, sequence, content)
        raise _Crash

    with monkeypatch.context() as patched:
        patched.setattr(FileShelf, "add", dies)
        with pytest.raises(_Crash):
            evidence.say(APPROVAL, SOURCE, {"n": 2}, role=PERSON, signer="ada")
    seen = [s.predicate["n"] for s in evidence.proven(SOURCE).statements]
    assert seen == ([1, 2] if written else [1])
    assert evidence.proven(SOURCE).problems == ()
    evidence.say(APPROVAL, SOURCE, {"n": 3}, role=PERSON, signer="ada")
    assert [s.predicate["n"] for s in evidence.proven(SOURCE).statements] == [*seen, 3]
    assert evidence.proven(SOURCE).problems == ()


def test_nothing_is_added_to_evidence_that_was_changed(tmp_path: Path) -> None:
    evidence = ledger(tmp_path)
    say_much(evidence)
    (tmp_path / "evidence" / SOURCE / "000003.json").unlink()
    with pytest.raises(NeedsPerson, match="statement 3 is missing"):
        evidence.say(APPROVAL, SOURCE, {}, role=PERSON, signer="ada")


def test_a_head_never_goes_back(tmp_path: Path) -> None:
    evidence = ledger(tmp_path)
    say_much(evidence)
    with pytest.raises(NeedsPerson, match="only grows"):
        FileShelf(tmp_path).set_head(SOURCE, Head(1, "0" * 64))


def test_the_library_of_signatures_is_loaded_only_by_who_signs_or_verifies(tmp_path: Path) -> None:
    """A rollback must not pay for it."""
    code = (
        "import sys, pipelines.wiring, pipelines.flows.rollback, pipelines.adapters.signing,"
        " pipelines.adapters.evidence_files;"
        "sys.exit('cryptography' in sys.modules)"
    )
    folder = Path(__file__).resolve().parents[3]
    done = subprocess.run([sys.executable, "-c", code], cwd=folder, env=os.environ, check=False)
    assert done.returncode == 0


def test_the_program_in_the_document_verifies_by_hand(tmp_path: Path) -> None:
    document = Path(__file__).resolve().parents[3] / "docs" / "evidence.md"
    program = document.read_text().split("```python\n")[1].split("```")[0]
    evidence = ledger(tmp_path)
    said = say_much(evidence)

    def by_hand() -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", program, SOURCE],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )

    good = by_hand()
    assert good.returncode == 0, good.stderr
    assert good.stdout.splitlines()[-1] == f"head {evidence.head(SOURCE)[1]}"
    assert len(good.stdout.splitlines()) == said + 1
    (tmp_path / "evidence" / SOURCE / "000004.json").unlink()
    assert by_hand().returncode != 0
