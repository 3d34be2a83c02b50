"""Cookies, settings, and the senders that stick."""

from sqlalchemy import select

from parley.store import Engine, Operation, cookies, schema, settings, stickies
from parley.store.engine.statements import Query
from parley.store.stickies import Chosen, Option
from tests.store.records import Records

NUMBER, PHONE = "+15551234567", "+15557654321"
SERVICES = (b"s" * 16, b"t" * 16)


async def test_cookies_belong_to_a_conversation_and_expire_idle(engine: Engine, records: Records) -> None:
    pair = (records.account_id, NUMBER, PHONE)
    other = (records.account_id, NUMBER, "+15550000000")
    assert await engine.read(cookies.of_pair, *pair, 0) == {}
    await engine.write(cookies.put, *pair, {"session": "1", "step": "a"}, 100)
    await engine.write(cookies.put, *other, {"session": "2"}, 100)
    assert await engine.read(cookies.of_pair, *pair, 100) == {"session": "1", "step": "a"}
    assert await engine.read(cookies.of_pair, *pair, 101) == {}
    await engine.write(cookies.put, *pair, {"session": "1"}, 200)
    assert await engine.read(cookies.of_pair, *pair, 150) == {"session": "1"}
    await engine.write(cookies.purge, 150)
    assert await engine.read(cookies.of_pair, *pair, 0) == {"session": "1"}
    assert await engine.read(cookies.of_pair, *other, 0) == {}
    await engine.write(cookies.put, *pair, {}, 300)
    assert await engine.read(cookies.of_pair, *pair, 0) == {}


async def test_a_setting_is_what_was_last_put(engine: Engine) -> None:
    assert await engine.read(settings.fetch, "faults") is None
    await engine.write(settings.put, "faults", '{"latency_s":1}', 5)
    await engine.write(settings.put, "faults", "{}", 6)
    assert await engine.read(settings.fetch, "faults") == "{}"


async def test_senders_that_nobody_wrote_from_for_long_are_forgotten_a_part_at_a_time(engine: Engine) -> None:
    notes = [
        Chosen("+1", "country", Option(), (service, f"+{n}", "+1", 10 * n)) for service in SERVICES for n in (1, 2, 3)
    ]
    await engine.write(stickies.keep, notes)
    after: tuple[bytes, str] | None = (b"", "")
    seen = []
    while after is not None:
        after = await engine.write(stickies.purge, after, 21, 2)
        seen.append(after)
    assert seen == [(SERVICES[0], "+2"), (SERVICES[1], "+1"), (SERVICES[1], "+3"), None]
    left = await engine.read(_stickies)
    assert left == [(service, "+3") for service in SERVICES]


def _stickies() -> Operation[list[tuple[bytes, str]]]:
    table = schema.stickies.c
    rows = yield Query(select(table.service_id, table.recipient).order_by(table.service_id))
    return [(row[0], row[1]) for row in rows]
