"""The app that outlives the server: notes which states of which messages it was told of, and wakes who waits."""

import asyncio
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from typing import Final

from aiohttp import web

PROMISED: Final = frozenset({"sent", "delivered"})


class Callbacks:
    """What came at `url`, by message SID."""

    def __init__(self) -> None:
        self.url = ""
        self.told: dict[str, list[str]] = {}
        self._arrived = asyncio.Condition()

    async def take(self, request: web.Request) -> web.Response:
        form = await request.post()
        sid, status = str(form["MessageSid"]), str(form["MessageStatus"])
        async with self._arrived:
            self.told.setdefault(sid, []).append(status)
            self._arrived.notify_all()
        return web.Response(status=204)

    def missing(self, sids: Collection[str]) -> list[tuple[str, str]]:
        """List the states of these messages that nobody told of."""
        return [(sid, status) for sid in sids for status in sorted(PROMISED.difference(self.told.get(sid, ())))]

    def repeated(self, sids: Collection[str]) -> int:
        """Count callbacks that came more than once, which a crash between delivery and its record may cause."""
        return sum(len(told) - len(set(told)) for sid in sids if (told := self.told.get(sid)))

    async def complete(self, sids: Collection[str], within_s: float) -> None:
        """Return once these messages' states were all told of, or when the time is over."""
        try:
            async with asyncio.timeout(within_s), self._arrived:
                await self._arrived.wait_for(lambda: not self.missing(sids))
        except TimeoutError:
            pass


@asynccontextmanager
async def listening() -> AsyncIterator[Callbacks]:
    """Take callbacks for the time of a with block."""
    callbacks = Callbacks()
    app = web.Application()
    app.router.add_post("/status", callbacks.take)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0]
    callbacks.url = f"http://{host}:{port}/status"
    try:
        yield callbacks
    finally:
        await runner.cleanup()
