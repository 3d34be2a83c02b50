"""Media of outgoing messages: fetch what a URL names, check it, store it once, attach it."""

import hashlib
from collections.abc import Awaitable, Callable
from typing import ClassVar, Final

import msgspec

from parley.core.carrier import Attachment
from parley.core.media_limits import LENIENT, MediaLimits, Which, limits_of
from parley.model.message import Media, Message
from parley.store import Engine, media

MAX_OCTETS: Final = LENIENT.octets
"""Of one message's media together, at most."""
TYPES: Final = LENIENT.types

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

    def __init__(self, engine: Engine, fetch: Fetch, limits: Which = "lenient") -> None:
        self._engine = engine
        self._fetch = fetch
        self._limits: Which = limits

    async def attachments(self, message: Message) -> tuple[Attachment, ...]:
        """A message's attachments, all stored. Raises MediaUnavailable."""
        found = await self._engine.read(media.of_messages, [message.id])
        limits = limits_of(message, self._limits)
        total = 0
        attachments: list[Attachment] = []
        for item in found.get(message.id, []):
            attachment = await self._stored(item, limits, limits.octets - total)
            total += attachment.size
            attachments.append(attachment)
        return tuple(attachments)

    async def _stored(self, item: Media, limits: MediaLimits, most: int) -> Attachment:
        if item.content_hash is not None and item.content_type is not None and item.size is not None:
            return Attachment(item.content_type, item.content_hash, item.size)
        assert item.source_url is not None, "media without octets names where they are"
        try:
            fetched = await self._fetch(item.source_url, most)
        except MediaUnavailable as error:
            raise _too_large(limits) if error.code == TOO_LARGE else error from None
        content_type = fetched.content_type.split(";")[0].strip().lower()
        if not content_type.startswith(limits.types):
            raise MediaUnavailable(
                TYPE_REFUSED, f"Media of type {content_type or 'unknown'} cannot be sent", is_final=True
            )
        if len(fetched.octets) > most:
            raise _too_large(limits)
        if not fetched.octets:
            raise MediaUnavailable(RETRIEVAL_FAILED, "the answer is empty", is_final=True)
        digest = hashlib.sha256(fetched.octets).digest()
        size = len(fetched.octets)
        await self._engine.write(media.fill, item.id, content_type, size, digest, fetched.octets)
        return Attachment(content_type, digest, size)


def _too_large(limits: MediaLimits) -> MediaUnavailable:
    return MediaUnavailable(TOO_LARGE, f"media of more than {limits.octets} octets", is_final=True)
