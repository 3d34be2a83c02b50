"""One connection to Relay, from its handshake to its end: JSON-RPC 2.0 in text frames, both sides asking."""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, Final

import msgspec
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from parley.lib.ids import Ids, to_uuid
from parley.realtime.errors import Dropped, Refused

DISCONNECT: Final = "signalwire.disconnect"
"""Told as an event: the service is about to close the connection, and takes no more requests."""
PING_EVERY_S: Final = 30.0
"""Seconds between two questions whether the service is still there."""
_METHOD_NOT_FOUND: Final = -32601

OnEvent = Callable[[str, Mapping[str, Any]], None]
"""Takes an event's type and what it tells; it must not wait."""


class Session:
    """Asks, answers and hears events until the socket ends."""

    def __init__(self, socket: ClientConnection, ids: Ids, on_event: OnEvent, timeout_s: float) -> None:
        self._socket = socket
        self._ids = ids
        self._on_event = on_event
        self._timeout_s = timeout_s
        self._asked: dict[str, asyncio.Future[Mapping[str, Any]]] = {}
        self.protocol = ""
        """The name under which the service keeps this client's subscriptions, once it was told."""

    async def request(self, method: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
        """Ask, and return the result. Raises Refused and Dropped."""
        id = to_uuid(self._ids.new())
        answer: asyncio.Future[Mapping[str, Any]] = asyncio.get_running_loop().create_future()
        self._asked[id] = answer
        try:
            async with asyncio.timeout(self._timeout_s):
                await self._say({"jsonrpc": "2.0", "id": id, "method": method, "params": params})
                return await answer
        except ConnectionClosed as closed:
            raise Dropped(_why(closed)) from None
        except TimeoutError:
            self._socket.transport.abort()  # a service that does not answer is gone, whatever TCP thinks
            raise Dropped(f"No answer to {method} within {self._timeout_s:g} s") from None
        finally:
            del self._asked[id]

    async def run(self) -> None:
        """Read until the socket ends. Raises Dropped then."""
        try:
            async for frame in self._socket:
                await self._take(frame)
            raise Dropped("The service closed the connection")
        except ConnectionClosed as closed:
            raise Dropped(_why(closed)) from None
        finally:
            for answer in self._asked.values():
                if not answer.done():
                    answer.set_exception(Dropped("The connection ended before the answer came"))

    async def ping(self) -> None:
        """Ask now and then whether the service is still there. Raises Dropped once it is not."""
        while True:
            await asyncio.sleep(PING_EVERY_S)
            with suppress(Refused):
                await self.request("signalwire.ping", {})

    async def _take(self, frame: str | bytes) -> None:
        try:
            said = msgspec.json.decode(frame)
        except (msgspec.DecodeError, RecursionError):
            said = None
        if not isinstance(said, dict):
            raise Dropped("The service does not speak JSON-RPC")
        method, params = said.get("method"), said.get("params")
        if method is None:
            self._answered(said)
        else:
            await self._asked_for(said.get("id"), str(method), params if isinstance(params, dict) else {})

    def _answered(self, said: Mapping[str, Any]) -> None:
        answer = self._asked.get(str(said.get("id")))
        if answer is None or answer.done():
            return
        error, result = said.get("error"), said.get("result")
        if isinstance(error, dict):
            answer.set_exception(Refused(str(error.get("code")), str(error.get("message"))))
        else:
            answer.set_result(result if isinstance(result, dict) else {})

    async def _asked_for(self, id: Any, method: str, params: Mapping[str, Any]) -> None:
        result: Mapping[str, Any] = {}
        if method == "signalwire.ping":
            result = {"timestamp": params.get("timestamp")}
        elif method not in ("signalwire.event", DISCONNECT):
            error = {"code": _METHOD_NOT_FOUND, "message": f"There is no {method} here"}
            await self._say({"jsonrpc": "2.0", "id": id, "error": error})
            return
        await self._say({"jsonrpc": "2.0", "id": id, "result": result})
        if method == DISCONNECT:
            # A service that forgets to close would keep us from connecting again.
            asyncio.get_running_loop().call_later(self._timeout_s, self._socket.transport.abort)
            self._on_event(DISCONNECT, params)
        elif method == "signalwire.event" and isinstance(about := params.get("params"), dict):
            self._on_event(str(params.get("event_type")), about)

    async def _say(self, what: Mapping[str, Any]) -> None:
        await self._socket.send(msgspec.json.encode(what), text=True)


def _why(closed: ConnectionClosed) -> str:
    if closed.rcvd is None:
        return "The connection was lost"
    said = f": {closed.rcvd.reason}" if closed.rcvd.reason else ""
    return f"The service closed the connection ({closed.rcvd.code}{said})"
