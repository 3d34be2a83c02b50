"""A certificate authority that stays on this machine and is good for one domain: nobody trusts it for anything else."""

import os
import ssl
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from parley.lib.clock import Clock

TRUST_STORE_PASSWORD: Final = "changeit"  # noqa: S105 - what Java expects; there is nothing secret in the store
_LASTS: Final = timedelta(days=365)
_RENEWED_BEFORE: Final = timedelta(days=30)
_ALLOWANCE: Final = timedelta(hours=1)
"""How far the clocks of clients may be behind ours."""
_PEM: Final = serialization.Encoding.PEM
_PLAIN: Final = (serialization.PrivateFormat.PKCS8, serialization.NoEncryption())


class Authority:
    """Signs certificates for the hosts of `domain`. Its own is in `certificate_file` for clients to trust."""

    def __init__(self, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey, directory: Path) -> None:
        self._certificate = certificate
        self._key = key
        self.certificate_file = directory / "twilio-ca.pem"
        self.trust_store = directory / "twilio-ca.p12"
        """The same as Java takes it."""
        self.server_context = lru_cache(maxsize=64)(self._server_context)
        """What a TLS server of a host needs. Made once for each host."""

    @classmethod
    def open(cls, directory: Path, domain: str, clock: Clock) -> Self:
        """The authority whose files are in a directory; made where there is none, or it is about to expire.

        Raises OSError, and ValueError when the files are damaged.
        """
        key_file = directory / "twilio-ca-key.pem"
        now = datetime.fromtimestamp(clock.now() / 1_000_000, UTC)
        if key_file.exists():
            text = key_file.read_bytes()
            key = serialization.load_pem_private_key(text, None)
            certificate = x509.load_pem_x509_certificate(text)
            if not isinstance(key, ec.EllipticCurvePrivateKey):
                raise ValueError(f"{key_file} has no key of ours")
            if certificate.not_valid_after_utc - now > _RENEWED_BEFORE:
                authority = cls(certificate, key, directory)
                authority._publish()
                return authority
        key = ec.generate_private_key(ec.SECP256R1())
        authority = cls(_root(key, domain, now), key, directory)
        directory.mkdir(parents=True, exist_ok=True)
        # Key and certificate are one file: no crash leaves one without the other.
        _write(key_file, key.private_bytes(_PEM, *_PLAIN) + authority._certificate.public_bytes(_PEM))
        authority._publish()
        return authority

    def _publish(self) -> None:
        _write(self.certificate_file, self._certificate.public_bytes(_PEM))
        trusted = [pkcs12.PKCS12Certificate(self._certificate, b"parley")]
        password = serialization.BestAvailableEncryption(TRUST_STORE_PASSWORD.encode())
        _write(self.trust_store, pkcs12.serialize_java_truststore(trusted, password))

    def _server_context(self, host: str) -> ssl.SSLContext:
        key = ec.generate_private_key(ec.SECP256R1())
        chain = self._signed(host, key.public_key()).public_bytes(_PEM) + self._certificate.public_bytes(_PEM)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.set_alpn_protocols(["http/1.1"])
        with TemporaryDirectory() as directory:  # ssl takes keys from files only
            file = Path(directory, "server.pem")
            _write(file, key.private_bytes(_PEM, *_PLAIN) + chain)
            context.load_cert_chain(file)
        return context

    def _signed(self, host: str, key: ec.EllipticCurvePublicKey) -> x509.Certificate:
        issuer = self._certificate
        return (
            _builder(_name(host), issuer.subject, key, issuer.not_valid_before_utc, issuer.not_valid_after_utc)
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(digital_signature=True), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False)
            .sign(self._key, hashes.SHA256())
        )


def _root(key: ec.EllipticCurvePrivateKey, domain: str, now: datetime) -> x509.Certificate:
    name = _name(f"Parley on this machine, for {domain}")
    return (
        _builder(name, name, key.public_key(), now - _ALLOWANCE, now + _LASTS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(key_cert_sign=True), critical=True)
        .add_extension(x509.NameConstraints([x509.DNSName(domain)], None), critical=True)
        .sign(key, hashes.SHA256())
    )


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


def _write(path: Path, content: bytes) -> None:
    """Write a file as a whole, for its owner only."""
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
    draft.replace(path)
