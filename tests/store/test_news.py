"""What other nodes hear of a commit, and what a follower of events sees when several write at once."""

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest
from sqlalchemy import update

from parley.store import Engine, News, Operation, StoreUnavailable, leases, messages, schema, settings
from parley.store.accept import Intake
from parley.store.connect import open_engine
from parley.store.engine.news import of
from parley.store.engine.statements import Delete, Execute, Insert, Statement, Update
from tests.store.proxy import proxied
from tests.store.records import Records, take

PATIENCE_S = 20


class Ear:
    """What a node heard."""

    def __init__(self, engine: Engine) -> None:
        self._heard = News.NONE
        self._more = asyncio.Event()
        engine.on_news(self._hear)

    def _hear(self, news: News) -> None:
        self._heard |= news
        self._more.set()

    async def hears(self, news: News) -> None:
        """Wait until all of these were heard since the last time."""
        async with asyncio.timeout(PATIENCE_S):
            while news not in self._heard:
                self._more.clear()
                await self._more.wait()
        self._heard = News.NONE


@pytest.fixture
def engine_name() -> str:
    return "postgresql"


@pytest.fixture
async def other(url: str) -> AsyncIterator[Engine]:
    node = open_engine(url)
    ear = Ear(node)
    await node.open()
    try:
        await ear.hears(News.ALL)
        yield node
    finally:
        await node.close()


async def test_what_one_node_commits_the_other_hears(engine: Engine, other: Engine, records: Records) -> None:
    ear = Ear(other)
    assert other.listens
    message = records.message()
    changed = asyncio.create_task(other.wait_for_change(PATIENCE_S))
    await take(engine, Intake(message, records.pending(message, node=None)))
    await ear.hears(News.MESSAGES | News.EVENTS)
    async with asyncio.timeout(PATIENCE_S / 2):
        await changed
    await engine.write(settings.put, "key", "1", 1)
    await ear.hears(News.CONFIGURATION)
    owed = records.message()
    await take(engine, Intake(owed, callbacks=(records.callback(owed),)))
    await ear.hears(News.CALLBACKS)


async def test_what_a_node_commits_as_it_closes_is_told(url: str, other: Engine) -> None:
    ear = Ear(other)
    brief = open_engine(url)
    await brief.open()
    await brief.write(settings.put, "key", "1", 1)
    await brief.close()
    await ear.hears(News.CONFIGURATION)


async def test_a_node_that_was_cut_off_listens_again_and_assumes_the_worst(url: str, other: Engine) -> None:
    ear = Ear(other)
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND application_name = 'parley' AND pid <> pg_backend_pid()"
        )
        await ear.hears(News.ALL)
        assert other.listens
        await connection.execute("SELECT pg_notify('parley', 'nonsense'), pg_notify('parley', '255')")
        await ear.hears(News.ALL)
    finally:
        await connection.close()


async def test_a_follower_misses_no_event_that_was_numbered_first_and_committed_last(
    url: str, engine: Engine, records: Records
) -> None:
    first, second = records.message(), records.message()
    slow = await asyncpg.connect(url)
    try:
        transaction = slow.transaction()
        await transaction.start()
        await slow.execute(
            "INSERT INTO events (account_id, message_id, kind, at) VALUES ($1, $2, 'queued', 1)",
            records.account_id,
            first.id,
        )
        await take(engine, Intake(second))
        plain = await engine.read(messages.feed, records.account_id, 0, 10)
        assert [event.message_id for event in plain] == [second.id]
        following = asyncio.create_task(messages.follow(engine, records.account_id, 0, 10))
        for _ in range(5):
            await engine.read(messages.feed_end)
        assert not following.done()
        await transaction.commit()
        async with asyncio.timeout(PATIENCE_S):
            assert [event.message_id for event in await following] == [first.id, second.id]
    finally:
        await slow.close()


async def test_a_number_that_was_never_used_holds_nobody_up(url: str, engine: Engine, records: Records) -> None:
    given_up = await asyncpg.connect(url)
    try:
        transaction = given_up.transaction()
        await transaction.start()
        await given_up.execute("INSERT INTO events (account_id, message_id, kind, at) VALUES ('a', 'b', 'c', 1)")
        await transaction.rollback()
    finally:
        await given_up.close()
    message = records.message()
    await take(engine, Intake(message))
    async with asyncio.timeout(PATIENCE_S):
        found = await messages.follow(engine, records.account_id, 0, 10)
    assert [(event.seq, event.message_id) for event in found] == [(2, message.id)]


async def test_a_commit_whose_answer_is_lost_is_told_as_doubtful(url: str, records: Records) -> None:
    async with proxied(url) as proxy:
        engine = open_engine(proxy.url)
        doubts: list[int] = []
        engine.on_doubt(lambda: doubts.append(1))
        await engine.open()
        try:
            await engine.write(settings.put, "key", "1", 1)
            proxy.swallows = 1
            with pytest.raises(StoreUnavailable):
                await engine.write(settings.put, "key", "2", 1)
            assert (doubts, proxy.swallowed) == ([1], 1)
            assert await engine.read(settings.fetch, "key") == "2"
            await engine.write(settings.put, "key", "3", 1)
            assert doubts == [1]
        finally:
            await engine.close()


async def test_one_node_leads_until_its_time_is_over(engine: Engine, other: Engine) -> None:
    taken = await asyncio.gather(
        engine.write(leases.lead, "work", b"a", 1, 10), other.write(leases.lead, "work", b"b", 1, 10)
    )
    assert sorted(taken) == [False, True]
    leader, follower = (b"a", b"b") if taken[0] else (b"b", b"a")
    assert await engine.write(leases.lead, "work", leader, 5, 15)
    assert not await engine.write(leases.lead, "work", follower, 15 - 1, 20)
    assert await engine.write(leases.lead, "work", follower, 15, 25)
    assert not await engine.write(leases.lead, "work", leader, 16, 26)
    assert await engine.write(leases.lead, "other work", leader, 16, 26)


_NODE = b"n"
_FINISHED = ("state", "node", "due_at", "attempts", "outcome", "finished_at")


@pytest.mark.parametrize(
    ("statement", "news"),
    [
        (Insert(schema.events, [(b"", b"", "queued", 1, None)]), News.EVENTS),
        (Insert(schema.pending, [(b"", b"", "", _NODE, 1, 1, 0, None)]), News.NONE),
        (Insert(schema.pending, [(b"", b"", "", _NODE, 1, 1, 0, None), (b"", b"", "", None, 1, 1, 0, None)]), 1),
        (Update(schema.pending, ("node",), ("message_id",), [(_NODE, b"")]), News.NONE),
        (Update(schema.pending, ("node",), ("message_id",), [(None, b"")]), News.MESSAGES),
        (Update(schema.pending, ("due_at",), ("message_id",), [(1, b"")]), News.NONE),
        (Update(schema.callbacks, _FINISHED, ("id",), [("delivered", None, 1, 1, None, 1, b"")]), News.NONE),
        (Update(schema.callbacks, _FINISHED, ("id",), [("pending", None, 1, 1, None, 1, b"")]), News.CALLBACKS),
        (Update(schema.callbacks, ("due_at",), ("id",), [(1, b"")]), News.CALLBACKS | News.HOSTS),
        (Delete(schema.pending, ("message_id",), [(b"",)]), News.NONE),
        (Delete(schema.numbers, ("id",), [(b"",)]), News.CONFIGURATION),
        (Execute(update(schema.pending).values(node=None)), News.MESSAGES),
        (Execute(update(schema.numbers).values(name="")), News.CONFIGURATION),
        (Insert(schema.messages, []), News.NONE),
    ],
)
def test_what_a_statement_tells(statement: Statement, news: News | int) -> None:
    assert isinstance(statement, Insert | Update | Delete | Execute)
    assert of(statement) == News(news)


async def test_a_driver_that_stumbles_over_a_dying_connection_is_no_fault_of_the_statement(engine: Engine) -> None:
    await engine.write(settings.put, "key", "1", 1)
    stumbles = [asyncpg.InternalClientError("cannot switch to idle state"), asyncpg.InternalClientError("again")]

    def stumbling() -> Operation[str | None]:
        found = yield from settings.fetch("key")
        if stumbles:
            raise stumbles.pop()
        return found

    assert await engine.write(stumbling) == "1"
    stumbles.append(asyncpg.InternalClientError("cannot send"))
    assert await engine.read(stumbling) == "1"
