"""Signed tokens: what they say came from here, so that a link with one can be the right to what it leads to."""

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as Base64Error
from typing import Final

_MAC: Final = 16


class Signer:
    """Makes and reads tokens for one purpose. Whoever has `key` can make them. When a token ends is for it to say."""

    def __init__(self, key: bytes, purpose: bytes) -> None:
        self._key = key
        self._purpose = purpose

    def token(self, said: bytes) -> str:
        """A token that says this."""
        mac = hmac.digest(self._key, self._purpose + b"\0" + said, "sha256")[:_MAC]
        return urlsafe_b64encode(said + mac).decode().rstrip("=")

    def read(self, token: str) -> bytes | None:
        """What a token says; None when it is not ours, to the letter."""
        try:
            said = urlsafe_b64decode(token + "==")[:-_MAC]
        except (Base64Error, ValueError):
            return None
        return said if hmac.compare_digest(self.token(said).encode(), token.encode("utf-8", "replace")) else None
