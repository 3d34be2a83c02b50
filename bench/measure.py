"""Measure: one run of a scenario against Parley between two runs of the same requests against the yardstick."""

import asyncio
import contextlib
import functools
import random
import statistics
import time
from collections.abc import Callable

import msgspec

from bench import machine, pool, servers
from bench.creates import DIALECTS, twilio
from bench.load import Load, Loader
from bench.profiling import Profiler
from bench.stores import POSTGRESQL, Stores
from tests.node import Node


class Scenario(msgspec.Struct, frozen=True):
    """What is measured: creates of one dialect over so many connections, with or without status callbacks, from one
    number or through a service. The server has one core, unless it is `spread` over all that the machine has.
    """

    engine: str
    dialect: str = "twilio"
    connections: int = 64
    callbacks: bool = False
    pool: int = 0
    """Senders of the messaging service that everything goes through; 0: through none."""

    spread: bool = False

    @property
    def name(self) -> str:
        through = f" +service of {self.pool}" if self.pool else ""
        more = f"{' +callbacks' if self.callbacks else ''}{' +all cores' if self.spread else ''}"
        return f"{self.engine} {self.dialect} {self.connections}{through}{more}"


class Bare(msgspec.Struct, frozen=True):
    """The yardstick's figures beside one run: requests a second, CPU microseconds a request."""

    rate: float
    cpu_us: float
    p99_ms: float


class Figures(msgspec.Struct, frozen=True):
    """One run's figures. Rates are messages a second, CPU is microseconds a message, memory is in MB."""

    name: str
    messages: int
    accept_rate: float
    lifecycle_rate: float
    p50_ms: float
    p99_ms: float
    slowest_ms: float
    cpu_us: float
    postgres_cpu_us: float | None
    rss_mb: float
    most_rss_mb: float
    callback_rate: float | None
    callbacks_missing: int | None
    load_cpu_share: float
    bare: Bare | None = None

    @property
    def ratio(self) -> float | None:
        """Full lifecycle against the yardstick's rate."""
        return self.lifecycle_rate / self.bare.rate if self.bare else None


def bare(process: int, port: int, connections: int, requests: list[bytes]) -> Bare:
    """Measure the yardstick."""

    async def go() -> Load:
        loader = await Loader.connect(port, connections)
        try:
            return await loader.run(requests)
        finally:
            loader.close()

    before = machine.cpu_us(process)
    load = asyncio.run(go())
    return Bare(load.rate, (machine.cpu_us(process) - before) / len(requests), load.p99 * 1000)


def parley(
    scenario: Scenario, stores: Stores, messages: int, warm_up: int, profiler: Callable[[str, int], Profiler] | None
) -> Figures:
    """Measure Parley on a fresh database."""
    with contextlib.ExitStack() as stack:
        url, database, directory = stack.enter_context(stores.fresh(scenario.engine))
        told = stack.enter_context(servers.receiver()) if scenario.callbacks else None
        node = Node(url, directory)
        with machine.on_all_cores() if scenario.spread else machine.on_core(machine.SERVER_CORE):
            node.start()
        stack.callback(node.stop)
        node.wait_ready()
        callback = f"http://127.0.0.1:{told}/status" if told else None
        chance = random.Random(messages)
        build = DIALECTS[scenario.dialect]
        if scenario.pool:
            build = functools.partial(twilio, service=pool.make(node.port, scenario.pool))
        warm = [build(chance, callback) for _ in range(warm_up)]
        requests = [build(chance, callback) for _ in range(messages)]
        watch = profiler(scenario.name, node.pid) if profiler else contextlib.nullcontext()
        return asyncio.run(_run(scenario, node, database, told, warm, requests, watch))


async def _run(
    scenario: Scenario,
    node: Node,
    database: str,
    told: int | None,
    warm: list[bytes],
    requests: list[bytes],
    watch: contextlib.AbstractContextManager[object],
) -> Figures:
    async def settle(count: int) -> tuple[float, float | None]:
        done = await servers.until(lambda: servers.delivered(node.port), count, "messages delivered")
        if told is None:
            return done, None

        async def complete() -> int:
            return (await servers.tally(told)).complete

        return done, await servers.until(complete, count, "messages called back for")

    loader = await Loader.connect(node.port, scenario.connections)
    try:
        await loader.run(warm)
        await settle(len(warm))
        is_postgresql = scenario.engine == POSTGRESQL
        with watch:
            cpu = machine.cpu_us(node.pid)
            postgres = machine.postgres_cpu_us(database) if is_postgresql else None
            started = time.perf_counter()
            load = await loader.run(requests)
            delivered_at, called_back_at = await settle(len(warm) + len(requests))
            cpu = machine.cpu_us(node.pid) - cpu
            if postgres is not None:
                postgres = (machine.postgres_cpu_us(database) or 0) - postgres
    finally:
        loader.close()
    count = len(requests)
    now, most = machine.memory_mb(node.pid)
    missing = len(warm) + count - (await servers.tally(told)).complete if told else None
    return Figures(
        scenario.name,
        count,
        load.rate,
        count / (delivered_at - started),
        load.p50 * 1000,
        load.p99 * 1000,
        load.slowest * 1000,
        cpu / count,
        postgres / count if postgres is not None else None,
        now,
        most,
        count / (called_back_at - started) if called_back_at else None,
        missing,
        load.cpu_share,
    )


def start_seconds(stores: Stores, engine: str, times: int) -> tuple[float, float]:
    """Measure from `exec` to the first 200 of /readyz, on an empty database and on one that is there: medians."""
    new: list[float] = []
    again: list[float] = []
    for _ in range(times):
        with stores.fresh(engine) as (url, _, directory):
            node = Node(url, directory)
            for seconds in (new, again):
                started = time.perf_counter()
                with machine.on_core(machine.SERVER_CORE):
                    node.start()
                try:
                    node.wait_ready()
                    seconds.append(time.perf_counter() - started)
                finally:
                    node.stop()
    return statistics.median(new), statistics.median(again)
