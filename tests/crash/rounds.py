"""Rounds: load a server, kill it at a moment of chance, start it again on the same data, and inspect."""

import asyncio
import random
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Final

import aiohttp

from tests.crash.callbacks import Callbacks, listening
from tests.crash.creates import AUTH, Create, Creates
from tests.crash.inspection import Accounting, inspect
from tests.node import Node

KINDS: Final = ("accepting", "dispatching", "starting", "twice")
"""When a round kills: while messages come in; while the carrier has them; again while starting; again under load."""
PHONES: Final = tuple(f"+1415555{n:04d}" for n in range(2000, 2008))
_SLOW_S: Final = 0.25
"""How long the carrier takes over a submit while a round is `dispatching`."""
_STARTING_S: Final = (0.05, 0.9)
"""A start takes about a second: a kill after so long hits the imports, the migrations, or the first claims."""


class Crash:
    """One server on one database through all its rounds."""

    def __init__(self, node: Node, callbacks: Callbacks, messages: int, seed: int) -> None:
        self._node = node
        self._callbacks = callbacks
        self._messages = messages
        self._chance = random.Random(seed)
        self._creates = Creates()
        self._numbers = count(1)

    async def first_start(self) -> None:
        """Start on the empty database, and be killed at it."""
        await self._killed_start()
        await self._start()

    async def round(self, kind: str) -> Accounting:
        """Load, kill, start again, and inspect everything since the first round."""
        await self._faults({"latency_s": _SLOW_S if kind == "dispatching" else 0.0})
        await self._killed_load()
        if kind == "starting":
            await self._killed_start()
        if kind == "twice":
            await self._start()
            await self._killed_load()
        await self._start()
        await self._faults({"latency_s": 0.0})
        return await inspect(self._node, self._creates, self._callbacks)

    async def _killed_load(self) -> None:
        """Kill once so many were accepted, while others are on their way."""
        creates = [self._create() for _ in range(self._messages)]
        before = len(self._creates.accepted)
        kill_at = before + self._chance.randint(self._messages // 10, self._messages * 9 // 10)
        load = asyncio.create_task(self._creates.run(self._node, creates))
        reached = asyncio.create_task(self._creates.reach(kill_at))
        await asyncio.wait((load, reached), return_when=asyncio.FIRST_COMPLETED)
        self._node.kill()
        reached.cancel()
        await load
        if len(self._creates.accepted) < kill_at:
            raise AssertionError(f"the server went before it was killed: {self._node.last_words()}")

    async def _killed_start(self) -> None:
        self._node.start()
        await asyncio.sleep(self._chance.uniform(*_STARTING_S))
        self._node.kill()

    async def _start(self) -> None:
        self._node.start()
        await asyncio.to_thread(self._node.wait_ready)

    def _create(self) -> Create:
        n = next(self._numbers)
        callback = self._callbacks.url if n % 2 else None
        return Create(self._chance.choice(PHONES), f"message {n}: {self._chance.getrandbits(64):016x}", callback)

    async def _faults(self, faults: dict[str, float]) -> None:
        async with (
            aiohttp.ClientSession(self._node.base_url, headers=AUTH, raise_for_status=True) as session,
            session.put("/simulator/faults", json=faults),
        ):
            pass


async def crash(
    database_url: str,
    directory: Path,
    rounds: int,
    seed: int,
    tell: Callable[[int, str, Accounting], None],
    messages: int = 300,
) -> list[Accounting]:
    """Run the rounds, each kind in turn from one of chance. `tell` hears of each; so many messages a load."""
    node = Node(database_url, directory)
    offset = random.Random(seed).randrange(len(KINDS))
    found: list[Accounting] = []
    async with listening() as callbacks:
        try:
            runner = Crash(node, callbacks, messages, seed)
            await runner.first_start()
            for n in range(rounds):
                kind = KINDS[(offset + n) % len(KINDS)]
                found.append(await runner.round(kind))
                tell(n + 1, kind, found[-1])
        finally:
            node.kill()
    return found
