"""The client: whose it is, where the service is, and what it offers."""

import os
from collections.abc import Awaitable, Callable, Mapping, Sequence
from types import TracebackType
from typing import Any, Final, Literal, Self, TypeVar
from urllib.parse import urlsplit

from parley.realtime.connection import Connection, Pauses
from parley.realtime.handlers import Handlers
from parley.realtime.messaging import Messaging

SERVICE: Final = "relay.signalwire.com"

ClientEvent = Literal["connected", "disconnected"]
_EVENTS: Final[tuple[ClientEvent, ...]] = ("connected", "disconnected")
_SCHEMES: Final = {"": "wss", "wss": "wss", "https": "wss", "ws": "ws", "http": "ws"}

ConnectedHandler = TypeVar("ConnectedHandler", bound=Callable[..., Awaitable[None] | None])


class Client:
    """One project's connection to Relay.

    It connects when `connect` or `messaging.send` is awaited first, and again, with growing pauses, whenever the
    connection ends; the service then goes on with the same contexts. Belongs to one event loop. `async with` closes it.
    """

    def __init__(
        self,
        *,
        project: str,
        token: str,
        contexts: Sequence[str] = (),
        host: str | None = None,
        timeout_s: float = 10.0,
        pauses: Pauses | None = None,
    ) -> None:
        """`contexts` are those whose messages come here. `host` is `name`, `name:port` or a URL; `http` and `ws` speak
        without TLS. Default: SIGNALWIRE_SPACE or SIGNALWIRE_SPACE_URL of the environment, else SignalWire's service.
        `timeout_s` is how long a request may take, and connecting. Raises ValueError for what cannot be.
        """
        if not project or not token:
            raise ValueError("A client needs a project and its token")
        if isinstance(contexts, str):
            raise TypeError("contexts is a list of names")
        self._handlers = Handlers()
        self._connection = Connection(
            _url(host or os.environ.get("SIGNALWIRE_SPACE") or os.environ.get("SIGNALWIRE_SPACE_URL") or SERVICE),
            {"project": project, "token": token},
            contexts,
            self._hear,
            self._changed,
            timeout_s=timeout_s,
            pauses=pauses or Pauses(),
        )
        self.messaging = Messaging(self._connection, self._handlers)

    async def connect(self) -> None:
        """Stay connected until the client is closed. Raises Unauthorized; all else is logged, and tried again."""
        await self._connection.stay()

    async def close(self) -> None:
        """Disconnect. What is being sent then ends with Dropped, and so does what is sent until `connect` is called."""
        await self._connection.stop()

    def on(self, event: ClientEvent) -> Callable[[ConnectedHandler], ConnectedHandler]:
        """Decorate a function, async or not: `connected` takes nothing, `disconnected` the exception that says why."""
        return self._handlers.on(event, _EVENTS)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    def _hear(self, kind: str, event: Mapping[str, Any]) -> None:
        self.messaging.hear(kind, event)

    def _changed(self, problem: Exception | None) -> None:
        if problem is None:
            self._handlers.call("connected")
        else:
            self._handlers.call("disconnected", problem)


def _url(host: str) -> str:
    parts = urlsplit(host if "://" in host else f"//{host}")
    try:
        scheme, port = _SCHEMES[parts.scheme], parts.port
    except (KeyError, ValueError):
        raise ValueError(f"{host!r} is neither a host nor the URL of one") from None
    if not parts.hostname or parts.path not in ("", "/") or parts.query or parts.fragment or "@" in parts.netloc:
        raise ValueError(f"{host!r} is neither a host nor the URL of one")
    name = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{scheme}://{name}:{port}/" if port else f"{scheme}://{name}/"
