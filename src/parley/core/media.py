"""Media of outgoing messages: fetch what a URL names, check it, store it once, attach it."""

import hashlib
from collections.abc import Awaitable, Callable
from typing import ClassVar, Final

import msgspec

from parley.core.carrier import Attachment
from parley.model.message import Media, Message
from parley.store import Engine, media

MAX_OCTETS: Final = 5 * 1024 * 1024
"""Of one message's media together (Twilio's MMS limit)."""
TYPES: Final = ("image/", "video/", "audio/", "text/", "application/pdf", "application/vcard", "application/ogg")

RETRIEVAL_FAILED: Final = 11200
TYPE_REFUSED: Final = 12300
TOO_LARGE: Final = 11751


class Fetched(msgspec.Struct, frozen=True):
    """What a media URL gave."""

    content_type: str
    octets: bytes


class MediaUnavailable(Exception):
    """A message's media cannot be had. `code` is Twilio's; when not `is_final`, a later try may succeed."""

    def __init__(self, code: int, reason: str, *, is_final: bool) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason
        self.is_final = is_final


Fetch = Callable[[str, int], Awaitable[Fetched]]
"""Fetch a URL of at most so many octets through the guard. Raises MediaUnavailable."""


class Outgoing:
    """Attachments of messages on their way out."""

    ATTEMPTS: ClassVar = 3
    """Tries of a URL that may work later."""

    def __init__(self, engine: Engine, fetch: Fetch) -> None:
        self._engine = engine
        self._fetch = fetch

    async def attachments(self, message: Message) -> tuple[Attachment, ...]:
        """A message's attachments, all stored. Raises MediaUnavailable."""
        found = await self._engine.read(media.of_messages, [message.id])
        total = 0
        attachments: list[Attachment] = []
        for item in found.get(message.id, []):
            attachment = await self._stored(item, MAX_OCTETS - total)
            total += attachment.size
            attachments.append(attachment)
        return tuple(attachments)

    async def _stored(self, item: Media, most: int) -> Attachment:
        if item.content_hash is not None and item.content_type is not None and item.size is not None:
            return Attachment(item.content_type, item.content_hash, item.size)
        assert item.source_url is not None, "media without octets names where they are"
        fetched = await self._fetch(item.source_url, most)
        content_type = fetched.content_type.split(";")[0].strip().lower()
        if not content_type.startswith(TYPES):
            raise MediaUnavailable(
                TYPE_REFUSED, f"Media of type {content_type or 'unknown'} cannot be sent", is_final=True
            )
        if len(fetched.octets) > most:
            raise MediaUnavailable(TOO_LARGE, f"Media exceed {MAX_OCTETS} octets", is_final=True)
        digest = hashlib.sha256(fetched.octets).digest()
        size = len(fetched.octets)
        await self._engine.write(media.fill, item.id, content_type, size, digest, fetched.octets)
        return Attachment(content_type, digest, size)
