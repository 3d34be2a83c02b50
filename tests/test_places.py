"""The places for stores that the other tests stand on: empty, separate, and on both engines."""

import sqlite3

import asyncpg
import pytest


@pytest.mark.parametrize("_round", range(3))
async def test_a_store_starts_empty_whatever_the_test_before_left(store_url: str, _round: int) -> None:
    if store_url.startswith("sqlite:///"):
        database = sqlite3.connect(store_url.removeprefix("sqlite:///"))
        database.execute("CREATE TABLE messages (id int)")
        database.close()
        return
    connection = await asyncpg.connect(store_url)
    await connection.execute("CREATE TABLE messages (id int)")
    await connection.close()


async def test_the_run_s_database_is_not_a_store_s(postgres_url: str, postgres_store_url: str) -> None:
    assert postgres_url != postgres_store_url
