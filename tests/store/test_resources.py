"""What accounts configure, on both engines: named, listed by pages, changed by compare-and-set."""

import asyncio
from typing import Final

import asyncpg
import pytest
from msgspec.structs import replace
from sqlalchemy import func, select

from parley.core.resources import Resources
from parley.lib.ids import Ids
from parley.model.resource import Row
from parley.store import Engine, Operation, callbacks, numbers, resources
from parley.store.audit import audit
from parley.store.connect import open_engine
from parley.store.engine.statements import Query
from tests.clock import ManualClock
from tests.store.records import CALLBACK_STATES, Records

ACCOUNT, OTHER = b"A" * 16, b"B" * 16
_GATE: Final = 8
_AT_A_LOCK: Final = """
    SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'
"""


def row(number: int, name: str | None = None, *, account: bytes = ACCOUNT, parent: bytes | None = None) -> Row:
    return Row(bytes([number]) * 16, account, "service", parent, name, None, f'{{"n":{number}}}', 1, 1, 0)


async def test_a_name_is_taken_once_an_account_and_kind(engine: Engine) -> None:
    assert await engine.write(resources.add, row(1, "one")) == "added"
    assert await engine.write(resources.add, row(2, "one")) == "name_taken"
    assert await engine.write(resources.add, row(3, "one", account=OTHER)) == "added"
    assert await engine.write(resources.add, row(4)) == "added", "what has no name takes none"
    assert await engine.write(resources.add, row(5)) == "added"
    assert await engine.read(resources.by_name, ACCOUNT, "service", "one") == row(1, "one")
    assert await engine.read(resources.fetch, ACCOUNT, "service", row(2).id) is None
    assert await engine.read(resources.fetch, OTHER, "service", row(1).id) is None
    assert await engine.read(resources.fetch, ACCOUNT, "campaign", row(1).id) is None


async def test_an_id_that_another_node_takes_in_the_same_moment_is_taken(engine: Engine) -> None:
    def told_that_it_is_free() -> Operation[resources.Added]:
        adding = resources.add(row(1, account=OTHER))
        next(adding)
        statement = adding.send([])
        while True:
            rows = yield statement
            try:
                statement = adding.send(rows)
            except StopIteration as end:
                became: resources.Added = end.value
                return became

    assert await engine.write(resources.add, row(1)) == "added"
    assert await engine.write(told_that_it_is_free) == "name_taken"
    assert await engine.read(resources.fetch, OTHER, "service", row(1).id) is None


async def test_changes_at_once_all_stand_in_turn(engine: Engine, url: str, clock: ManualClock) -> None:
    other = open_engine(url)
    await other.open()
    try:
        nodes = [Resources(each, clock, Ids(clock), "list", list[int]) for each in (engine, other)]
        made = await nodes[0].add(ACCOUNT, [])
        await asyncio.gather(
            *(
                nodes[n % 2].change(ACCOUNT, made.id, lambda it, n=n: replace(it, value=[*it.value, n]))  # type: ignore[misc]
                for n in range(20)
            )
        )
        assert sorted((await nodes[1].fetch(ACCOUNT, made.id)).value) == list(range(20))
    finally:
        await other.close()


async def test_what_belongs_to_its_children_goes_with_it(engine: Engine) -> None:
    kinds = {1: "service", 2: "campaign", 3: "assignment", 4: "assignment", 5: "other"}
    parents = {2: 1, 3: 2, 5: 2}
    for number, kind in kinds.items():
        parent = parents.get(number)
        made = row(number, parent=None if parent is None else bytes([parent]) * 16)
        assert await engine.write(resources.add, replace(made, kind=kind)) == "added"
    with_children = ("campaign", "assignment")
    assert await engine.write(resources.drop, ACCOUNT, "service", row(1).id, with_children=with_children)
    left = [
        number for number, kind in kinds.items() if await engine.read(resources.fetch, ACCOUNT, kind, row(number).id)
    ]
    assert left == [4, 5]


async def test_a_change_of_an_old_revision_changes_nothing(engine: Engine) -> None:
    await engine.write(resources.add, row(1, "one"))
    await engine.write(resources.add, row(2, "two"))
    changed = replace(row(1, "uno"), data='{"n":9}', updated_at=2, due_at=7)
    assert await engine.write(resources.change, changed)
    assert not await engine.write(resources.change, changed), "its revision is 1 by now"
    assert not await engine.write(resources.change, replace(changed, name="two", revision=1)), "the name is taken"
    assert await engine.read(resources.fetch, ACCOUNT, "service", changed.id) == replace(changed, revision=1)
    assert [found.id for found in await engine.read(resources.due, "service", 7, 10)] == [changed.id]
    assert await engine.read(resources.due, "service", 6, 10) == []


async def test_pages_forwards_and_back_of_one_parent(engine: Engine) -> None:
    parent = row(9).id
    await engine.write(resources.add, replace(row(9), kind="parent"))
    for number in range(1, 6):
        await engine.write(resources.add, row(number, parent=parent))
    await engine.write(resources.add, row(6))

    async def page(after: int | None = None, *, backwards: bool = False) -> list[int]:
        start = None if after is None else bytes([after]) * 16
        found = await engine.read(resources.page, ACCOUNT, "service", 2, start, parent_id=parent, backwards=backwards)
        return [resource.id[0] for resource in found]

    assert (await page(), await page(4), await page(2), await page(1)) == ([5, 4], [3, 2], [1], [])
    assert await page(3, backwards=True) == [5, 4]
    assert await engine.read(resources.count, ACCOUNT, "service") == 6
    assert await engine.read(resources.count, ACCOUNT, "service", parent) == 5
    assert [r.id[0] for r in await engine.read(resources.everything, ACCOUNT, "service", parent)] == [1, 2, 3, 4, 5]


async def test_what_belongs_to_another_is_added_only_while_that_stands(engine: Engine) -> None:
    child = replace(row(2, parent=row(1).id), kind="sender")
    assert await engine.write(resources.add, child) == "parent_gone"
    await engine.write(resources.add, row(1, account=OTHER))
    assert await engine.write(resources.add, child) == "parent_gone", "it is another account's"
    await engine.write(resources.drop, OTHER, "service", row(1).id)
    await engine.write(resources.add, row(1))
    assert await engine.write(resources.add, child) == "added"


async def test_who_comes_last_to_a_full_parent_does_not_get_in(engine: Engine, url: str) -> None:
    await engine.write(resources.add, row(1))
    children = [replace(row(n, parent=row(1).id), kind="sender") for n in range(2, 12)]
    other = open_engine(url)
    await other.open()
    try:
        became = await asyncio.gather(
            *((engine, other)[n % 2].write(resources.add, each, most=3) for n, each in enumerate(children))
        )
    finally:
        await other.close()
    assert (became.count("added"), became.count("full")) == (3, 7)
    assert await engine.read(resources.count, ACCOUNT, "sender", row(1).id) == 3


async def test_a_number_in_another_capacity_is_added_only_by_its_owner(engine: Engine, records: Records) -> None:
    number = await engine.write(numbers.own, records.number("+15551234567", account_id=ACCOUNT))
    made = row(1, number.address)
    assert await engine.write(resources.add, replace(made, account_id=OTHER), number=number.address) == "number_gone"
    assert await engine.write(resources.add, made, number=number.address) == "added"
    await engine.write(numbers.drop, ACCOUNT, number.id)
    assert await engine.write(resources.add, row(2, "x"), number=number.address) == "number_gone"


async def test_a_number_that_is_released_is_nothing_else_any_more(engine: Engine, records: Records) -> None:
    number = records.number("+15551234567")
    await engine.write(numbers.own, number)
    whatsapp = f"whatsapp:{number.address}"
    capacities = [
        ("pool_sender", number.address),
        ("pool_sender", whatsapp),
        ("channel_sender", whatsapp),
        ("toll_free_verification", number.address),
        ("assignment", number.address),
    ]
    senders = [
        replace(row(n, name, account=number.account_id), kind=kind) for n, (kind, name) in enumerate(capacities, 1)
    ]
    others = [replace(row(8, number.address), kind="pool_sender"), row(9, number.address, account=number.account_id)]
    for each in (*senders, *others):
        await engine.write(resources.add, each)

    async def kept() -> list[Row]:
        found = [await engine.read(resources.fetch, e.account_id, e.kind, e.id) for e in (*senders, *others)]
        return [each for each in found if each is not None]

    assert not await engine.write(numbers.drop, OTHER, number.id)
    assert await kept() == [*senders, *others]
    assert await engine.write(numbers.drop, number.account_id, number.id)
    assert await kept() == others
    assert not await engine.write(numbers.drop, number.account_id, number.id)


async def test_who_releases_a_number_waits_for_who_drops_its_service_and_holds_nothing_of_it(
    engine: Engine, url: str, records: Records, engine_name: str
) -> None:
    """The service's transaction is held open once it has begun. Who held a member by then would be waited for."""
    if engine_name == "sqlite":
        pytest.skip("SQLite has one writer at a time")
    number = await engine.write(numbers.own, records.number("+15551234567", account_id=ACCOUNT))
    await engine.write(resources.add, row(1))
    await engine.write(resources.add, replace(row(2, number.address, parent=row(1).id), kind="pool_sender"))

    def drop_and_wait() -> Operation[bool]:
        dropping = resources.drop(ACCOUNT, "service", row(1).id, with_children=("pool_sender",))
        held = yield next(dropping)
        yield Query(select(func.pg_advisory_xact_lock(_GATE)))
        statement = dropping.send(held)
        while True:
            rows = yield statement
            try:
                statement = dropping.send(rows)
            except StopIteration as end:
                return bool(end.value)

    other, watch = open_engine(url), await asyncpg.connect(url)
    await other.open()
    try:
        await watch.execute(f"SELECT pg_advisory_lock({_GATE})")
        first = other.write(drop_and_wait)
        while await watch.fetchval(_AT_A_LOCK) < 1:
            assert not first.done()
        second = engine.write(numbers.drop, ACCOUNT, number.id)
        while await watch.fetchval(_AT_A_LOCK) < 2:
            assert not second.done()
        free = await watch.fetch("SELECT id FROM resources WHERE kind = 'pool_sender' FOR UPDATE SKIP LOCKED")
        assert len(free) == 1
        await watch.execute(f"SELECT pg_advisory_unlock({_GATE})")
        assert all(await asyncio.gather(first, second))
    finally:
        await watch.close()
        await other.close()


async def test_a_parent_goes_with_its_children(engine: Engine) -> None:
    parent = row(1)
    await engine.write(resources.add, parent)
    child = replace(row(2, parent=parent.id), kind="sender")
    other = replace(row(3, parent=parent.id), kind="campaign")
    await engine.write(resources.add, child)
    await engine.write(resources.add, other)
    assert not await engine.write(resources.drop, OTHER, "service", parent.id)
    assert await engine.write(resources.drop, ACCOUNT, "service", parent.id, with_children=("sender",))
    assert await engine.read(resources.fetch, ACCOUNT, "sender", child.id) is None
    assert await engine.read(resources.fetch, ACCOUNT, "campaign", other.id) == other


async def test_a_change_owes_its_callbacks_or_does_not_happen(engine: Engine, records: Records) -> None:
    await engine.write(resources.add, row(1, "one"))
    about = records.message(id=row(1).id, account_id=ACCOUNT)
    notices = [records.callback(about, kind="notice", data="{}") for _ in range(2)]
    assert await engine.write(resources.change, row(1, "uno"), notices[:1])
    assert not await engine.write(resources.change, row(1, "eins"), notices[1:]), "it was changed since"
    assert await engine.read(callbacks.page, ACCOUNT, "pending", 10) == notices[:1]
    assert (await engine.read(audit, CALLBACK_STATES, records.clock.now())).is_clean, (
        "what tells of no message is no stray"
    )
