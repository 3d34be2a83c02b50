"""The places for stores that the other tests stand on: empty, separate, and on both engines."""

import sqlite3
from pathlib import Path

import pytest
import requests

from parley.store.connect import sqlite_path
from parley.store.migrate import HEAD, current
from tests.places import lay
from tests.postgres import run
from tests.server import Server
from tests.store.tables import execute


@pytest.mark.parametrize("_round", range(3))
def test_a_server_starts_without_records_whatever_the_test_before_left(fresh_server: Server, _round: int) -> None:
    url = f"{fresh_server.base_url}/2010-04-01/Accounts/{fresh_server.account_sid}/Messages.json"
    assert requests.get(url, auth=fresh_server.auth, timeout=30).json()["messages"] == []
    form = {"From": "+15551234567", "To": "+15557000001", "Body": "left behind"}
    assert requests.post(url, form, auth=fresh_server.auth, timeout=30).status_code == 201


def test_a_test_may_cut_off_everybody(postgres_store_url: str, request: pytest.FixtureRequest) -> None:
    everybody = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
    run(execute(postgres_store_url, f"{everybody} AND pid <> pg_backend_pid()"))
    request.getfixturevalue("_postgres_tables").empty()


@pytest.mark.parametrize("_round", range(2))
async def test_an_empty_database_has_no_tables(empty_postgres_url: str, _round: int) -> None:
    assert await current(empty_postgres_url) is None
    await execute(empty_postgres_url, "CREATE TABLE messages (id int)")


async def test_tables_are_laid_once_and_never_over_a_record(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/parley.db"
    path = sqlite_path(url)
    assert path is not None
    lay(path)
    assert await current(url) == HEAD
    await execute(url, "DROP TABLE messages")
    lay(path)
    with pytest.raises(sqlite3.OperationalError, match="no such table"):
        await execute(url, "DELETE FROM messages")


async def test_the_run_s_database_is_not_a_store_s(
    postgres_url: str, postgres_store_url: str, empty_postgres_url: str
) -> None:
    assert len({postgres_url, postgres_store_url, empty_postgres_url}) == 3
