"""The keys of simulated hosts: derived from their names, so that what a room file pins stays true
when the world is started again. They guard nothing.

`cryptography` comes with the extra `demo`.
"""

from __future__ import annotations

import contextlib
import datetime
import hashlib
import ipaddress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

CLIENT, HOST, TLS = "client", "host", "tls"
_DAY_ONE = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
_DAY_LAST = datetime.datetime(2126, 1, 1, tzinfo=datetime.UTC)


def private_key(seed: str, use: str) -> Ed25519PrivateKey:
    """Return the key of a simulated host for `use`. Raises: ImportError without the extra."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    return Ed25519PrivateKey.from_private_bytes(hashlib.sha256(f"{seed} {use}".encode()).digest())


def private_text(key: Ed25519PrivateKey, *, openssh: bool) -> bytes:
    """Return the private key as OpenSSH's file, or as TLS libraries read it."""
    from cryptography.hazmat.primitives import serialization as form

    private = form.PrivateFormat.OpenSSH if openssh else form.PrivateFormat.PKCS8
    return key.private_bytes(form.Encoding.PEM, private, form.NoEncryption())


def public_line(key: Ed25519PrivateKey) -> str:
    """Return the public key as one line, as OpenSSH writes it."""
    from cryptography.hazmat.primitives import serialization as form

    raw = key.public_key().public_bytes(form.Encoding.OpenSSH, form.PublicFormat.OpenSSH)
    return raw.decode("ascii")


def certificate(seed: str, host: str) -> bytes:
    """Return the certificate (PEM) of a simulated host for the name or address `host`.

    It vouches for itself, and is the same each time.
    """
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import Encoding
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

    key = private_key(seed, TLS)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Simulated host")])
    known_as: x509.GeneralName = x509.DNSName(host)
    with contextlib.suppress(ValueError):
        known_as = x509.IPAddress(ipaddress.ip_address(host))
    usage = x509.KeyUsage(
        digital_signature=True, key_cert_sign=True, crl_sign=False, content_commitment=False,
        key_encipherment=False, data_encipherment=False, key_agreement=False,
        encipher_only=False, decipher_only=False,
    )  # fmt: skip
    identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(int.from_bytes(hashlib.sha256(seed.encode()).digest()[:8]) | 1)
        .not_valid_before(_DAY_ONE)
        .not_valid_after(_DAY_LAST)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName([known_as]), critical=False)
        .add_extension(identifier, critical=False)
    )
    return builder.sign(key, None).public_bytes(Encoding.PEM)
