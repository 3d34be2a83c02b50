"""A Relay service as the protocol's notes have it, which does what a test tells it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import msgspec
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from parley.realtime import Client
from parley.realtime.connection import Pauses

Frame = dict[str, Any]
Answer = Callable[[Frame], Frame | None]

PROJECT, TOKEN = "a-project", "a-token"
PATIENCE_S = 10


def accept(asked: Frame) -> Frame | None:
    """What a service answers that has no objections."""
    if asked["method"] == "signalwire.connect":
        if asked["params"]["authentication"] != {"project": PROJECT, "token": TOKEN}:
            return {"error": {"code": -32002, "message": "Authentication failed"}}
        protocol = asked["params"].get("protocol", "signalwire_sig_1_2")
        return {"result": {"identity": "i", "protocol": protocol, "authorization": {"signature": "sig"}}}
    if asked["method"] == "messaging.send":
        return {"result": {"code": "200", "message": "Message accepted", "message_id": "m-1"}}
    return {"result": {}}


class Stub:
    """Records each frame that comes, and answers requests by `answer`; None leaves one unanswered."""

    def __init__(self) -> None:
        self.answer: Answer = accept
        self.frames: list[Frame] = []
        self.port = 0
        self._changed = asyncio.Condition()
        self._socket: ServerConnection | None = None
        self._server: Server | None = None

    async def listen(self) -> None:
        """Take connections, on the same port each time."""
        self._server = await serve(self._serve, "127.0.0.1", self.port)
        self.port = next(iter(self._server.sockets)).getsockname()[1]

    async def close(self) -> None:
        """End all connections, and take no more."""
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()

    async def say(self, frame: Frame | str) -> None:
        """Send a frame to the client that came last."""
        assert self._socket is not None
        text = frame if isinstance(frame, str) else msgspec.json.encode(frame).decode()
        await self._socket.send(text)

    async def tell(self, kind: str, **about: Any) -> None:
        """Send an event."""
        event = {"event_type": kind, "params": about, "context": about.get("context")}
        await self.say({"jsonrpc": "2.0", "id": "event", "method": "signalwire.event", "params": event})

    async def hang_up(self) -> None:
        """End the connection that came last, without a word."""
        assert self._socket is not None
        self._socket.transport.abort()

    async def wait(self, method: str | None = None, count: int = 1, **about: Any) -> list[Frame]:
        """The requests of a method, or the answers to an id, once there are so many."""

        def found() -> list[Frame]:
            named = [frame for frame in self.frames if frame.get("method") == method]
            return [frame for frame in named if all(frame.get(name) == value for name, value in about.items())]

        async with self._changed, asyncio.timeout(PATIENCE_S):
            await self._changed.wait_for(lambda: len(found()) >= count)
        return found()

    async def _serve(self, socket: ServerConnection) -> None:
        self._socket = socket
        try:
            async for text in socket:
                frame: Frame = msgspec.json.decode(text)
                async with self._changed:
                    self.frames.append(frame)
                    self._changed.notify_all()
                answer = self.answer(frame) if "method" in frame else None
                if answer is not None:
                    await self.say({"jsonrpc": "2.0", "id": frame["id"], **answer})
        except ConnectionClosed:
            pass


@asynccontextmanager
async def stub() -> AsyncIterator[Stub]:
    """A service that listens, for the time of a with block."""
    service = Stub()
    await service.listen()
    try:
        yield service
    finally:
        await service.close()


def client(service: Stub, **options: Any) -> Client:
    """A client of it that does not wait long."""
    usual: dict[str, Any] = {"project": PROJECT, "token": TOKEN, "host": f"ws://127.0.0.1:{service.port}"}
    return Client(pauses=Pauses(0.01, 0.02), **usual | options)
