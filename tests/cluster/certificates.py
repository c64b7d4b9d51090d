"""The cluster's own authority and a certificate for each of its parts (ECDSA P-256, 10 years)."""

from __future__ import annotations

import datetime
import ipaddress
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

YEARS_10 = datetime.timedelta(days=3650)


def _name(common: str, organisation: str = "") -> x509.Name:
    parts = [x509.NameAttribute(NameOID.COMMON_NAME, common)]
    if organisation:
        parts.insert(0, x509.NameAttribute(NameOID.ORGANIZATION_NAME, organisation))
    return x509.Name(parts)


def _alternative(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _start(subject: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + YEARS_10)
    )


def _write_key(file: Path, key: ec.EllipticCurvePrivateKey) -> None:
    file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.TraditionalOpenSSL,
            serialization.NoEncryption(),
        )
    )
    file.chmod(0o600)


class Authority:
    """Signs into `folder`: `NAME.crt` and `NAME.key`; its own are `ca.crt` and `ca.key`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = _name("slipway-test-ca")
        own = (
            _start(self.name, self.key)
            .issuer_name(self.name)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .sign(self.key, hashes.SHA256())
        )
        (folder / "ca.crt").write_bytes(own.public_bytes(serialization.Encoding.PEM))
        _write_key(folder / "ca.key", self.key)

    def sign(
        self, file: str, common: str, organisation: str = "", names: tuple[str, ...] = ()
    ) -> None:
        """A certificate for a client, and for a server where `names` (hosts, addresses) are given."""
        key = ec.generate_private_key(ec.SECP256R1())
        builder = _start(_name(common, organisation), key).issuer_name(self.name)
        usages = [ExtendedKeyUsageOID.CLIENT_AUTH]
        if names:
            usages.append(ExtendedKeyUsageOID.SERVER_AUTH)
            alternatives = x509.SubjectAlternativeName([_alternative(name) for name in names])
            builder = builder.add_extension(alternatives, critical=False)
        builder = builder.add_extension(x509.ExtendedKeyUsage(usages), critical=False)
        signed = builder.sign(self.key, hashes.SHA256())
        (self.folder / f"{file}.crt").write_bytes(signed.public_bytes(serialization.Encoding.PEM))
        _write_key(self.folder / f"{file}.key", key)

    def pair(self, file: str) -> None:
        """A key pair without a certificate: `NAME.key` and `NAME.pub`."""
        key = ec.generate_private_key(ec.SECP256R1())
        _write_key(self.folder / f"{file}.key", key)
        (self.folder / f"{file}.pub").write_bytes(
            key.public_key().public_bytes(
                serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
            )
        )
