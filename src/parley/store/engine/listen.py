"""Tell the other nodes on one PostgreSQL what was committed, and hear them: NOTIFY and LISTEN on one connection apart.

Not in the transactions themselves: a commit that notifies holds a lock of the whole server, which would put the nodes'
commits in a row. What a crash between commit and NOTIFY swallows is found by polling.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final

import asyncpg
import structlog

from parley.store.engine.news import News
from parley.store.engine.statements import StoreUnavailable

log = structlog.get_logger(__name__)

CHANNEL: Final = "parley"
NOTIFY: Final = "SELECT pg_notify($1, $2)"
_GATHER_S: Final = 0.02
"""Everything that commits within this goes out as one notification."""
_PING_S: Final = 10.0
"""A connection that is silent for so long is asked whether it lives."""
_PATIENCE_S: Final = 5.0
_FIRST_RETRY_S: Final = 0.1
_LAST_RETRY_S: Final = 5.0


class Listener:
    """One node's ear and voice. `heard` is called on the event loop with what other nodes told."""

    def __init__(
        self,
        dial: Callable[[], "Awaitable[asyncpg.Connection[Any]]"],
        heard: Callable[[News], None],
    ) -> None:
        self._dial = dial
        self._heard = heard
        self._woken = asyncio.Event()
        self._own_voice = 0
        self.untold = News.NONE
        """What was committed and not told yet."""
        self.is_up = False
        """Whether the others are heard now."""

    def tell(self, news: News) -> None:
        """Tell the other nodes, together with whatever else happens within some milliseconds."""
        if news not in self.untold:
            self.untold |= news
            self._woken.set()

    async def run(self) -> None:
        """Listen and tell until cancelled, on one connection after another."""
        pause = _FIRST_RETRY_S
        while True:
            try:
                connection = await self._dial()
                try:
                    self._own_voice = connection.get_server_pid()
                    await connection.add_listener(CHANNEL, self._take)
                    connection.add_termination_listener(self._ended)
                    self.is_up = True
                    pause = _FIRST_RETRY_S
                    self._heard(News.ALL)  # whatever was told while nobody listened here
                    await self._serve(connection)
                finally:
                    self.is_up = False
                    connection.terminate()
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, StoreUnavailable) as error:
                log.warning("other nodes are not heard; polling", error=str(error) or type(error).__name__)
            await asyncio.sleep(pause)
            pause = min(2 * pause, _LAST_RETRY_S)

    async def _serve(self, connection: "asyncpg.Connection[Any]") -> None:
        while not connection.is_closed():
            self._woken.clear()
            if self.untold:
                told, self.untold = self.untold, News.NONE
                try:
                    await connection.execute(NOTIFY, CHANNEL, str(told.value), timeout=_PATIENCE_S)
                except BaseException:
                    self.untold |= told
                    raise
                await asyncio.sleep(_GATHER_S)
                continue
            try:
                async with asyncio.timeout(_PING_S):
                    await self._woken.wait()
            except TimeoutError:
                await connection.execute("SELECT 1", timeout=_PATIENCE_S)

    def _take(self, _connection: Any, sender: int, _channel: str, payload: object) -> None:
        if sender != self._own_voice and isinstance(payload, str) and payload.isdecimal():
            self._heard(News(int(payload)))

    def _ended(self, _connection: Any) -> None:
        self._woken.set()
