"""A whole Parley in this process, on a free port and a fresh store, as the official clients see it."""

import asyncio
import socket
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Final, TypeVar

import uvicorn

from parley.api.http.protocol import BoundedProtocol
from parley.api.http.websocket import MAX_FRAME, AbortableWebSocket
from parley.app import App
from parley.lib import ids
from parley.lib.clock import Clock
from parley.settings import Settings
from parley.store.connect import sqlite_path
from tests.places import lay

T = TypeVar("T")

ACCOUNT_SID: Final = "AC" + "0123456789abcdef" * 2
AUTH_TOKEN: Final = "test-token-of-the-first-account"
SECRET_KEY: Final = "a key for tests that is long enough"
_PATIENCE_S: Final = 30


class _Uvicorn(uvicorn.Server):
    """Tells when it listens, ends as soon as it is told, and leaves signals to pytest."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.is_ready = threading.Event()
        self.loop: asyncio.AbstractEventLoop | None = None
        self._ticking: asyncio.Task[None] | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        self.loop = asyncio.get_running_loop()
        await super().startup(sockets)
        self.is_ready.set()

    async def main_loop(self) -> None:
        self._ticking = asyncio.create_task(super().main_loop())
        with suppress(asyncio.CancelledError):
            await self._ticking

    def end(self) -> None:
        """End, without waiting for the next tick."""
        self.should_exit = True
        if self.loop is not None and self._ticking is not None and not self._ticking.done():
            self.loop.call_soon_threadsafe(self._ticking.cancel)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class Server:
    """A running server and the first account's credentials."""

    def __init__(self, database_url: str, clock: Clock | None = None, **settings: Any) -> None:
        if (path := sqlite_path(database_url)) is not None:
            lay(path)
        self._socket = socket.create_server(("127.0.0.1", 0))
        port = self._socket.getsockname()[1]
        self.base_url = f"http://127.0.0.1:{port}"
        self.settings = Settings(
            database_url=database_url,
            port=port,
            account_sid=ACCOUNT_SID,
            secret_key=SECRET_KEY,
            **{"auth_token": AUTH_TOKEN, **settings},
        )
        self.account_sid = ACCOUNT_SID
        self.auth_token = AUTH_TOKEN
        account_id = ids.parse_sid(ACCOUNT_SID, ("AC",))
        assert account_id is not None
        self.account_id = account_id
        self.project_id = ids.to_uuid(account_id)
        self.auth = (ACCOUNT_SID, AUTH_TOKEN)
        self.app = App(self.settings, clock)
        config = uvicorn.Config(
            self.app,
            log_config=None,
            access_log=False,
            lifespan="on",
            loop="uvloop",
            http=BoundedProtocol,
            ws=AbortableWebSocket,
            ws_max_size=MAX_FRAME,
            ws_per_message_deflate=False,
            ws_ping_interval=None,
        )
        self._uvicorn = _Uvicorn(config)
        self._thread = threading.Thread(target=self._serve, name="parley", daemon=True)

    def _serve(self) -> None:
        try:
            self._uvicorn.run(sockets=[self._socket])
        finally:
            self._uvicorn.is_ready.set()

    def start(self) -> "Server":
        """Start, and return once it answers."""
        self._thread.start()
        assert self._uvicorn.is_ready.wait(_PATIENCE_S), "the server did not start"
        assert self._uvicorn.started, "the server could not start; see the log"
        return self

    def stop(self) -> None:
        """Stop gracefully."""
        self._uvicorn.end()
        self._thread.join(_PATIENCE_S)
        assert not self._thread.is_alive(), "the server did not stop"
        self._socket.close()

    def look(self) -> None:
        """Have it look for what is due at once, as after its clock was turned by hand."""
        assert self._uvicorn.loop is not None
        self._uvicorn.loop.call_soon_threadsafe(self.app.claims.look)

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine on the server's loop, e.g. to ask its parts directly."""
        assert self._uvicorn.loop is not None
        return asyncio.run_coroutine_threadsafe(coroutine, self._uvicorn.loop).result(_PATIENCE_S)


@contextmanager
def serve(database_url: str, clock: Clock | None = None, **settings: Any) -> Iterator[Server]:
    """A server for the time of a with block."""
    server = Server(database_url, clock, **settings).start()
    try:
        yield server
    finally:
        server.stop()
