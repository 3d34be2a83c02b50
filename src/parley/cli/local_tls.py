"""The files with which a server of this machine speaks TLS, and an authority for clients to trust.

The authority signs one certificate and its key is forgotten: whoever trusts it trusts that server, and nobody else.
"""

import ssl
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec
from cryptography import x509

from parley.cli.certificates import is_fresh, new_key, pem, root, signed, write
from parley.lib.clock import Clock

_LOOPBACK: Final = ("localhost", "127.0.0.1", "::1")
_NAME: Final = "Parley on this machine"


class LocalTls(msgspec.Struct, frozen=True):
    """The files, in one directory."""

    authority: Path
    """What clients trust. There may be none beside a certificate that somebody else signed."""
    certificate: Path
    key: Path


def local_tls(directory: Path, hosts: Sequence[str], clock: Clock) -> LocalTls:
    """The files for loopback's names, `hosts` and the names that they had before. They are made where there are none,
    or not for all of these, or they are about to expire or do not match; what we did not make is never touched.

    Raises OSError, and ValueError for a name that cannot be one and for files of others that are no use.
    """
    directory = directory.resolve()
    files = LocalTls(directory / "ca.pem", directory / "server.pem", directory / "server-key.pem")
    names = list(dict.fromkeys((*_LOOPBACK, *hosts)))
    if files.certificate.exists():
        if not _is_ours(files):
            _load(files)
            return files
        served = _names(files)
        if set(names) <= served and is_fresh(_certificate(files.authority), clock) and _match(files):
            return files
        names += sorted(served - set(names))
    directory.mkdir(parents=True, exist_ok=True)
    authority_key, key = new_key(), new_key()
    authority = root(authority_key, _NAME, clock)
    write(files.authority, pem(authority))
    write(files.key, pem(key))
    write(files.certificate, pem(signed(authority, authority_key, names, key)))
    return files


def _is_ours(files: LocalTls) -> bool:
    return files.authority.exists() and _certificate(files.authority).subject.rfc4514_string() == f"CN={_NAME}"


def _names(files: LocalTls) -> set[str]:
    alternatives = _certificate(files.certificate).extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return {str(each) for kind in (x509.DNSName, x509.IPAddress) for each in alternatives.get_values_for_type(kind)}


def _match(files: LocalTls) -> bool:
    """Whether the three belong together: a crash may have left some of them."""
    try:
        _certificate(files.certificate).verify_directly_issued_by(_certificate(files.authority))
        _load(files)
    except Exception:  # noqa: BLE001 - whatever is wrong with them, they are made again
        return False
    return True


def _load(files: LocalTls) -> None:
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(files.certificate, files.key)
    except OSError as problem:  # ssl's errors are among them
        raise ValueError(f"{files.certificate} and {files.key}: {problem}") from None


def _certificate(file: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate(file.read_bytes())
