"""`python -m bench.backlog`: a million messages wait and the carrier is away; what memory and accepting cost then.

The backlog is put into a SQLite file by itself, due at once and held by nobody, as a long outage leaves it.
"""

import argparse
import asyncio
import json
import random
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any, Final

import requests
import uvloop

from bench import machine
from bench.creates import BODY, SENDER, recipient, twilio
from bench.filling import ACCOUNT
from bench.load import Loader
from bench.report import keep
from parley.lib import ids
from parley.model.message import Message, Pending
from tests.node import ACCOUNT_SID, AUTH_TOKEN, Node

CONNECTIONS: Final = 64
MOST_MB: Final = 200.0
_BATCH: Final = 20_000


def main() -> None:
    """Fill, serve, measure, and say whether memory stayed within bounds."""
    parser = argparse.ArgumentParser(prog="python -m bench.backlog", description=__doc__)
    parser.add_argument("--pending", type=int, default=1_000_000, metavar="N", help="messages that wait")
    parser.add_argument("--messages", type=int, default=10_000, metavar="N", help="messages accepted meanwhile")
    asked = parser.parse_args()
    uvloop.install()
    with tempfile.TemporaryDirectory(prefix="parley-backlog-") as directory:
        path = Path(directory, "parley.db")
        node = Node(f"sqlite:///{path}", Path(directory), log_level="error")
        with node:
            requests.put(
                f"{node.base_url}/simulator/faults",
                json={"disconnect": True},
                auth=(ACCOUNT_SID, AUTH_TOKEN),
                timeout=10,
            ).raise_for_status()
        began = time.perf_counter()
        fill(path, asked.pending)
        print(f"{asked.pending} pending, put there in {time.perf_counter() - began:.0f} s", flush=True)
        node.start()
        try:
            found = measure(node, asked.messages)
        finally:
            node.stop()
    found["pending"] = asked.pending
    print(json.dumps(found))
    keep("backlog", found)
    print(f"{'met   ' if found['most_rss_mb'] <= MOST_MB else 'MISSED'}  memory at most {MOST_MB:.0f} MB")


def fill(path: Path, count: int) -> None:
    """Put `count` messages into the record, due now."""
    rows = _rows(count)
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        connection.execute("PRAGMA synchronous = OFF")
        while batch := list(islice(rows, _BATCH)):
            connection.execute("BEGIN")
            for table, names, of in (("messages", Message, 0), ("pending", Pending, 1)):
                columns = names.__struct_fields__
                sql = f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})"
                connection.executemany(sql, [pair[of] for pair in batch])
            connection.execute("COMMIT")
    finally:
        connection.close()


def _rows(count: int) -> Iterator[tuple[tuple[Any, ...], tuple[Any, ...]]]:
    chance, now = random.Random(count), time.time_ns() // 1000
    for n in range(count):
        at = now - count + n
        id_, expires_at = ids.floor(at)[:8] + chance.randbytes(8), now + 36_000_000_000
        message = Message(
            ACCOUNT, id_, "outbound-api", "twilio", "sms", "queued", SENDER, recipient(chance), BODY, 1, 0, None, None,
            at, at, None, expires_at, None, None, None, 0, None, None,
        )  # fmt: skip
        waits = Pending(id_, ACCOUNT, SENDER, None, at, expires_at, 0, None)
        yield _plain(message), _plain(waits)


def _plain(value: Message | Pending) -> tuple[Any, ...]:
    return tuple(getattr(value, name) for name in value.__struct_fields__)


def measure(node: Node, messages: int) -> dict[str, float]:
    """Accept messages while the backlog is claimed, refused and put off again."""
    began = time.perf_counter()
    listening = None
    while listening is None:
        try:
            requests.get(f"{node.base_url}/healthz", timeout=5)
            listening = time.perf_counter() - began
        except requests.ConnectionError:
            time.sleep(0.01)
    chance = random.Random(messages)
    first = asyncio.run(_accept(node.port, [twilio(chance, None) for _ in range(messages)]))
    time.sleep(10)  # let the backlog be claimed and put off for a while
    later = asyncio.run(_accept(node.port, [twilio(chance, None) for _ in range(messages)]))
    rss, most = machine.memory_mb(node.pid)
    return {
        "listening_s": round(listening, 2),
        "accepted_per_s": round(first),
        "accepted_per_s_later": round(later),
        "rss_mb": round(rss, 1),
        "most_rss_mb": round(most, 1),
    }


async def _accept(port: int, creates: list[bytes]) -> float:
    loader = await Loader.connect(port, CONNECTIONS)
    try:
        return (await loader.run(creates)).rate
    finally:
        loader.close()


if __name__ == "__main__":
    main()
