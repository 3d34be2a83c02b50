"""X.509 as both authorities of ours need it: keys, certificates of authorities and servers, and files for them.

Sources: RFC 5280; RFC 6125 for the names of servers.
"""

import os
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from parley.lib.clock import Clock

Key = ec.EllipticCurvePrivateKey

_LASTS: Final = timedelta(days=365)
_RENEWED_BEFORE: Final = timedelta(days=30)
_ALLOWANCE: Final = timedelta(hours=1)
"""How far the clocks of clients may be behind ours."""


def new_key() -> Key:
    """A key for an authority or a server."""
    return ec.generate_private_key(ec.SECP256R1())


def root(key: Key, name: str, clock: Clock, domain: str | None = None) -> x509.Certificate:
    """An authority's own certificate, good for a year. With `domain`, nobody trusts it for hosts that are not below."""
    subject, now = _name(name), _now(clock)
    builder = (
        _builder(subject, subject, key.public_key(), now - _ALLOWANCE, now + _LASTS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(key_cert_sign=True), critical=True)
    )
    if domain is not None:
        builder = builder.add_extension(x509.NameConstraints([x509.DNSName(domain)], None), critical=True)
    return builder.sign(key, hashes.SHA256())


def signed(issuer: x509.Certificate, issuer_key: Key, hosts: list[str], key: Key) -> x509.Certificate:
    """A certificate for a server that is reached by these names and addresses, good for as long as its issuer's.

    Raises ValueError for what cannot be a name.
    """
    return (
        _builder(
            _name(hosts[0]),
            issuer.subject,
            key.public_key(),
            issuer.not_valid_before_utc,
            issuer.not_valid_after_utc,
        )
        .add_extension(x509.SubjectAlternativeName([_alternative(host) for host in hosts]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(digital_signature=True), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False)
        .sign(issuer_key, hashes.SHA256())
    )


def is_fresh(certificate: x509.Certificate, clock: Clock) -> bool:
    """Whether it is good for more than the next month."""
    return certificate.not_valid_after_utc - _now(clock) > _RENEWED_BEFORE


def pem(what: x509.Certificate | Key) -> bytes:
    """A certificate, or a key without a password, as text."""
    if isinstance(what, x509.Certificate):
        return what.public_bytes(serialization.Encoding.PEM)
    return what.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def write(path: Path, content: bytes) -> None:
    """Write a file as a whole, for its owner only."""
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
    draft.replace(path)


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, begins: datetime, ends: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(ends)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text[:64])])


def _usage(*, digital_signature: bool = False, key_cert_sign: bool = False) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=digital_signature,
        key_cert_sign=key_cert_sign,
        crl_sign=key_cert_sign,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _alternative(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _now(clock: Clock) -> datetime:
    return datetime.fromtimestamp(clock.now() / 1_000_000, UTC)
