"""WebSocket connections that the application can end at once, whatever their client does."""

from typing import Any, Final, cast

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

MAX_FRAME: Final = 64 * 1024
"""Octets of one message of a client."""
ABORT: Final = "parley.abort"
"""Key of the scope under which a function ends the connection, and drops what its client did not read."""


class AbortableWebSocket(WebSocketsSansIOProtocol):
    """uvicorn's protocol, which by itself waits for a client that reads no more."""

    async def run_asgi(self) -> None:
        """Serve the connection."""
        cast("dict[str, Any]", self.scope)[ABORT] = self._abort
        await super().run_asgi()

    def _abort(self) -> None:
        self.transport.abort()
