"""Frames on their way to one client: written one after another, and bounded for a client that does not read."""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Final

from starlette.types import Send

from parley.lib.clock import Clock

MOST_FRAMES: Final = 1000
"""Frames that wait for one client to read; events are at most `relay.WINDOW` of them."""
MOST_CHARACTERS: Final = 4 * 1024 * 1024
"""Characters of those frames."""


class Outbox:
    """What one client is still to be told. `on_written` hears of each frame that has an id, once it was written."""

    __slots__ = ("_clock", "_frames", "_length", "_on_written", "_send", "_writer", "writing_since")

    def __init__(self, send: Send, clock: Clock, on_written: Callable[[str], None]) -> None:
        self._send = send
        self._clock = clock
        self._on_written = on_written
        self._frames: deque[tuple[str, str | None]] = deque()
        self._length = 0
        self._writer: asyncio.Task[None] | None = None
        self.writing_since: float | None = None
        """Since when one frame is being written, on the monotonic clock; None when none is."""

    @property
    def is_full(self) -> bool:
        """Whether so much waits that the client is taken for one that does not read."""
        return len(self._frames) >= MOST_FRAMES or self._length >= MOST_CHARACTERS

    def put(self, text: str, id_: str | None) -> None:
        """Write a frame, after those that wait."""
        self._frames.append((text, id_))
        self._length += len(text)
        if self._writer is None:
            self._writer = asyncio.create_task(self._write())

    async def emptied(self) -> None:
        """Wait until nothing is left to write, or nobody to write it to."""
        while self._writer is not None and not self._writer.done():
            await asyncio.wait((self._writer,))

    async def _write(self) -> None:
        try:
            while self._frames:
                text, id_ = self._frames.popleft()
                self._length -= len(text)
                self.writing_since = self._clock.monotonic()
                await self._send({"type": "websocket.send", "text": text})
                self.writing_since = None
                if id_ is not None:
                    self._on_written(id_)
        except OSError:
            pass  # the client is gone, as its session hears
        finally:
            self._writer = None
