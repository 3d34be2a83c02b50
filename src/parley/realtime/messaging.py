"""Messages over Relay: sending them, and hearing of those that come and of what becomes of those that went."""

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final, Literal, TypeVar

import msgspec

from parley.realtime.connection import Connection
from parley.realtime.errors import Refused
from parley.realtime.handlers import Handlers

MessageEvent = Literal["message.received", "message.updated"]

_EVENTS: Final[Mapping[str, MessageEvent]] = MappingProxyType(
    {"messaging.receive": "message.received", "messaging.state": "message.updated"}
)

_log: Final = logging.getLogger("parley.realtime")


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """A message as an event tells of it."""

    message_id: str
    direction: str
    """`inbound` or `outbound`."""
    from_number: str
    to_number: str
    body: str
    media: list[str]
    """URLs."""
    segments: int
    state: str
    """`received`; or `queued`, `initiated`, `sent`, `delivered`, `undelivered`, `failed`."""
    reason: str | None
    """Why it is `undelivered` or `failed`."""
    context: str
    tags: list[str]


class Sent(msgspec.Struct, frozen=True):
    """A message that the service has accepted."""

    message_id: str


MessageHandler = TypeVar("MessageHandler", bound=Callable[[Message], Awaitable[None] | None])


class Messaging:
    """A client's messages."""

    def __init__(self, connection: Connection, handlers: Handlers) -> None:
        self._connection = connection
        self._handlers = handlers

    def on(self, event: MessageEvent) -> Callable[[MessageHandler], MessageHandler]:
        """Decorate a function, async or not, that takes each Message that was received, or whose state changed."""
        return self._handlers.on(event, _EVENTS.values())

    async def send(
        self,
        *,
        from_number: str,
        to_number: str,
        body: str | None = None,
        media: Sequence[str] | None = None,
        context: str | None = None,
        tags: Sequence[str] | None = None,
        region: str | None = None,
        status_callback: str | None = None,
    ) -> Sent:
        """Send a text, or with `media` (URLs) an MMS; connects when that was not done yet.

        `context` is whose clients hear what becomes of it; this one alone unless given. `status_callback` is a URL that
        hears it too, which is Parley's addition. Raises Refused, Unauthorized, Unreachable (nothing was sent) and
        Dropped (it may have been sent).
        """
        session = await self._connection.session()
        params = {
            "from_number": from_number,
            "to_number": to_number,
            "body": body,
            "media": None if media is None else list(media),
            "context": context or session.protocol,
            "tags": None if tags is None else list(tags),
            "region": region,
            "status_callback": status_callback,
        }
        told = await session.request(
            "messaging.send", {name: value for name, value in params.items() if value is not None}
        )
        code = str(told.get("code", ""))
        if not code.startswith("2"):
            raise Refused(code, str(told.get("message", "")), told.get("errors") or ())
        return Sent(str(told.get("message_id", "")))

    def hear(self, kind: str, about: Mapping[str, Any]) -> None:
        """Take an event of Relay; those that are not about messages are none of our business."""
        if kind not in _EVENTS:
            return
        try:
            message = _message(about)
        except (TypeError, ValueError) as problem:
            _log.warning("a %s made no sense: %s", kind, problem)
            return
        self._handlers.call(_EVENTS[kind], message)


def _message(about: Mapping[str, Any]) -> Message:
    """A message of which no part is missing, whatever the service left out."""
    reason = about.get("reason")
    return Message(
        message_id=str(about.get("message_id") or ""),
        direction=str(about.get("direction") or ""),
        from_number=str(about.get("from_number") or ""),
        to_number=str(about.get("to_number") or ""),
        body=str(about.get("body") or ""),
        media=[str(url) for url in about.get("media") or ()],
        segments=int(about.get("segments") or 0),
        state=str(about.get("message_state") or ""),
        reason=None if reason is None else str(reason),
        context=str(about.get("context") or ""),
        tags=[str(tag) for tag in about.get("tags") or ()],
    )
