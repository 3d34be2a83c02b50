"""A connection to Relay that is made again, with growing pauses, whenever it ends."""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import version
from typing import Any, Final

import msgspec
from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException

from parley.lib.clock import SystemClock
from parley.lib.ids import Ids
from parley.lib.randomness import SystemRandomness, backoff_s
from parley.realtime.errors import Dropped, RealtimeError, Refused, Unauthorized, Unreachable
from parley.realtime.session import DISCONNECT, OnEvent, Session

_AUTHENTICATION_FAILED: Final = "-32002"
_VERSION: Final = {"major": 2, "minor": 0, "revision": 0}
"""As SignalWire's own client for Python has it."""
_GOODBYE_S: Final = 2.0
_CLOSED: Final = "The client was closed"
_log: Final = logging.getLogger("parley.realtime")


class Pauses(msgspec.Struct, frozen=True):
    """Seconds between attempts to connect: they double, less up to a half by chance."""

    first_s: float = 1.0
    most_s: float = 30.0


class Connection:
    """Speaks to one service as one project. `on_change` hears None at each beginning, and at each end the reason."""

    def __init__(
        self,
        url: str,
        authentication: Mapping[str, str],
        contexts: Sequence[str],
        on_event: OnEvent,
        on_change: Callable[[Exception | None], None],
        *,
        timeout_s: float,
        pauses: Pauses,
    ) -> None:
        self._url = url
        self._authentication = authentication
        self._contexts = list(contexts)
        self._on_event = on_event
        self._on_change = on_change
        self._timeout_s = timeout_s
        self._pauses = pauses
        self._randomness = SystemRandomness()
        self._ids = Ids(SystemClock())
        self._protocol: str | None = None
        self._authorization_state: str | None = None
        self._last_problem = ""
        self._beginnings = 0
        self._session: asyncio.Future[Session] | None = None
        self._task: asyncio.Task[None] | None = None
        self._is_stopped = False

    def start(self) -> "asyncio.Task[None]":
        """Connect, and stay connected until stopped. The task ends with Unauthorized when there is no hope."""
        if self._task is None or self._task.done():
            self._session = asyncio.get_running_loop().create_future()
            self._task = asyncio.create_task(self._stay(), name="parley.realtime")
            self._task.add_done_callback(self._ended)
        return self._task

    async def stay(self) -> None:
        """Be connected until stopped. Raises Unauthorized."""
        self._is_stopped = False
        task = self.start()
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError:
            if not task.cancelled():  # it is the caller who was cancelled
                await self.stop()
                raise

    async def stop(self) -> None:
        """Say goodbye. Requests that are under way end with Dropped, and so do new ones until somebody stays again."""
        self._is_stopped = True
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    async def session(self) -> Session:
        """The session there is, or is soon. Raises Unauthorized, Unreachable, and Dropped once this was stopped."""
        if self._is_stopped:
            raise Dropped(_CLOSED)
        self.start()
        assert self._session is not None
        try:
            async with asyncio.timeout(self._timeout_s):
                return await asyncio.shield(self._session)
        except TimeoutError:
            why = f": {self._last_problem}" if self._last_problem else ""
            raise Unreachable(f"No connection to {self._url} within {self._timeout_s:g} s{why}") from None

    def _ended(self, task: "asyncio.Task[None]") -> None:
        """Whoever still waits for a session hears why there will be none."""
        problem = None if task.cancelled() else task.exception()
        assert self._session is not None
        if not self._session.done():
            self._session.set_exception(problem or Dropped(_CLOSED))
            self._session.exception()  # nobody may be waiting

    async def _stay(self) -> None:
        attempt = 0
        while True:
            began = self._beginnings
            try:
                async with connect(
                    self._url,
                    open_timeout=self._timeout_s,
                    close_timeout=_GOODBYE_S,
                    ping_interval=None,
                    compression=None,
                ) as socket:
                    await self._live(Session(socket, self._ids, self._hear, self._timeout_s))
            except Unauthorized as problem:
                self._changed(problem)
                raise
            except (OSError, TimeoutError, WebSocketException, RealtimeError) as problem:
                self._changed(problem)
            attempt = 1 if self._beginnings > began else attempt + 1
            await asyncio.sleep(backoff_s(attempt, self._pauses.first_s, self._pauses.most_s, self._randomness))

    async def _live(self, session: Session) -> None:
        """Be connected, until something raises."""
        tasks = [asyncio.create_task(self._read(session))]
        try:
            await self._introduce(session)
            tasks.append(asyncio.create_task(session.ping()))
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _read(self, session: Session) -> None:
        try:
            await session.run()
        finally:
            self._over()

    def _over(self) -> None:
        """Whoever sends from now on waits for the next session."""
        assert self._session is not None
        if self._session.done():
            self._session = asyncio.get_running_loop().create_future()

    async def _introduce(self, session: Session) -> None:
        params: dict[str, Any] = {
            "version": _VERSION,
            "event_acks": True,
            "agent": f"parley-realtime/{version('parley')}",
            "authentication": self._authentication,
        }
        known = {"protocol": self._protocol, "authorization_state": self._authorization_state}
        params |= {name: value for name, value in known.items() if value}
        if self._contexts:
            params["contexts"] = self._contexts
        try:
            told = await session.request("signalwire.connect", params)
        except Refused as refused:
            if refused.code == _AUTHENTICATION_FAILED:
                raise Unauthorized(refused.message) from None
            raise
        session.protocol = self._protocol = str(told.get("protocol", ""))
        if not self._contexts and not self._beginnings:
            _log.warning("no contexts are named: messages come here only if the service has a default one")
        self._beginnings += 1
        self._changed(None)
        assert self._session is not None
        self._session.set_result(session)

    def _hear(self, kind: str, event: Mapping[str, Any]) -> None:
        if kind == "signalwire.authorization.state":
            self._authorization_state = str(event.get("authorization_state", ""))
        elif kind == DISCONNECT:
            self._over()
            if event.get("restart"):
                self._authorization_state = None
        else:
            self._on_event(kind, event)

    def _changed(self, problem: Exception | None) -> None:
        self._last_problem = "" if problem is None else str(problem) or type(problem).__name__
        if problem is None:
            _log.info("connected to %s", self._url)
        else:
            _log.warning("no connection to %s: %s", self._url, self._last_problem)
        self._on_change(problem)
