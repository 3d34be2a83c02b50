"""The database away: a clear 503 in bounded time, nothing that was answered 201 is lost, and it mends by itself."""

import resource
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import asyncpg
import requests

from parley.api.http.endpoint import Endpoint
from tests.node import ACCOUNT_SID, AUTH_TOKEN, Node
from tests.postgres import run
from tests.server import Server, serve

PHONE = "+15557000001"


def create(base_url: str, auth: tuple[str, str], body: str = "hello") -> requests.Response:
    path = f"{base_url}/2010-04-01/Accounts/{auth[0]}/Messages.json"
    form = {"To": PHONE, "From": "+15551234567", "Body": body}
    return requests.post(path, data=form, auth=auth, timeout=60)


def ready(base_url: str) -> requests.Response:
    return requests.get(f"{base_url}/readyz", timeout=60)


def check_unavailable(answer: requests.Response) -> None:
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "1"
    assert (answer.json()["code"], answer.json()["status"]) == (20503, 503)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the database as another process would that writes and does not end."""
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        yield
        other.execute("ROLLBACK")


def test_a_full_disk_is_told_and_loses_nothing(tmp_path: Path) -> None:
    path = tmp_path / "parley.db"
    with Node(f"sqlite:///{path}", tmp_path, log_level="warning") as node:
        auth = (ACCOUNT_SID, AUTH_TOKEN)
        accepted = [create(node.base_url, auth).json()["sid"]]
        _, most = resource.prlimit(node.pid, resource.RLIMIT_FSIZE)
        full = max(each.stat().st_size for each in tmp_path.glob("parley.db*"))
        resource.prlimit(node.pid, resource.RLIMIT_FSIZE, (full, most))
        for n in range(1000):
            answer = create(node.base_url, auth, f"{n} " + "x" * 1500)
            if answer.status_code != 201:
                break
            accepted.append(answer.json()["sid"])
        check_unavailable(answer)
        assert "database" in ready(node.base_url).json()["troubles"]
        log = node.log.read_text()
        assert "the database is away" in log
        assert "Messages.json" not in log  # a line a request would add to what fills the disk
        listed = f"{node.base_url}/2010-04-01/Accounts/{auth[0]}/Messages/{accepted[0]}.json"
        assert requests.get(listed, auth=auth, timeout=60).status_code == 200  # what is there can be read all the while

        resource.prlimit(node.pid, resource.RLIMIT_FSIZE, (most, most))
        again = create(node.base_url, auth)
        assert again.status_code == 201
        accepted.append(again.json()["sid"])
        node.wait_ready()
    with closing(sqlite3.connect(path)) as database:
        kept = {f"SM{row[0].hex()}" for row in database.execute("SELECT id FROM messages")}
    assert set(accepted) == kept


def test_a_database_that_was_deleted_is_told_and_nothing_more_is_taken(tmp_path: Path) -> None:
    with serve(f"sqlite:///{tmp_path}/parley.db") as server:
        assert create(server.base_url, server.auth).status_code == 201
        for file in tmp_path.glob("parley.db*"):
            file.unlink()
        check_unavailable(create(server.base_url, server.auth))
        assert "database" in ready(server.base_url).json()["troubles"]


def test_a_database_that_another_process_holds_is_waited_for_only_so_long(tmp_path: Path) -> None:
    with serve(f"sqlite:///{tmp_path}/parley.db") as server:
        for route in server.app.surface.routes:
            if isinstance(route.app, Endpoint) and route.app.patience_s is not None:
                route.app.patience_s = 0.5
        assert create(server.base_url, server.auth).status_code == 201
        with locked(tmp_path / "parley.db"):
            check_unavailable(create(server.base_url, server.auth))
        assert create(server.base_url, server.auth).status_code == 201
        assert server.app.limits.writes == 0


def test_a_store_that_does_not_commit_fills_the_intake_and_no_more(tmp_path: Path) -> None:
    with serve(f"sqlite:///{tmp_path}/parley.db", intake_limit=8) as server:
        assert create(server.base_url, server.auth).status_code == 201
        codes: list[int] = []
        senders = [
            threading.Thread(target=lambda: codes.append(create(server.base_url, server.auth).status_code))
            for _ in range(24)
        ]
        refused = threading.Event()
        with locked(tmp_path / "parley.db"):
            for sender in senders:
                sender.start()
            while not refused.is_set():
                if create(server.base_url, server.auth).status_code == 429:
                    refused.set()
            assert server.app.limits.writes <= 8
            assert server.app.record.waiting <= 8 + 4  # and what the node itself writes
        for sender in senders:
            sender.join()
        assert set(codes) <= {201, 429, 503}
        assert codes.count(429) >= 24 - 8 - 1
        assert create(server.base_url, server.auth).status_code == 201


def test_postgresql_cuts_every_connection_and_nothing_is_lost(postgres_store_url: str) -> None:
    async def cut() -> None:
        other = await asyncpg.connect(postgres_store_url)
        try:
            await other.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        finally:
            await other.close()

    with serve(postgres_store_url) as server:
        accepted: set[str] = set()
        for n in range(12):
            if n % 4 == 1:
                run(cut())
            answer = create(server.base_url, server.auth, f"message {n}")
            if answer.status_code == 201:
                accepted.add(answer.json()["sid"])
            else:
                check_unavailable(answer)
        assert create(server.base_url, server.auth).status_code == 201
        assert len(accepted) >= 8
        assert accepted <= _listed(server)


def test_postgresql_gone_is_told_and_it_mends_by_itself(postgres_store_url: str) -> None:
    base, _, name = postgres_store_url.rpartition("/")

    async def let_in(allowed: str) -> None:
        other = await asyncpg.connect(f"{base}/postgres")
        try:
            await other.execute(f'ALTER DATABASE "{name}" WITH ALLOW_CONNECTIONS {allowed}')
            await other.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1", name)
        finally:
            await other.close()

    with serve(postgres_store_url) as server:
        first = create(server.base_url, server.auth).json()["sid"]
        run(let_in("false"))
        try:
            check_unavailable(create(server.base_url, server.auth))
            assert "database" in ready(server.base_url).json()["troubles"]
        finally:
            run(let_in("true"))
        second = create(server.base_url, server.auth)
        assert second.status_code == 201
        assert {first, second.json()["sid"]} <= _listed(server)


def _listed(server: Server) -> set[str]:
    path = f"{server.base_url}/2010-04-01/Accounts/{server.account_sid}/Messages.json?PageSize=1000"
    return {message["sid"] for message in requests.get(path, auth=server.auth, timeout=60).json()["messages"]}
