"""The node itself in trouble: its wall clock jumps, its event loop is blocked, the names of one host resolve slowly."""

import asyncio
import socket
import time

import pytest
import requests
from aiohttp.abc import AbstractResolver, ResolveResult

from parley.webhooks.client import Client, FetchFailed, Request
from parley.webhooks.guard import Guard
from tests.clock import ManualClock
from tests.receiver import Receiver
from tests.server import Server, serve

HOUR_US = 3_600_000_000


def send(server: Server, body: str) -> str:
    path = f"{server.base_url}/2010-04-01/Accounts/{server.account_sid}/Messages.json"
    form = {"To": "+15557000001", "From": "+15551234567", "Body": body}
    answer = requests.post(path, data=form, auth=server.auth, timeout=30)
    assert answer.status_code == 201, answer.text
    sid: str = answer.json()["sid"]
    return sid


@pytest.mark.parametrize("jump_us", [HOUR_US, -HOUR_US])
def test_the_wall_clock_jumps_and_messages_go_on(sqlite_store_url: str, jump_us: int) -> None:
    clock = ManualClock()
    with serve(sqlite_store_url, clock, api_rate=1, api_burst=3) as server:
        before = send(server, "before")
        clock.set(clock.now() + jump_us)
        after = send(server, "after")
        assert before < after  # ids keep the order in which they were made
        assert server.app.claims.nodes == 1
        path = f"{server.base_url}/2010-04-01/Accounts/{server.account_sid}/Messages/{after}.json"
        while requests.get(path, auth=server.auth, timeout=30).json()["status"] != "delivered":
            pass
        ready = requests.get(f"{server.base_url}/readyz", timeout=30)
        assert ready.status_code == 200, ready.text


def test_a_blocked_event_loop_is_told_once_it_runs_again(sqlite_store_url: str) -> None:
    async def block() -> None:
        time.sleep(1.6)  # noqa: ASYNC251  # the fault itself

    with serve(sqlite_store_url) as server:
        server.run(block())
        while server.app.watch.trouble() is None:
            pass
        ready = requests.get(f"{server.base_url}/readyz", timeout=30)
        assert ready.status_code == 503
        assert ready.json()["troubles"]["event_loop"].startswith("the event loop was blocked for")
        send(server, "it works all the same")


class SlowNames(AbstractResolver):
    """Resolves `slow.test` never, everything else to this machine."""

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        if host == "slow.test":
            await asyncio.Event().wait()
        return [
            ResolveResult(hostname=host, host="127.0.0.1", port=port, family=socket.AF_INET, proto=0, flags=0),
        ]

    async def close(self) -> None:
        pass


async def test_names_that_do_not_resolve_delay_no_other_host(receiver: Receiver) -> None:
    client = Client(Guard(allow_loopback=True, allow_private=False), user_agent="test", resolver=SlowNames())
    port = receiver.url.rpartition(":")[2].partition("/")[0]
    try:
        stuck = [
            asyncio.create_task(client.fetch(Request(method="GET", url=f"http://slow.test/{n}", connect_s=0.5)))
            for n in range(100)
        ]
        await asyncio.sleep(0)
        answers = await asyncio.gather(
            *(client.fetch(Request(method="GET", url=f"http://quick{n}.test:{port}/")) for n in range(50))
        )
        assert all(answer.status for answer in answers)
        assert not any(task.done() and not isinstance(task.exception(), FetchFailed) for task in stuck)
        for task in stuck:
            task.cancel()
        await asyncio.gather(*stuck, return_exceptions=True)
    finally:
        await client.aclose()
