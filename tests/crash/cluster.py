"""Two nodes on one PostgreSQL under load, and what may happen to them: killed, restarted in turn, cut off."""

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any, Final

import aiohttp
import asyncpg
import msgspec

from tests.crash.callbacks import Callbacks, listening
from tests.crash.creates import AUTH, MESSAGES, Create, Creates
from tests.crash.inspection import Accounting, inspect
from tests.node import Node

PHONES: Final = tuple(f"+1415555{n:04d}" for n in range(3000, 3008))
KINDS: Final = ("killed", "cut off", "restarted in turn", "database restarted")
"""What happens to one of two nodes, or to both, in the rounds."""
TAKEN_OVER_WITHIN_S: Final = 15.0
_SLOW_S: Final = 0.5
"""How long the carrier takes over a submit when a node is killed."""
_SEEN_S: Final = 1.0
"""A fault that one node was told of is the other's by then."""
_CONNECTIONS: Final = 8
_PAUSE_S: Final = 0.02
"""Between one connection's creates: the load is steady, not the most that there can be."""


class Cluster:
    """The nodes, the load on them, and the app that hears of its messages."""

    def __init__(self, nodes: Sequence[Node], callbacks: Callbacks) -> None:
        self.nodes = nodes
        self.creates = Creates()
        self.refused = 0
        """Creates that were answered 503, in the dialect's shape and with Retry-After."""
        self.unanswered = 0
        """Creates whose connection broke before the answer."""
        self._callbacks = callbacks
        self._numbers = count(1)

    @property
    def url(self) -> str:
        return self.nodes[0].database_url

    async def under_load(self, happens: Callable[[], Awaitable[None]], before: int = 100, after: int = 100) -> None:
        """Have something happen between so many accepted messages before and after it."""
        stop = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            for n in range(_CONNECTIONS):
                group.create_task(self._load(n, stop))
            try:
                async with asyncio.timeout(60):
                    await self.creates.reach(len(self.creates.accepted) + before)
                    await happens()
                    await self.creates.reach(len(self.creates.accepted) + after)
            finally:
                stop.set()

    async def _load(self, n: int, stop: asyncio.Event) -> None:
        """One client after another create, on the node that answers."""
        at = n
        async with aiohttp.ClientSession(headers=AUTH) as session:
            while not stop.is_set():
                await asyncio.sleep(_PAUSE_S)
                create = self._create()
                form = {"To": create.recipient, "From": "+15551234567", "Body": create.body}
                if create.callback is not None:
                    form["StatusCallback"] = create.callback
                node = self.nodes[at % len(self.nodes)]
                try:
                    async with session.post(f"{node.base_url}{MESSAGES}.json", data=form) as answer:
                        body = await answer.read()
                except (aiohttp.ClientError, OSError):
                    self.unanswered += 1
                    at += 1
                    continue
                if answer.status == 503:
                    problem = msgspec.json.decode(body)
                    if (problem["status"], problem["code"]) != (503, 20503) or "Retry-After" not in answer.headers:
                        raise AssertionError(f"a 503 without its shape: {body.decode()}")
                    self.refused += 1
                    continue
                if answer.status != 201:
                    raise AssertionError(f"{answer.status}: {body.decode()}")
                await self.creates.took(msgspec.json.decode(body)["sid"], create)

    def _create(self) -> Create:
        n = next(self._numbers)
        callback = self._callbacks.url if n % 2 else None
        create = Create(PHONES[n % len(PHONES)], f"message {n}: {secrets.token_hex(8)}", callback)
        self.creates.by_body[create.body] = create
        return create

    async def inspect(self, through: Node, within_s: float = 45.0) -> "Outcome":
        """Account for everything since the beginning, as one node sees it."""
        began = time.monotonic()
        found = await inspect(through, self.creates, self._callbacks, within_s)
        took_s = time.monotonic() - began
        twice = await self._fetch(
            'SELECT count(*) FROM (SELECT 1 FROM events WHERE data LIKE \'%"outcome":"accepted"%\''
            " GROUP BY message_id HAVING count(*) > 1) AS twice"
        )
        left = await self._fetch("SELECT count(*) FROM pending")
        return Outcome(found, twice, left, took_s, self.refused, self.unanswered)

    async def sent_at(self, ids: Sequence[bytes], within_s: float = 20.0) -> list[int]:
        """When these messages were submitted, in order of time, once all of them were."""
        async with asyncio.timeout(within_s):
            while True:
                times: list[int] = await self._fetch(
                    "SELECT array_agg(at ORDER BY at) FROM events WHERE kind = 'sent' AND message_id = ANY($1)", ids
                )
                if times and len(times) == len(ids):
                    return times
                await asyncio.sleep(0.05)

    async def kill(self, victim: Node) -> None:
        """Kill a node that has submits under way, because the carrier takes its time."""
        survivor = next(node for node in self.nodes if node is not victim)
        await _slow_down(survivor, _SLOW_S)
        await asyncio.sleep(_SEEN_S)
        await asyncio.to_thread(victim.kill)
        await _slow_down(survivor, 0.0)

    async def cut_off(self) -> None:
        """End every connection of the nodes to the database, as an administrator or a failover does."""
        cut = await self._fetch(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
            " WHERE datname = current_database() AND application_name = 'parley'"
        )
        assert cut >= len(self.nodes), "they were connected"

    async def restart_in_turn(self) -> None:
        """Stop each node gracefully and start it again, the next once the one before is ready."""
        for node in self.nodes:
            await asyncio.to_thread(node.stop)
            node.start()
            await asyncio.to_thread(node.wait_ready)

    async def _fetch(self, sql: str, *values: object) -> Any:
        connection = await asyncpg.connect(self.url)
        try:
            return await connection.fetchval(sql, *values)
        finally:
            await connection.close()


async def _slow_down(through: Node, latency_s: float) -> None:
    async with (
        aiohttp.ClientSession(through.base_url, headers=AUTH, raise_for_status=True) as session,
        session.put("/simulator/faults", json={"latency_s": latency_s}),
    ):
        pass


class Outcome(msgspec.Struct, frozen=True):
    """What the books say after it happened."""

    accounting: Accounting
    submitted_twice: int
    """Messages with two accepted submits."""
    left_waiting: int
    took_s: float
    refused: int
    unanswered: int

    @property
    def is_clean(self) -> bool:
        """Whether every promise was kept."""
        return self.accounting.is_clean and not self.submitted_twice and not self.left_waiting


@asynccontextmanager
async def cluster(database_url: str, directory: Path, settings: dict[str, str] | None = None) -> AsyncIterator[Cluster]:
    """Run two nodes for the time of a with block."""
    key = secrets.token_hex(32)
    nodes = [
        Node(database_url, directory, name=f"node-{n}", secret_key=key, settings=settings, log_level="info")
        for n in (1, 2)
    ]
    async with listening() as callbacks:
        try:
            for node in nodes:
                node.start()  # both at once: one of them migrates
            for node in nodes:
                await asyncio.to_thread(node.wait_ready)
            yield Cluster(nodes, callbacks)
        finally:
            for node in nodes:
                node.kill()


async def suffer(
    database_url: str,
    directory: Path,
    rounds: int,
    restart_database: Callable[[], None] | None,
    tell: Callable[[int, str, Outcome], None],
) -> list[Outcome]:
    """Run the rounds, each kind in turn; the database is restarted only where the caller says how."""
    found: list[Outcome] = []
    async with cluster(database_url, directory) as both:
        for n in range(rounds):
            kind = KINDS[n % len(KINDS)]
            survivor = both.nodes[n % 2]
            victim = both.nodes[(n + 1) % 2]
            within_s = 45.0
            if kind == "killed":
                await both.under_load(partial(both.kill, victim))
                within_s = TAKEN_OVER_WITHIN_S
            elif kind == "cut off":
                await both.under_load(both.cut_off)
            elif kind == "restarted in turn":
                await both.under_load(both.restart_in_turn)
            elif restart_database is not None:
                await both.under_load(partial(asyncio.to_thread, restart_database))
            found.append(await both.inspect(survivor, within_s))
            tell(n + 1, kind, found[-1])
            if kind == "killed":
                victim.start()
                await asyncio.to_thread(victim.wait_ready)
    return found
