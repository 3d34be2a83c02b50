"""Short links: what they lead to, and the domains that they stand on. Source: messaging v1, LinkShortening."""

import hashlib
from typing import Final

import msgspec

CODE_LENGTH: Final = 10
LIFE_US: Final = 90 * 86_400_000_000
"""How long a link leads anywhere."""


class Link(msgspec.Struct, frozen=True):
    """A short link in one message. Fields stand in the order of the table's columns."""

    code: str
    """Ten letters and digits, unique over all accounts."""
    account_id: bytes
    message_id: bytes
    url: str
    """Where it leads."""
    domain_id: bytes | None
    """Whose rules hold; None for the server's own."""
    created_at: int
    expires_at: int
    clicks: int
    last_click_at: int | None


class LinkDomain(msgspec.Struct, frozen=True):
    """A domain of an account's own for short links. Requests for it reach this server by its owner's DNS."""

    domain: str
    """In lower case."""
    fallback_url: str | None = None
    """Where whoever asks for what leads nowhere is sent."""
    callback_url: str | None = None
    """Who is told of clicks."""
    continue_on_failure: bool = False
    """Kept and told: shortening is part of taking a message, and fails only with it."""
    disable_https: bool = False
    """Links are written without `https://`."""


def domain_id(domain: str) -> bytes:
    """The id of a domain, which follows from its name: two accounts cannot have the same one."""
    return hashlib.blake2b(domain.encode(), digest_size=16, person=b"link domain").digest()
