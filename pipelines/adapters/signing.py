"""Ed25519 keys of an installation under `state/keys/`, and the keys it trusts.

One key per role, 0600, PEM (PKCS #8): `person-<actor>.key`, `check-runner.key`,
`environment-<env>.key`. `trusted.json` maps role → signer → public key (PEM). Whoever can read a
key can speak for it, so a folder or file that others can read is refused.
"""

from __future__ import annotations

import hashlib
import json
import re
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.adapters.files import write_whole, writing
from pipelines.model.errors import NeedsPerson, Refused, Unavailable
from pipelines.model.evidence import CHECK_RUNNER, ENVIRONMENT_PREFIX, PERSON, environment_role

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import (
        Ed25519PrivateKey,
        Ed25519PublicKey,
    )

_SAFE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@+-]{0,99}")
_AGAIN = "type: slipway up"


class FileKeys:
    """`records.evidence.Keys` in the state folder. The library is loaded at the first signature."""

    def __init__(self, state: Path) -> None:
        self._folder = state / "keys"
        self._public: dict[str, tuple[str, Ed25519PublicKey]] = {}

    def enrol(self, actor: str, environments: Sequence[str]) -> list[str]:
        """Make what is missing; names of the keys that were made. Keys that are there stay."""
        wanted = [(PERSON, actor), (CHECK_RUNNER, CHECK_RUNNER)]
        wanted += [(environment_role(name), name) for name in environments]
        with writing(self._folder):
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _private(self._folder, 0o700)
        trusted = self._trusted() if (self._folder / "trusted.json").exists() else {}
        made = []
        for role, signer in wanted:
            path = self._path(role, signer)
            if not path.exists():
                _make(path)
                made.append(path.name)
            public = _public_text(_load(path))
            known = trusted.setdefault(role, {}).setdefault(signer, public)
            if known != public:
                raise NeedsPerson(
                    f"{path} is not the key that {self._folder / 'trusted.json'} names for {signer}",
                    hint="put the old key back; statements of another key are not believed",
                )
        text = json.dumps(trusted, indent=1, sort_keys=True) + "\n"
        if not self._same(text):
            write_whole(self._folder / "trusted.json", text.encode(), mode=0o600)
        return made

    def public(self) -> str:
        """What `trusted.json` says: public keys alone, for whoever shall believe this installation."""
        return json.dumps(self._read_trusted(), indent=1, sort_keys=True)

    def _same(self, text: str) -> bool:
        try:
            return (self._folder / "trusted.json").read_text() == text
        except OSError:
            return False

    def sign(self, role: str, signer: str, message: bytes) -> tuple[str, bytes]:
        path = self._path(role, signer)
        _private(self._folder, 0o700)
        if not path.exists():
            raise Refused(f"{signer} has no key here to speak as {role} ({path.name})", hint=_AGAIN)
        key = _load(path)
        return _key_id(key.public_key()), key.sign(message)

    def verify(self, role: str, signer: str, key: str, message: bytes, signature: bytes) -> str:
        from cryptography.exceptions import InvalidSignature

        text = self._read_trusted().get(role, {}).get(signer)
        if text is None:
            return f"{signer!r} is not trusted to speak as {role!r}"
        identity, public = self._known(text)
        if identity != key:
            return f"its key {key[:12]} is not that of {signer} as {role}"
        try:
            public.verify(signature, message)
        except InvalidSignature:
            return f"it was not signed by {signer} as {role}"
        return ""

    def _known(self, text: str) -> tuple[str, Ed25519PublicKey]:
        if text not in self._public:
            public = _public(text)
            self._public[text] = (_key_id(public), public)
        return self._public[text]

    def _read_trusted(self) -> dict[str, dict[str, str]]:
        _private(self._folder, 0o700)
        return self._trusted()

    def _trusted(self) -> dict[str, dict[str, str]]:
        path = self._folder / "trusted.json"
        try:
            _private(path, 0o600)
            found = json.loads(path.read_text())
            return {
                str(role): {str(signer): str(key) for signer, key in signers.items()}
                for role, signers in found.items()
            }
        except FileNotFoundError:
            raise Refused(f"{path} is missing: nobody is trusted", hint=_AGAIN) from None
        except (ValueError, AttributeError) as error:
            raise Refused(
                f"{path} is damaged: {error}", hint=f"put it back or move it away, then {_AGAIN}"
            ) from None
        except OSError as error:
            raise Unavailable(f"cannot read {path}: {error.strerror}") from error

    def _path(self, role: str, signer: str) -> Path:
        if role == CHECK_RUNNER:
            return self._folder / "check-runner.key"
        if role.startswith(ENVIRONMENT_PREFIX):
            name = role.removeprefix(ENVIRONMENT_PREFIX)
            return self._folder / f"environment-{_file_part(name)}.key"
        return self._folder / f"person-{_file_part(signer)}.key"


def _file_part(name: str) -> str:
    """A name as part of a file name; one that has other characters becomes its digest."""
    if _SAFE.fullmatch(name):
        return name
    return f"x-{hashlib.sha256(name.encode('utf-8', 'surrogatepass')).hexdigest()[:16]}"


def _private(path: Path, mode: int) -> None:
    """Refused when others than the owner may do anything with it."""
    try:
        facts = path.stat()
    except FileNotFoundError:
        if mode == 0o600:
            raise
        raise Refused(f"{path} is missing: this installation has no keys", hint=_AGAIN) from None
    found = stat.S_IMODE(facts.st_mode)
    if found & 0o077:
        raise Refused(
            f"{path} has mode {found:04o}: others can read what must be private",
            hint=f"chmod {mode:04o} {path}",
        )


def _make(path: Path) -> None:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    content = Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    write_whole(path, content, mode=0o600)


def _load(path: Path) -> Ed25519PrivateKey:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    _private(path, 0o600)
    try:
        key = load_pem_private_key(path.read_bytes(), None)
    except (ValueError, TypeError) as error:
        raise Refused(f"{path} is no private key: {error}", hint="put the old key back") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise Refused(f"{path} is no Ed25519 key", hint="put the old key back")
    return key


def _public_text(key: Ed25519PrivateKey) -> str:
    from cryptography.hazmat.primitives import serialization

    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return key.public_key().public_bytes(serialization.Encoding.PEM, form).decode()


def _public(text: str) -> Ed25519PublicKey:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    try:
        key = load_pem_public_key(text.encode())
    except ValueError as error:
        raise Refused(f"a trusted key is damaged: {error}", hint=_AGAIN) from None
    if not isinstance(key, Ed25519PublicKey):
        raise Refused("a trusted key is no Ed25519 key", hint=_AGAIN)
    return key


def _key_id(key: Ed25519PublicKey) -> str:
    """sha256 (hex) of the public key's DER form (SubjectPublicKeyInfo)."""
    from cryptography.hazmat.primitives import serialization

    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return hashlib.sha256(key.public_bytes(serialization.Encoding.DER, form)).hexdigest()
