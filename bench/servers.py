"""The processes that a run needs beside the load: yardstick, callback receiver, and what they are asked meanwhile."""

import asyncio
import contextlib
import re
import socket
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator

import msgspec

from bench.machine import LOAD_CORE, SERVER_CORE, on_core
from bench.receiver import Tally
from tests.node import free_port

WITHIN_S = 180.0
_POLL_S = 0.03
_DELIVERED = re.compile(rb'^parley_message_states_total\{status="delivered"\} ([0-9.e+]+)$', re.MULTILINE)


@contextlib.contextmanager
def yardstick() -> Iterator[tuple[int, int]]:
    """Run the bare application on the server's core. Yields its process id and port."""
    with _process("bench.bare", SERVER_CORE) as started:
        yield started


@contextlib.contextmanager
def receiver() -> Iterator[int]:
    """Run a callback receiver on the load's core. Yields its port."""
    with _process("bench.receiver", LOAD_CORE) as (_, port):
        yield port


@contextlib.contextmanager
def _process(module: str, core: int) -> Iterator[tuple[int, int]]:
    port = free_port()
    with on_core(core):
        process = subprocess.Popen([sys.executable, "-m", module, str(port)])
    try:
        _wait_for(port, process)
        yield process.pid, port
    finally:
        process.terminate()
        process.wait()


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + 20
    while True:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        if process.poll() is not None or time.monotonic() > until:
            raise RuntimeError(f"{process.args!r} does not listen")
        time.sleep(0.01)


async def delivered(port: int) -> int:
    """Ask the server under test how many messages it has recorded as delivered."""
    found = _DELIVERED.search(await _get(port, "/metrics"))
    return int(float(found[1])) if found else 0


async def tally(port: int) -> Tally:
    """Ask the callback receiver what it was told."""
    return msgspec.json.decode(await _get(port, "/"), type=Tally)


async def until(ask: Callable[[], Awaitable[int]], wanted: int, what: str) -> float:
    """Ask again and again until the answer is at least `wanted`. Returns when (perf_counter) that was."""
    end = time.perf_counter() + WITHIN_S
    while True:
        now, have = time.perf_counter(), await ask()
        if have >= wanted:
            return time.perf_counter()
        if now > end:
            raise TimeoutError(f"{have} of {wanted} {what} after {WITHIN_S} s")
        await asyncio.sleep(_POLL_S)


async def _get(port: int, path: str) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(f"GET {path} HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n".encode())
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        length = re.search(rb"content-length: (\d+)", head)
        if not head.startswith(b"http/1.1 200") or length is None:
            raise RuntimeError(f"GET {path}: {head[:200]!r}")
        return await reader.readexactly(int(length[1]))
    finally:
        writer.close()
