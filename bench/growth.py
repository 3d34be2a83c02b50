"""Growth: what a full database costs against a small one, in one run: accepting, and each kind of list.

Both servers stand on one core, and are asked in turn, so that whatever else the machine does slows both alike.
"""

import asyncio
import base64
import contextlib
import datetime as dt
import http.client
import random
import re
import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final
from urllib.parse import quote, urlencode
from uuid import UUID

import msgspec

from bench import machine, servers
from bench.creates import DIALECTS, SENDER
from bench.filling import DAY_US, KNOWN, QUIET_DAY, Span, fill, known_recipient, known_sender
from bench.load import Loader
from bench.stores import SQLITE, Stores
from tests.node import ACCOUNT_SID, AUTH_TOKEN, Node

MOST_ACCEPT: Final = 1.2
MOST_LIST: Final = 1.5
SMALL: Final = 10_000
"""Rows of the database that is compared with: the least that has a page 100."""
_DAYS: Final = 365
_SMALL_DAYS: Final = 100
_ROUNDS: Final = 9
_CREATES: Final = 4_000
_CONNECTIONS: Final = 64
_ASKED: Final = 120
_MESSAGES: Final = f"/2010-04-01/Accounts/{ACCOUNT_SID}/Messages.json"
_LOGS: Final = "/api/messaging/logs"
_TOKEN: Final = re.compile(r"PageToken=([^&\"]+)")


class Grown(msgspec.Struct, frozen=True):
    """One kind of request on the small database and on the full one, in milliseconds (medians), and the target.

    For `accept` the times are those of one message at full load, so that the ratio is one of rates.
    """

    what: str
    small_ms: float
    full_ms: float
    most: float | None

    @property
    def ratio(self) -> float:
        return self.full_ms / self.small_ms


class Growth(msgspec.Struct, frozen=True):
    """One engine's figures."""

    engine: str
    rows: int
    fill_s: float
    full_gb: float | None
    measured: list[Grown]


def grow(stores: Stores, engine: str, rows: int) -> Growth:
    """Fill two databases, and measure both."""
    with contextlib.ExitStack() as stack:
        # The newest message is of noon, so that whole days end at the same place in both.
        now = int(time.time() * 1_000_000)
        end = min(now // DAY_US * DAY_US + DAY_US // 2, now - 60_000_000)
        nodes: list[Node] = []
        seconds = 0.0
        size = None
        for span in (Span(SMALL, _SMALL_DAYS, end), Span(rows, _DAYS, end)):
            url, _, directory = stack.enter_context(stores.fresh(engine))
            node = Node(url, directory)
            with node:  # makes the tables, and the account
                pass
            began = time.perf_counter()
            fill(engine, url, span)
            seconds = time.perf_counter() - began
            size = _size_gb(engine, directory)
            print(f"{engine}: {span.rows:,} rows in {seconds:.0f} s", "" if size is None else f"({size:.2f} GB)")
            nodes.append(node)
        for node in nodes:
            with machine.on_core(machine.SERVER_CORE):
                node.start()
            stack.callback(node.stop)
            node.wait_ready()
        small, full = nodes
        measured = _lists(small.port, full.port, end)
        measured.append(_accepting(small, full))
        return Growth(engine, rows, seconds, size, measured)


def table(growth: Growth) -> str:
    """Lay the figures out, one a line, with their targets."""
    lines = [f"{growth.engine}, {growth.rows:,} rows against {SMALL:,}"]
    for each in growth.measured:
        verdict = "" if each.most is None else f"  (<= {each.most})  {'met' if each.ratio <= each.most else 'MISSED'}"
        lines.append(f"  {each.what:<34} {each.small_ms:9.2f} ms {each.full_ms:9.2f} ms  x {each.ratio:5.2f}{verdict}")
    return "\n".join(lines)


def plain(growth: Growth) -> dict[str, object]:
    """Give the figures as they are kept."""
    kept: dict[str, object] = msgspec.to_builtins(growth)
    kept["measured"] = [msgspec.to_builtins(each) | {"ratio": each.ratio} for each in growth.measured]
    return kept


def _size_gb(engine: str, directory: Path) -> float | None:
    return sum(f.stat().st_size for f in directory.glob("parley.db*")) / 1e9 if engine == SQLITE else None


def _accepting(small: Node, full: Node) -> Grown:
    """The same creates at full load on both, in turn. What is compared is the median round."""

    async def go() -> tuple[list[float], list[float]]:
        chance = random.Random(0)
        loaders = [await Loader.connect(node.port, _CONNECTIONS) for node in (small, full)]
        took: tuple[list[float], list[float]] = ([], [])
        try:
            for n in range(_ROUNDS + 1):
                requests = [DIALECTS["twilio"](chance, None) for _ in range(_CREATES)]
                for which in (0, 1) if n % 2 else (1, 0):
                    port = (small, full)[which].port
                    load = await loaders[which].run(requests)
                    await servers.until(lambda port=port: servers.delivered(port), (n + 1) * _CREATES, "delivered")  # type: ignore[misc]
                    if n:  # the first fills caches
                        took[which].append(load.seconds / _CREATES * 1000)
        finally:
            for loader in loaders:
                loader.close()
        return took

    in_small, in_full = asyncio.run(go())
    return Grown("accept", statistics.median(in_small), statistics.median(in_full), MOST_ACCEPT)


def _lists(small: int, full: int, end: int) -> list[Grown]:
    with _connection(small) as in_small, _connection(full) as in_full:
        both = (in_small, in_full)
        found = []
        for what, most, path in _questions(both, end):
            times: tuple[list[float], list[float]] = ([], [])
            for n in range(_ASKED):
                for which in (0, 1) if n % 2 else (1, 0):
                    began = time.perf_counter()
                    _get(both[which], path(n, which))
                    if n >= KNOWN:  # each known address was asked for once
                        times[which].append((time.perf_counter() - began) * 1000)
            found.append(Grown(what, statistics.median(times[0]), statistics.median(times[1]), most))
        return found


def _questions(
    both: tuple[http.client.HTTPConnection, http.client.HTTPConnection], end: int
) -> list[tuple[str, float | None, Callable[[int, int], str]]]:
    """What is asked, its target, and the path of the n-th time on the small (0) or the full (1) database."""
    deep = [_token_of_page_100(connection) for connection in both]

    def day(back: int) -> str:
        return dt.datetime.fromtimestamp((end - back * DAY_US) / 1e6, dt.UTC).date().isoformat()

    def asked(name: str, value: str) -> str:
        return f"{_MESSAGES}?{quote(name)}={quote(value, safe='')}"

    return [
        ("first page", MOST_LIST, lambda n, w: _MESSAGES),
        ("page 100, by its token", MOST_LIST, lambda n, w: f"{_MESSAGES}?Page=100&PageToken={deep[w]}"),
        ("page 100, by its number", MOST_LIST, lambda n, w: f"{_MESSAGES}?Page=100"),
        ("To", MOST_LIST, lambda n, w: asked("To", known_recipient(n % KNOWN))),
        ("From, rare", MOST_LIST, lambda n, w: asked("From", known_sender(n % KNOWN))),
        ("From, busy", MOST_LIST, lambda n, w: asked("From", SENDER)),
        (
            "From, busy, and To",
            MOST_LIST,
            lambda n, w: f"{asked('To', known_recipient(n % KNOWN))}&From=%2B15551234567",
        ),
        ("DateSent", MOST_LIST, lambda n, w: asked("DateSent", day(20 + n % 20))),
        ("DateSent<", MOST_LIST, lambda n, w: asked("DateSent<", day(20 + n % 60))),
        ("DateSent>", MOST_LIST, lambda n, w: asked("DateSent>", day(20 + n % 60))),
        ("DateSent of a day without any", None, lambda n, w: asked("DateSent", day(QUIET_DAY))),
        ("SignalWire logs", MOST_LIST, lambda n, w: _LOGS),
        ("SignalWire logs, created_on", MOST_LIST, lambda n, w: f"{_LOGS}?created_on={day(20 + n % 20)}T00:00:00Z"),
        ("a phone's inbox", MOST_LIST, lambda n, w: f"/simulator/phones/{quote(known_recipient(n % KNOWN))}/messages"),
    ]


def _token_of_page_100(connection: http.client.HTTPConnection) -> str:
    """Walk 5,000 messages by the links between pages, and return the token that stands after them."""
    token = ""
    for number in range(5):
        query = urlencode({"PageSize": 1000, "Page": number} | ({"PageToken": token} if token else {}))
        found = _TOKEN.search(msgspec.json.decode(_get(connection, f"{_MESSAGES}?{query}"))["next_page_uri"])
        assert found is not None
        token = found[1]
    return token


@contextlib.contextmanager
def _connection(port: int) -> Iterator[http.client.HTTPConnection]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    try:
        yield connection
    finally:
        connection.close()


def _get(connection: http.client.HTTPConnection, path: str) -> bytes:
    user = str(UUID(ACCOUNT_SID[2:])) if path.startswith("/api/") else ACCOUNT_SID
    credentials = base64.b64encode(f"{user}:{AUTH_TOKEN}".encode()).decode()
    connection.request("GET", path, headers={"authorization": f"Basic {credentials}"})
    response = connection.getresponse()
    body = response.read()
    if response.status != 200:
        raise RuntimeError(f"GET {path}: {response.status} {body[:300]!r}")
    return body
