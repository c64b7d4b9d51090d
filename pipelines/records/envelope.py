"""The one form of a signed statement: DSSE around in-toto Statement v1, both canonical JSON.

Whatever is not exactly the bytes that `seal` would write is refused, white space included.
https://github.com/secure-systems-lab/dsse/blob/master/protocol.md,
https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from pipelines.model.evidence import STATEMENT_TYPE, Statement
from pipelines.records.audit import canonical

PAYLOAD_TYPE = "application/vnd.in-toto+json"
LARGEST_BYTES = 5_000_000
OWN_KEY = "slipway"
"""Key of the predicate that says who speaks, when and after what. Not for callers."""

Sign = Callable[[bytes], tuple[str, bytes]]
"""Message to (key id, signature)."""

_DIGEST = re.compile(r"[0-9a-f]{64}")
_RELEASE = re.compile(r"r-([0-9a-f]{16})")
_OWN_FIELDS = {"role": str, "signer": str, "at": str, "sequence": int, "previous": str}


class Damaged(Exception):
    """What was read is no sealed statement; the message says why."""


def pre_authentication_encoding(payload_type: str, payload: bytes) -> bytes:
    """What is signed: DSSEv1 SP LEN(type) SP type SP LEN(body) SP body; lengths in bytes, decimal."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def seal(statement: Statement, sign: Sign) -> bytes:
    """The envelope's bytes. Raises ValueError or TypeError for what is not JSON."""
    payload = canonical(_document(statement)).encode()
    key, signature = sign(pre_authentication_encoding(PAYLOAD_TYPE, payload))
    return _envelope(payload, key, signature)


def digest_of(envelope: bytes) -> str:
    """Name of an envelope in the chain: sha256 (hex) of its bytes."""
    return hashlib.sha256(envelope).hexdigest()


def open_envelope(content: bytes) -> tuple[Statement, str, bytes, bytes]:
    """(statement, key id, signature, signed bytes). Raises Damaged. Verifies nothing yet."""
    if len(content) > LARGEST_BYTES:
        raise Damaged(f"{len(content):,} bytes, at most {LARGEST_BYTES:,} are read")
    try:
        envelope = json.loads(content)
        if envelope["payloadType"] != PAYLOAD_TYPE:
            raise Damaged(f"its payload is {str(envelope['payloadType'])[:60]!r}")
        payload = base64.b64decode(envelope["payload"], validate=True)
        [one] = envelope["signatures"]
        key, signature = str(one["keyid"]), base64.b64decode(one["sig"], validate=True)
        statement = _statement(json.loads(payload))
        whole = canonical(_document(statement)).encode() == payload
    except (ValueError, KeyError, TypeError, RecursionError, binascii.Error) as error:
        raise Damaged(f"it is no sealed statement ({type(error).__name__})") from None
    if not whole or _envelope(payload, key, signature) != content:
        raise Damaged("its bytes are not those that were written")
    return statement, key, signature, pre_authentication_encoding(PAYLOAD_TYPE, payload)


def _envelope(payload: bytes, key: str, signature: bytes) -> bytes:
    fields = {
        "payloadType": PAYLOAD_TYPE,
        "payload": base64.b64encode(payload).decode(),
        "signatures": [{"keyid": key, "sig": base64.b64encode(signature).decode()}],
    }
    return canonical(fields).encode() + b"\n"


def _document(statement: Statement) -> dict[str, Any]:
    subject = [{"name": "source", "digest": {"sha256": statement.source}}]
    if statement.release:
        subject.append({"name": "release", "digest": {"slipwayRelease": statement.release[2:]}})
    own = {name: getattr(statement, name) for name in _OWN_FIELDS}
    return {
        "_type": STATEMENT_TYPE,
        "subject": subject,
        "predicateType": statement.predicate_type,
        "predicate": {**statement.predicate, OWN_KEY: own},
    }


def _statement(document: Mapping[str, Any]) -> Statement:
    if document["_type"] != STATEMENT_TYPE:
        raise Damaged(f"it is a {str(document['_type'])[:60]!r}, not a statement")
    source, *others = document["subject"]
    predicate = dict(document["predicate"])
    own = predicate.pop(OWN_KEY)
    for name, kind in _OWN_FIELDS.items():
        if type(own[name]) is not kind:
            raise Damaged(f"{name} of the statement is {own[name]!r}")
    digest = source["digest"]["sha256"]
    if not _DIGEST.fullmatch(digest):
        raise Damaged(f"its subject is {str(digest)[:60]!r}, not a sha256")
    release = f"r-{others[0]['digest']['slipwayRelease']}" if others else ""
    return Statement(
        predicate_type=str(document["predicateType"]),
        source=digest,
        predicate=predicate,
        release=release,
        **{name: own[name] for name in _OWN_FIELDS},
    )


def check_subject(source: str, release: str) -> str:
    """Why a statement cannot be about this; empty when it can."""
    if not _DIGEST.fullmatch(source):
        return f"source {source[:60]!r} is not a sha256 in hex"
    if release and not _RELEASE.fullmatch(release):
        return f"release {release[:60]!r} is not an id such as r-0123456789abcdef"
    return ""
