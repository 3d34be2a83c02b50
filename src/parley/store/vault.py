"""Seal the secrets that have to be read again (auth tokens, signing keys) under a key that is not in the database."""

import contextlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from parley.lib import randomness
from parley.store.connect import sqlite_path

KEY_BYTES: Final = 32
SHARED_KEY: Final = Path("var/parley.key")
"""The key file of a node on PostgreSQL that was given no key."""
_NONCE_BYTES: Final = 12
_VERSION: Final = b"\x01"
# One salt for all: the text is this installation's own secret, and the key has to be the same on each of its nodes.
_SALT: Final = b"parley.vault.v1"
_MIN_TEXT: Final = 16
_SCRYPT_N: Final = 2**14


class VaultError(Exception):
    """A secret cannot be sealed or opened; the text says what to do about it."""


class Vault:
    """AES-256-GCM under one key. `entropy` gives that many random bytes."""

    __slots__ = ("_cipher", "_entropy", "_key")

    def __init__(self, key: bytes, entropy: Callable[[int], bytes] = randomness.entropy) -> None:
        if len(key) != KEY_BYTES:
            raise VaultError(f"the key has {len(key)} bytes, not {KEY_BYTES}")
        self._key = key
        self._cipher = AESGCM(key)
        self._entropy = entropy

    def __repr__(self) -> str:
        return "Vault(***)"

    def derive(self, purpose: bytes) -> bytes:
        """A key of its own for another purpose; the same on every node, and it tells nothing of this one."""
        return HKDF(SHA256(), KEY_BYTES, salt=None, info=b"parley." + purpose).derive(self._key)

    def seal(self, text: str, purpose: bytes) -> bytes:
        """Encrypt `text`. `purpose` says where it belongs, and it opens nowhere else."""
        nonce = self._entropy(_NONCE_BYTES)
        return _VERSION + nonce + self._cipher.encrypt(nonce, text.encode("utf-8", "surrogatepass"), purpose)

    def open(self, sealed: bytes, purpose: bytes) -> str:
        """Decrypt what was sealed for `purpose`. Raises VaultError under another key, or when it was tampered with."""
        nonce, body = sealed[1 : 1 + _NONCE_BYTES], sealed[1 + _NONCE_BYTES :]
        if sealed[:1] != _VERSION or len(nonce) != _NONCE_BYTES:
            raise VaultError("a stored secret is not in a form that this version of Parley reads")
        try:
            return self._cipher.decrypt(nonce, body, purpose).decode("utf-8", "surrogatepass")
        except InvalidTag:
            raise VaultError(
                "a stored secret does not open: the database was written under another key. Give this process the"
                " PARLEY_SECRET_KEY, or put back the key file beside the data, that it was written with"
            ) from None


def key_from_text(text: str) -> bytes:
    """The key that PARLEY_SECRET_KEY stands for. Raises VaultError when it is too short to be a secret."""
    if len(text) < _MIN_TEXT:
        raise VaultError(f"PARLEY_SECRET_KEY has {len(text)} characters; it needs at least {_MIN_TEXT}, at random")
    return Scrypt(salt=_SALT, length=KEY_BYTES, n=_SCRYPT_N, r=8, p=1).derive(text.encode("utf-8", "surrogatepass"))


def key_file(database_url: str) -> Path:
    """Where the key is that no setting gives: beside the data, where these are in a file. Raises UrlError."""
    path = sqlite_path(database_url)
    return SHARED_KEY if path is None else path.with_suffix(".key")


def load_or_create_key(path: Path, entropy: Callable[[int], bytes] = randomness.entropy) -> bytes:
    """The key in the file at `path`, which is made, readable by its owner only, when absent. Raises VaultError."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            with contextlib.suppress(FileExistsError):
                _create(path, entropy(KEY_BYTES), path.with_name(f"{path.name}.{entropy(8).hex()}"))
        key = bytes.fromhex(path.read_text("ascii"))
    except OSError as problem:
        raise VaultError(f"the key file {path} cannot be used: {problem.strerror}") from problem
    except ValueError:
        key = b""
    if len(key) != KEY_BYTES:
        raise VaultError(f"the key file {path} holds no key of {KEY_BYTES} bytes in hex; put back the one it had")
    return key


def _create(path: Path, key: bytes, draft: Path) -> None:
    """Write a new key whole or not at all: under another name first, so that nobody ever reads half of it."""
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(key.hex() + "\n")
            file.flush()
            os.fsync(file.fileno())
        os.link(draft, path)  # unlike a rename, fails when another process was first
        _sync_directory(path.parent)
    finally:
        draft.unlink()


def _sync_directory(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
