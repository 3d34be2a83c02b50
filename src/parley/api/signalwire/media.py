"""Media under URLs that need no credentials: unguessable, signed, and dead after a week."""

import mimetypes
import re
from collections.abc import Mapping, Sequence
from typing import Final

from parley.api.http.endpoint import Reply
from parley.api.http.fault import Fault
from parley.api.http.signed import Signer
from parley.lib.clock import Clock
from parley.lib.ids import to_uuid
from parley.model.message import Media, Message
from parley.store import Engine, media

PATH: Final = "/api/messaging/media"
LIFETIME_DAYS: Final = 7
"""At least; a link dies at the end of a day, so that the same link is given all day."""

_DAY_US: Final = 86_400_000_000
_TYPE = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]*/[a-z0-9][a-z0-9!#$&^_.+-]*", re.ASCII)
_SHOWN: Final = ("image/", "audio/", "video/", "text/plain")


class MediaLinks:
    """Makes and reads the links. Whoever has `key` can make them."""

    def __init__(self, key: bytes) -> None:
        self._signer = Signer(key, b"media link")

    def url(self, base_url: str, item: Media, now: int) -> str:
        """Where an attachment can be had. One that was not fetched yet is only where the client said it is."""
        if item.content_hash is None and item.source_url is not None:
            return item.source_url
        expires_day = now // _DAY_US + LIFETIME_DAYS + 1
        said = item.account_id + item.message_id + item.id + expires_day.to_bytes(4)
        return f"{base_url}{PATH}/{self._signer.token(said)}"

    def read(self, token: str, now: int) -> tuple[bytes, bytes, bytes] | None:
        """Account, message and attachment that a token names; None when it is not ours, or no longer good."""
        said = self._signer.read(token)
        if said is None or now // _DAY_US >= int.from_bytes(said[48:]):
            return None
        return said[:16], said[16:32], said[32:48]


class MediaShelf:
    """The links of messages' media, for answers of the API."""

    def __init__(self, engine: Engine, links: MediaLinks, clock: Clock) -> None:
        self._engine = engine
        self._links = links
        self._clock = clock

    async def urls(self, base_url: str, messages: Sequence[Message]) -> Mapping[bytes, Sequence[str]]:
        """The media URLs of each message that has media, under its id."""
        wanted = [message.id for message in messages if message.num_media]
        if not wanted:
            return {}
        now = self._clock.now()
        found = await self._engine.read(media.of_messages, wanted)
        return {id: [self._links.url(base_url, item, now) for item in items] for id, items in found.items()}


class MediaDownload:
    """`GET /api/messaging/media/{token}`: the octets. The token is the credential."""

    def __init__(self, engine: Engine, links: MediaLinks, clock: Clock) -> None:
        self._engine = engine
        self._links = links
        self._clock = clock

    async def octets(self, token: str) -> Reply:
        """What a link leads to. Raises Fault(not_found)."""
        named = self._links.read(token, self._clock.now())
        item = await self._engine.read(media.fetch, *named) if named is not None else None
        octets = None
        if item is not None and item.content_hash is not None:
            octets = await self._engine.read(media.content, item.content_hash)
        if item is None or octets is None:
            raise Fault("not_found")
        return download(item, octets)


def download(item: Media, octets: bytes) -> Reply:
    """An attachment as an answer that no browser takes for a page of this origin, whatever its type claims."""
    kind = (item.content_type or "").lower()
    if _TYPE.fullmatch(kind) is None:
        kind = "application/octet-stream"
    is_shown = kind.startswith(_SHOWN) and kind != "image/svg+xml"
    name = to_uuid(item.id) + (mimetypes.guess_extension(kind) or "")
    headers = (
        (b"content-disposition", f'{"inline" if is_shown else "attachment"}; filename="{name}"'.encode()),
        (b"content-security-policy", b"default-src 'none'; sandbox"),
        (b"x-content-type-options", b"nosniff"),
        (b"cache-control", b"private, max-age=86400"),
        (b"etag", f'"{(item.content_hash or item.id).hex()[:32]}"'.encode()),
    )
    return Reply(200, octets, kind.encode(), headers)
