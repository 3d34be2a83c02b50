"""The node itself in trouble: its wall clock jumps, its event loop is blocked, the names of one host resolve slowly."""

import asyncio
import socket
import time
from threading import Event

import pytest
import requests
from msgspec.structs import replace

from parley.webhooks.client import Client, FetchFailed, Request
from parley.webhooks.guard import Guard
from parley.webhooks.lookups import Found, Lookups
from tests.clock import ManualClock
from tests.faults.waiting import until
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


def ready(server: Server) -> requests.Response:
    return requests.get(f"{server.base_url}/readyz", timeout=30)


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
        until(lambda: requests.get(path, auth=server.auth, timeout=30).json()["status"] == "delivered")
        answer = ready(server)
        assert answer.status_code == 200, answer.text


def test_a_blocked_event_loop_is_told_once_it_runs_again(sqlite_store_url: str) -> None:
    async def block() -> None:
        time.sleep(1.6)  # noqa: ASYNC251  # the fault itself

    with serve(sqlite_store_url) as server:
        server.run(block())
        until(lambda: "event_loop" in ready(server).json().get("troubles", {}))
        answer = ready(server)
        assert answer.status_code == 503
        assert answer.json()["troubles"]["event_loop"].startswith("the event loop was blocked for")
        send(server, "it works all the same")


async def test_names_that_do_not_resolve_delay_no_other_host(receiver: Receiver) -> None:
    end = Event()

    def ask(host: str, port: int, family: int) -> Found:
        if host.startswith("slow"):
            end.wait()
        return socket.getaddrinfo("127.0.0.1", port, socket.AF_INET, socket.SOCK_STREAM)

    client = Client(Guard(allow_loopback=True, allow_private=False), user_agent="test", lookups=Lookups(ask))
    port = receiver.url.rpartition(":")[2].partition("/")[0]
    try:
        stuck = [
            asyncio.create_task(client.fetch(Request(method="GET", url=f"http://slow{n % 20}.test/{n}", connect_s=0.5)))
            for n in range(100)
        ]
        await asyncio.sleep(0)
        answer = await client.fetch(Request(method="GET", url=f"http://127.0.0.1:{port}/"))
        assert answer.status
        answers = await asyncio.gather(
            *(client.fetch(Request(method="GET", url=f"http://quick{n}.test:{port}/")) for n in range(50))
        )
        assert all(answer.status for answer in answers)
        assert not any(task.done() and not isinstance(task.exception(), FetchFailed) for task in stuck)
        for task in stuck:
            task.cancel()
        await asyncio.gather(*stuck, return_exceptions=True)
    finally:
        end.set()
        await client.aclose()


async def test_a_host_is_not_blamed_for_others_names() -> None:
    end = Event()

    def ask(host: str, port: int, family: int) -> Found:
        end.wait()
        raise OSError

    client = Client(Guard(allow_loopback=True, allow_private=False), user_agent="test", lookups=Lookups(ask, quick=1))
    slow = asyncio.create_task(client.fetch(Request(method="GET", url="http://slow.test/", connect_s=0.2)))
    try:
        await asyncio.sleep(0)
        innocent = Request(method="GET", url="http://innocent.test/")
        for request in (replace(innocent, connect_s=0.1), replace(innocent, total_s=0.1)):
            with pytest.raises(FetchFailed) as caught:
                await client.fetch(request)
            assert caught.value.is_ours
        with pytest.raises(FetchFailed) as caught:
            await slow
        assert not caught.value.is_ours
    finally:
        end.set()
        await client.aclose()
