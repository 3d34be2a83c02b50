"""Host names to addresses, by the system's resolver, in threads of our own.

The event loop's own pool has four threads, two of them for lookups, and connecting to a literal address takes its turn
there, too: two names whose servers do not answer would keep every new connection waiting.
"""

import asyncio
import socket
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from threading import Thread
from typing import Any, Final

from aiohttp.abc import AbstractResolver, ResolveResult

from parley.webhooks.lanes import Lanes

QUICK: Final = 32
"""Lookups under way at once, but for those that are slow: they stand aside."""
MOST: Final = 256
"""Lookups under way at once, slow ones too; each is a thread."""

_NUMERIC: Final = socket.AI_NUMERICHOST | socket.AI_NUMERICSERV

Found = Sequence[tuple[Any, Any, int, str, tuple[Any, ...]]]
Ask = Callable[[str, int, int], Found]
"""Asks for the addresses of a name, for a port, in a family, however long that takes. Raises OSError."""


def ask_system(host: str, port: int, family: int) -> Found:
    """What the system says: hosts file, DNS, or whatever it is set up for."""
    return socket.getaddrinfo(host, port, family, socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG)


class Lookups(AbstractResolver):
    """One lookup at a time for each name, so that a slow one takes no other's place. `quick` is as `QUICK` says."""

    def __init__(self, ask: Ask = ask_system, quick: int = QUICK) -> None:
        self._ask = ask
        self._lanes = Lanes(1, quick)
        self._threads = asyncio.Semaphore(MOST)
        self._waiting: Counter[str] = Counter()
        self._asked: set[str] = set()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Addresses of a host. Raises OSError when it has none."""
        self._waiting[host] += 1
        try:
            place = await self._lanes.enter(host)
            try:
                async with self._threads:
                    found = await self._look_up(host, port, family)
            finally:
                self._lanes.leave(host, place)
        finally:
            self._waiting[host] -= 1
            if not self._waiting[host]:
                del self._waiting[host]
        return [
            ResolveResult(hostname=host, host=address[0], port=port, family=kind, proto=proto, flags=_NUMERIC)
            for kind, _, proto, _, address in found
            if kind == socket.AF_INET or (kind == socket.AF_INET6 and len(address) == 4 and not address[3])
        ]

    def is_crowded_out(self, host: str) -> bool:
        """Whether a name waits to be looked up and others' lookups are in its way: that is no fault of its own."""
        return host in self._waiting and host not in self._asked

    async def close(self) -> None:
        """What is under way ends by itself: no thread keeps the process."""

    async def _look_up(self, host: str, port: int, family: int) -> Found:
        loop = asyncio.get_running_loop()
        answered: asyncio.Future[Found] = loop.create_future()

        def settle(found: Found | Exception) -> None:
            if answered.done():
                return
            if isinstance(found, Exception):
                answered.set_exception(found)
            else:
                answered.set_result(found)

        def ask() -> None:
            found: Found | Exception
            try:
                found = self._ask(host, port, family)
            except UnicodeError as error:  # a name that cannot be spelled in DNS
                found = OSError(str(error))
            except Exception as error:  # noqa: BLE001 - it is raised where it is waited for
                found = error
            with suppress(RuntimeError):  # the loop is gone, and so is who asked
                loop.call_soon_threadsafe(settle, found)

        self._asked.add(host)
        try:
            Thread(target=ask, name=f"lookup {host}", daemon=True).start()
            return await answered
        finally:
            self._asked.discard(host)
