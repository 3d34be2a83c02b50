"""Media: the attachments of a message, and their octets. Source: twilio.com/docs/messaging/api/media-resource."""

import re
from typing import Final

from parley.api.http.endpoint import NO_CONTENT, Call, Reply, json_reply
from parley.api.http.fault import Fault
from parley.api.twilio import pages, render
from parley.api.twilio.parameters import period
from parley.api.twilio.paths import MEDIA, MESSAGE, check_account, check_nothing_asked, resource_id
from parley.core.amend import Amending
from parley.lib.clock import Clock
from parley.model.message import Media, Message
from parley.store import Engine, media

_FILTERS: Final = pages.PARAMETERS | {"DateCreated", "DateCreated<", "DateCreated>"}
_TYPE = re.compile(r"[\w.+-]+/[\w.+-]+(?:; ?[\w.+-]+=[\w.+-]+)*", re.ASCII)
_CONFINED: Final = (
    (b"x-content-type-options", b"nosniff"),
    # A stranger's document is served from the origin of our API and dashboard: it may run nothing there.
    (b"content-security-policy", b"default-src 'none'; sandbox"),
    (b"cache-control", b"private, max-age=3600"),
)


class MediaList:
    """The operations on a message's media."""

    def __init__(self, engine: Engine, amending: Amending, clock: Clock) -> None:
        self._engine = engine
        self._amending = amending
        self._clock = clock

    async def list(self, call: Call) -> Reply:
        """A page of a message's media, in their order."""
        message = await self._message(call)
        form = call.arguments()
        form.allow(_FILTERS)
        page = pages.page_of(form)
        created_from, created_before = period(form, "DateCreated")
        found = await self._engine.read(
            media.page,
            message.id,
            page.limit,
            page.after,
            backwards=page.backwards,
            skip=page.skip,
            created_from=created_from,
            created_before=created_before,
        )
        path = f"{render.message_path(message)}/Media.json"
        return pages.page_reply(
            "media_list", path, form, page, found, lambda item: item.id, lambda item: render.media(message, item)
        )

    async def fetch(self, call: Call) -> Reply:
        """One attachment's resource."""
        check_nothing_asked(call)
        message, item = await self._named(call)
        return json_reply(200, render.media(message, item))

    async def octets(self, call: Call) -> Reply:
        """The attachment itself, under its own content type."""
        _, item = await self._named(call)
        digest = item.content_hash
        if digest is None:  # of an outgoing message whose media were not fetched yet
            raise Fault("not_found")
        tag = f'"{digest.hex()}"'.encode()
        headers = (*_CONFINED, (b"etag", tag))
        if tag in call.headers.get(b"if-none-match", b""):
            return Reply(304, headers=headers)
        octets = await self._engine.read(media.content, digest)
        if octets is None:
            raise Fault("not_found")
        kind = item.content_type or ""
        content_type = kind if _TYPE.fullmatch(kind) else "application/octet-stream"
        return Reply(200, octets, content_type.encode(), headers)

    async def delete(self, call: Call) -> Reply:
        """Delete one attachment."""
        check_nothing_asked(call)
        message, item = await self._named(call)
        gone = await self._engine.write(media.forget, message.account_id, message.id, item.id, self._clock.now())
        if not gone:
            raise Fault("not_found")
        return NO_CONTENT

    async def _message(self, call: Call) -> Message:
        check_account(call)
        return await self._amending.fetch(call.account.id, resource_id(call, MESSAGE, "MessageSid"))

    async def _named(self, call: Call) -> tuple[Message, Media]:
        message = await self._message(call)
        item = await self._engine.read(media.fetch, message.account_id, message.id, resource_id(call, MEDIA))
        if item is None:
            raise Fault("not_found")
        return message, item
