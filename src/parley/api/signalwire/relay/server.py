"""Relay's connections on a node: let them in, ask now and then who is there, and send them on when the node stops."""

import asyncio
from collections import deque
from typing import Final

from starlette.types import Receive, Scope, Send

from parley.api.signalwire.relay.session import Parts, Session

PATHS: Final = frozenset({"/", "/api/relay/wss"})
"""What current clients ask for, and what older ones did."""
_LOOK_S: Final = 0.5
_GOODBYE_S: Final = 0.25
"""How long clients have to read that they should connect again."""


class RelayServer:
    """The ASGI application of the port's WebSocket connections."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._sessions: deque[Session] = deque()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._goodbye: asyncio.Task[None] | None = None
        self._is_stopping = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection. Elsewhere than on Relay's paths, and once the node stops, it is refused (403)."""
        if scope["path"] not in PATHS or self._is_stopping:
            await receive()
            await send({"type": "websocket.close", "code": 1008})
            return
        self._loop = asyncio.get_running_loop()
        await Session(self._parts, scope, receive, send).run(self._connected)

    def _connected(self, session: Session) -> None:
        session.next_tick_at = self._parts.clock.monotonic() + self._parts.ping_s
        self._sessions.append(session)  # all wait equally long, so that the first is the next whose turn comes

    async def turn(self) -> float:
        """Look after those whose turn has come; seconds until the next one's."""
        now = self._parts.clock.monotonic()
        while self._sessions and self._sessions[0].next_tick_at <= now:
            session = self._sessions.popleft()
            session.tick(now)
            if session.is_connected:
                session.next_tick_at = now + self._parts.ping_s
                self._sessions.append(session)
        return min(_LOOK_S, self._parts.ping_s / 4)

    def stop(self) -> None:
        """Let nobody in any more, and ask all clients to connect again. May be called from a signal's handler."""
        if not self._is_stopping:
            self._is_stopping = True
            if self._loop is not None:
                self._loop.call_soon_threadsafe(self._send_on)

    def _send_on(self) -> None:
        for session in self._sessions:
            session.restart()
        if self._sessions:
            self._goodbye = asyncio.create_task(self._close())

    async def _close(self) -> None:
        await asyncio.sleep(_GOODBYE_S)
        await asyncio.gather(*(session.close() for session in self._sessions))
