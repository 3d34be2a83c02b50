"""`python -m bench.relay`: what idle Relay clients cost in memory, and how many events a second reach those that read.

The server is a process of its own on one core; the clients, which do as little as will do, are on another.
"""

import argparse
import asyncio
import base64
import json
import os
import resource
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, cast

import uvloop

from bench.machine import LOAD_CORE, SERVER_CORE, on_core
from bench.report import keep
from parley.lib import ids
from tests.node import ACCOUNT_SID, AUTH_TOKEN, Node

MOST_IDLE_KB: Final = 30.0
LEAST_EVENTS: Final = 2_000.0
_WITHIN_S: Final = 120.0
_AT_ONCE: Final = 100
_TICKS: Final = os.sysconf("SC_CLK_TCK")
_CONTEXT: Final = "bench"


class Client(asyncio.Protocol):
    """A connection that answers what it is asked, and hands each event to `heard`."""

    def __init__(self, heard: Callable[[dict[str, Any]], None], contexts: tuple[str, ...]) -> None:
        self._heard = heard
        self._contexts = contexts
        self._buffer = b""
        self._is_open = False
        self.connected: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.sent: dict[str, asyncio.Future[None]] = {}

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        key = base64.b64encode(os.urandom(16)).decode()
        self.transport.write(
            "GET / HTTP/1.1\r\nHost: bench\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
        )

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.connected.done():
            self.connected.set_exception(ConnectionError("closed before it was connected"))

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if not self._is_open:
            head, end, rest = self._buffer.partition(b"\r\n\r\n")
            if not end:
                return
            assert head.startswith(b"HTTP/1.1 101"), head
            self._is_open, self._buffer = True, rest
            project = ids.parse_sid(ACCOUNT_SID, ("AC",))
            assert project is not None
            authentication = {"project": ids.to_uuid(project), "token": AUTH_TOKEN}
            params = {"authentication": authentication, "event_acks": True, "contexts": self._contexts}
            self.put({"id": "connect", "method": "signalwire.connect", "params": params})
        while (payload := self._frame()) is not None:
            self._take(json.loads(payload))

    def _frame(self) -> bytes | None:
        buffer = self._buffer
        if len(buffer) < 4:
            return None
        size, start = buffer[1], 2
        if size == 126:
            size, start = int.from_bytes(buffer[2:4], "big"), 4
        if len(buffer) < start + size:
            return None
        self._buffer = buffer[start + size :]
        return buffer[start : start + size]

    def _take(self, frame: dict[str, Any]) -> None:
        if frame.get("id") == "connect":
            self.connected.set_result(None)
        elif "method" not in frame:
            self.sent.pop(frame["id"]).set_result(None)
        else:
            self.put({"id": frame["id"], "result": {}})
            if frame["method"] == "signalwire.event":
                self._heard(frame["params"])

    def send(self, n: int) -> "asyncio.Future[None]":
        """Send a message; done once it is answered."""
        params = {"from_number": "+15551234567", "to_number": f"+1555{n:07}", "body": "Hello", "context": _CONTEXT}
        self.sent[f"s{n}"] = asyncio.get_running_loop().create_future()
        self.put({"id": f"s{n}", "method": "messaging.send", "params": params})
        return self.sent[f"s{n}"]

    def put(self, frame: dict[str, Any]) -> None:
        payload = json.dumps({"jsonrpc": "2.0", **frame}).encode()
        size = (
            bytes([0x81, 0x80 | len(payload)]) if len(payload) < 126 else b"\x81\xfe" + len(payload).to_bytes(2, "big")
        )
        self.transport.write(size + bytes(4) + payload)  # a mask of zeros changes nothing


async def connect(
    port: int, contexts: tuple[str, ...] = (), heard: Callable[[dict[str, Any]], None] = lambda _: None
) -> Client:
    loop = asyncio.get_running_loop()
    _, client = await loop.create_connection(lambda: Client(heard, contexts), "127.0.0.1", port)
    await client.connected
    return client


def resident(pid: int) -> int:
    """Octets of memory that a process has."""
    status = Path(f"/proc/{pid}/status").read_text("ascii")
    return next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmRSS"))


def cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


async def idle(node: Node, count: int, rest_s: float) -> dict[str, float]:
    """Connect idle clients, and print and return what each costs the server."""
    (await connect(node.port)).transport.close()
    clients: list[Client] = []
    before, began = resident(node.pid), time.perf_counter()
    while len(clients) < count:
        clients += await asyncio.gather(*(connect(node.port) for _ in range(min(_AT_ONCE, count - len(clients)))))
    took = time.perf_counter() - began
    used = cpu_seconds(node.pid)
    await asyncio.sleep(rest_s)
    share = (cpu_seconds(node.pid) - used) / rest_s
    each = (resident(node.pid) - before) / count / 1000
    print(f"{count} idle clients: {each:.1f} kB each, {share:.0%} of a core, connected at {count / took:.0f}/s")
    print(f"{'met   ' if each <= MOST_IDLE_KB else 'MISSED'}  at most {MOST_IDLE_KB:.0f} kB for each idle client")
    for client in clients:
        client.transport.close()
    return {"idle_clients": count, "idle_kb_each": each, "idle_cpu_share": share, "connects_a_second": count / took}


async def events(node: Node, count: int) -> dict[str, float]:
    """Send messages whose states nobody receives yet, then receive them; print and return how fast."""
    sender = await connect(node.port)
    for start in range(0, count // 4, _AT_ONCE):
        await asyncio.gather(*(sender.send(n) for n in range(start, min(start + _AT_ONCE, count // 4))))
    await asyncio.sleep(2.0)  # until the last of them are delivered
    seen: set[tuple[str, str]] = set()
    done = asyncio.Event()

    def heard(params: dict[str, Any]) -> None:
        if params["event_type"] == "messaging.state":
            seen.add((params["params"]["message_id"], params["params"]["message_state"]))
            if len(seen) == count // 4 * 4:
                done.set()

    used, began = cpu_seconds(node.pid), time.perf_counter()
    for _ in range(4):
        await connect(node.port, (_CONTEXT,), heard)
    await asyncio.wait_for(done.wait(), _WITHIN_S)
    took, cpu = time.perf_counter() - began, cpu_seconds(node.pid) - used
    print(f"{len(seen)} events to 4 clients: {len(seen) / took:.0f}/s, {len(seen) / cpu:.0f} per second of CPU")
    is_met = len(seen) / cpu >= LEAST_EVENTS
    print(f"{'met   ' if is_met else 'MISSED'}  at least {LEAST_EVENTS:,.0f} events a second of CPU")
    return {"events_a_second": len(seen) / took, "events_a_cpu_second": len(seen) / cpu}


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(prog="python -m bench.relay", description=__doc__)
    parser.add_argument("--idle", type=int, default=10_000, help="idle clients; each needs a file descriptor")
    parser.add_argument("--events", type=int, default=4000)
    parser.add_argument("--rest", type=float, default=12.0, help="seconds that the idle clients are watched")
    asked = parser.parse_args()
    uvloop.install()
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    with tempfile.TemporaryDirectory() as directory, on_core(SERVER_CORE):
        node = Node(f"sqlite:///{directory}/parley.db", Path(directory))
        with node, on_core(LOAD_CORE):
            found: dict[str, float] = {}
            if asked.idle:
                found |= asyncio.run(idle(node, asked.idle, asked.rest))
            if asked.events:
                found |= asyncio.run(events(node, asked.events))
    keep("relay", found)


if __name__ == "__main__":
    main()
