"""Bad hosts: what one callback host that hangs and one that fails, of twenty, do to the other eighteen and to sending.

Each run has a paced part, in which the latency of callbacks is measured from the create to the app, and then a burst,
in which the rate is. The same is run with twenty good hosts before and after.
"""

import asyncio
import contextlib
import random
import time
from collections.abc import AsyncIterator, Sequence
from typing import Final, Literal, cast

import msgspec

from bench import machine, servers
from bench.creates import DIALECTS
from bench.load import Loader
from bench.stores import Stores
from tests.node import Node, free_port

HOSTS: Final = 20
GOOD: Final = 18
RATE: Final = 100
"""Messages a second of the paced part, over all hosts."""
CONNECTIONS: Final = 64
MOST_P99_TIMES: Final = 2.0
MOST_RATE_LOSS: Final = 0.2
WITHIN_S: Final = 60.0

Kind = Literal["good", "hangs", "fails"]
_GOOD_ONES: Final[tuple[Kind, ...]] = ("good",) * GOOD
_BAD_ONES: Final[tuple[Kind, ...]] = ("hangs", "fails")


class Figures(msgspec.Struct, frozen=True):
    """One run: latency of the good hosts' callbacks in ms, messages accepted a second, callbacks that never came."""

    name: str
    callbacks: int
    p50_ms: float
    p99_ms: float
    accept_rate: float
    missing: int


class _App(asyncio.Protocol):
    """One host: answers 204 or 500, or never. Each request's path is the number of its message."""

    def __init__(self, kind: Kind, came: dict[int, list[float]]) -> None:
        self._kind = kind
        self._came = came
        self._buffer = b""
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        if self._kind == "hangs":
            return
        data = self._buffer + data
        while (end := data.find(b"\r\n\r\n")) >= 0:
            head = data[:end].lower()
            at = head.find(b"content-length: ")
            size = int(head[at + 16 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
            if len(data) < end + 4 + size:
                break
            data = data[end + 4 + size :]
            if self._kind == "good":
                self._came.setdefault(int(head.split(b" ", 2)[1][1:]), []).append(time.perf_counter())
                self._transport.write(b"HTTP/1.1 204 No Content\r\n\r\n")
            else:
                self._transport.write(b"HTTP/1.1 500 Internal Server Error\r\ncontent-length: 0\r\n\r\n")
        self._buffer = data


@contextlib.asynccontextmanager
async def _apps(kinds: Sequence[Kind]) -> AsyncIterator[tuple[list[int], dict[int, list[float]]]]:
    """Run one host of each kind. Yields their ports, and when callbacks of which message came."""
    came: dict[int, list[float]] = {}
    ports: list[int] = []
    async with contextlib.AsyncExitStack() as stack:
        for kind in kinds:
            port = free_port()

            def made(kind: Kind = kind) -> _App:
                return _App(kind, came)

            await stack.enter_async_context(await asyncio.get_running_loop().create_server(made, "127.0.0.1", port))
            ports.append(port)
        yield ports, came


async def _paced(port: int, requests: Sequence[bytes]) -> list[float]:
    """Send so many a second, each on a connection of its own. Returns when each was sent."""
    sent = [0.0] * len(requests)

    async def send(n: int, request: bytes) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            sent[n] = time.perf_counter()
            writer.write(request)
            head = await reader.readuntil(b"\r\n")
            if head[9:12] != b"201":
                raise RuntimeError(f"a create was answered {head!r}")
        finally:
            writer.close()

    started = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for n, request in enumerate(requests):
            await asyncio.sleep(max(0.0, started + n / RATE - time.perf_counter()))
            group.create_task(send(n, request))
    return sent


async def _run(name: str, node: Node, kinds: Sequence[Kind], paced: int, burst: int) -> Figures:
    chance = random.Random(burst)
    build = DIALECTS["twilio"]
    async with _apps(kinds) as (ports, came):
        requests = [build(chance, f"http://127.0.0.1:{ports[n % HOSTS]}/{n}") for n in range(paced + burst)]
        good = [n for n in range(len(requests)) if n % HOSTS < GOOD]

        async def settle(most: int) -> int:
            """Wait until the apps were told of these messages' two states; how many were not told in time."""
            wanted = [n for n in good if n < most]

            async def complete() -> int:
                return sum(len(came.get(n, ())) >= 2 for n in wanted)

            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(WITHIN_S):
                    await servers.until(complete, len(wanted), "messages called back for")
            return len(wanted) - await complete()

        sent = await _paced(node.port, requests[:paced])
        await settle(paced)  # the burst must not delay the last of the paced part
        loader = await Loader.connect(node.port, CONNECTIONS)
        try:
            load = await loader.run(requests[paced:])
        finally:
            loader.close()
        missing = await settle(len(requests))
        latencies = sorted(at - sent[n] for n in good if n < paced for at in came.get(n, ()))
        return Figures(
            name,
            len(latencies),
            latencies[len(latencies) // 2] * 1000,
            latencies[len(latencies) * 99 // 100] * 1000,
            load.rate,
            missing,
        )


def measure(stores: Stores, engine: str, paced: int, burst: int) -> list[Figures]:
    """Run with twenty good hosts, with eighteen, and with twenty again, each on a fresh database."""
    runs: list[Figures] = []
    for name, rest in (("all good", _GOOD_ONES[:2]), ("two bad", _BAD_ONES), ("all good again", _GOOD_ONES[:2])):
        kinds: tuple[Kind, ...] = (*_GOOD_ONES, *rest)
        with stores.fresh(engine) as (url, _, directory):
            node = Node(url, directory)
            with machine.on_core(machine.SERVER_CORE):
                node.start()
            try:
                node.wait_ready()
                runs.append(asyncio.run(_run(name, node, kinds, paced, burst)))
            finally:
                node.stop()
    return runs


def table(engine: str, runs: Sequence[Figures]) -> str:
    """Lay the runs out, one a line, and hold them against the targets."""
    lines = [
        f"{engine} {run.name:<15} callbacks p50 {run.p50_ms:7.1f} ms  p99 {run.p99_ms:7.1f} ms  "
        f"accepted {run.accept_rate:7,.0f}/s  missing {run.missing}"
        for run in runs
    ]
    return "\n".join([*lines, *(f"{'met   ' if met else 'MISSED'}  {text}" for text, met in verdicts(runs))])


def verdicts(runs: Sequence[Figures]) -> list[tuple[str, bool]]:
    """Each target with what was measured, against the mean of the two runs without bad hosts."""
    before, bad, after = runs
    times = bad.p99_ms / ((before.p99_ms + after.p99_ms) / 2)
    loss = 1 - bad.accept_rate / ((before.accept_rate + after.accept_rate) / 2)
    return [
        (f"bad hosts: p99 of the others' callbacks < {MOST_P99_TIMES} x: {times:.2f}", times < MOST_P99_TIMES),
        (f"bad hosts: send rate less by < {MOST_RATE_LOSS:.0%}: {loss:.0%}", loss < MOST_RATE_LOSS),
        (f"bad hosts: no callback of the others missing: {bad.missing}", bad.missing == 0),
    ]
