"""A node is told to stop while its commit hangs: it answers what it can, and ends by itself in bounded time."""

import asyncio
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import asyncpg
import pytest
import requests

from tests.faults.test_database import create
from tests.faults.waiting import until
from tests.node import ACCOUNT_SID, AUTH_TOKEN, Node
from tests.server import SECRET_KEY, serve
from tests.store.proxy import proxied


@contextmanager
def _sqlite_hangs(url: str) -> Iterator[None]:
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        yield


@contextmanager
def _postgresql_hangs(url: str) -> Iterator[None]:
    held, over = threading.Event(), threading.Event()

    async def hold() -> None:
        other = await asyncpg.connect(url)
        try:
            async with other.transaction():
                await other.execute("LOCK TABLE messages IN ACCESS EXCLUSIVE MODE")
                held.set()
                await asyncio.to_thread(over.wait)
        finally:
            await other.close()

    holder = threading.Thread(target=lambda: asyncio.run(hold()))
    holder.start()
    try:
        assert held.wait(30)
        yield
    finally:
        over.set()
        holder.join()


@pytest.mark.parametrize("fixture", ["sqlite_store_url", "postgres_store_url"])
def test_a_commit_that_hangs_does_not_keep_the_process(
    request: pytest.FixtureRequest, tmp_path: Path, fixture: str
) -> None:
    url = request.getfixturevalue(fixture)
    hangs = _sqlite_hangs if fixture == "sqlite_store_url" else _postgresql_hangs
    auth = (ACCOUNT_SID, AUTH_TOKEN)
    with Node(url, tmp_path, secret_key=SECRET_KEY, settings={"drain_s": "0.1"}) as node:
        assert create(node.base_url, auth).status_code == 201
        answers: list[requests.Response] = []
        with hangs(url):
            asking = threading.Thread(target=lambda: answers.append(create(node.base_url, auth)))
            asking.start()
            under_way = 'parley_requests_waiting{kind="write"} 1.0'
            until(lambda: under_way in requests.get(f"{node.base_url}/metrics", timeout=30).text)
            node.stop()
            asking.join()
            assert node.exit_code == 0, "it had to be killed"
        assert [answer.status_code for answer in answers] == [503]
    with serve(url) as server:  # in this process, which need not begin by importing everything
        assert create(server.base_url, server.auth).status_code == 201


async def test_a_postgresql_that_has_gone_silent_does_not_keep_the_process(
    postgres_store_url: str, tmp_path: Path
) -> None:
    auth = (ACCOUNT_SID, AUTH_TOKEN)

    def stop_while_it_is_silent() -> None:
        with Node(proxy.url, tmp_path, secret_key=SECRET_KEY, settings={"drain_s": "0.1"}) as node:
            assert create(node.base_url, auth).status_code == 201
            proxy.is_silent = True
            asking = threading.Thread(target=lambda: create(node.base_url, auth))
            asking.start()
            messages = f"{node.base_url}/2010-04-01/Accounts/{auth[0]}/Messages.json"
            reading = threading.Thread(target=lambda: requests.get(messages, auth=auth, timeout=60))
            reading.start()

            def are_under_way() -> bool:
                told = requests.get(f"{node.base_url}/metrics", timeout=30).text
                return all(f'parley_requests_waiting{{kind="{kind}"}} 1.0' in told for kind in ("write", "read"))

            until(are_under_way)
            node.stop()
            asking.join()
            reading.join()
            assert node.exit_code == 0, "it had to be killed"

    async with proxied(postgres_store_url) as proxy:
        await asyncio.to_thread(stop_while_it_is_silent)
