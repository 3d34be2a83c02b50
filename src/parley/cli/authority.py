"""A certificate authority that stays on this machine and is good for one domain: nobody trusts it for anything else."""

import ssl
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, Self

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import pkcs12

from parley.cli.certificates import Key, is_fresh, new_key, pem, root, signed, write
from parley.lib.clock import Clock

TRUST_STORE_PASSWORD: Final = "changeit"  # noqa: S105 - what Java expects; there is nothing secret in the store


class Authority:
    """Signs certificates for the hosts of `domain`. Its own is in `certificate_file` for clients to trust."""

    def __init__(self, certificate: x509.Certificate, key: Key, directory: Path) -> None:
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
        if key_file.exists():
            text = key_file.read_bytes()
            key = serialization.load_pem_private_key(text, None)
            certificate = x509.load_pem_x509_certificate(text)
            if not isinstance(key, ec.EllipticCurvePrivateKey):
                raise ValueError(f"{key_file} has no key of ours")
            if is_fresh(certificate, clock):
                authority = cls(certificate, key, directory)
                authority._publish()
                return authority
        key = new_key()
        authority = cls(root(key, f"Parley on this machine, for {domain}", clock, domain), key, directory)
        directory.mkdir(parents=True, exist_ok=True)
        # Key and certificate are one file: no crash leaves one without the other.
        write(key_file, pem(key) + pem(authority._certificate))
        authority._publish()
        return authority

    def _publish(self) -> None:
        write(self.certificate_file, pem(self._certificate))
        trusted = [pkcs12.PKCS12Certificate(self._certificate, b"parley")]
        password = serialization.BestAvailableEncryption(TRUST_STORE_PASSWORD.encode())
        write(self.trust_store, pkcs12.serialize_java_truststore(trusted, password))

    def _server_context(self, host: str) -> ssl.SSLContext:
        key = new_key()
        chain = pem(signed(self._certificate, self._key, [host], key)) + pem(self._certificate)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.set_alpn_protocols(["http/1.1"])
        with TemporaryDirectory() as directory:  # ssl takes keys from files only
            file = Path(directory, "server.pem")
            write(file, pem(key) + chain)
            context.load_cert_chain(file)
        return context
