"""Numbers: one owner for each, and pages by every filter in both directions."""

from typing import Any

import pytest
from msgspec.structs import replace

from parley.model.number import Number
from parley.model.resource import Row
from parley.store import Engine, numbers, resources
from tests.store.records import Records


async def test_an_address_is_owned_by_who_comes_first(engine: Engine, records: Records) -> None:
    mine = records.number("+15551234567", request_url="https://example.com/", extras='{"voice":1}')
    theirs = records.number("+15551234567", account_id=b"o" * 16)
    assert await engine.write(numbers.own, mine) == mine
    assert await engine.write(numbers.own, theirs) == mine
    assert await engine.write(numbers.own, records.number("+15551234567")) == mine
    assert await engine.read(numbers.by_address, "+15551234567") == mine
    assert await engine.read(numbers.by_address, "+15551234568") is None
    assert await engine.read(numbers.fetch, mine.account_id, mine.id) == mine
    assert await engine.read(numbers.fetch, theirs.account_id, mine.id) is None


async def test_a_number_is_configured_by_its_owner_only(engine: Engine, records: Records) -> None:
    mine = await engine.write(numbers.own, records.number("+15551234567"))
    changed = replace(
        mine, name="front desk", dialect="signalwire", handler="json_webhook", request_url="https://x/", updated_at=9
    )
    stranger = b"o" * 16
    theirs = replace(mine, account_id=stranger), replace(changed, account_id=stranger)
    assert await engine.write(numbers.change, *theirs) is None
    assert await engine.read(numbers.by_address, mine.address) == mine
    assert await engine.write(numbers.change, mine, changed) == changed
    assert await engine.read(numbers.by_address, mine.address) == changed


async def test_what_others_changed_of_a_number_meanwhile_stays(engine: Engine, records: Records) -> None:
    read = await engine.write(numbers.own, records.number("+15551234567"))
    await engine.write(numbers.change, read, replace(read, name="front desk", updated_at=8))
    stands = await engine.write(numbers.change, read, replace(read, request_url="https://x/", updated_at=9))
    assert stands == replace(read, name="front desk", request_url="https://x/", updated_at=9)
    assert await engine.read(numbers.by_address, read.address) == stands


async def test_a_released_address_is_free_again(engine: Engine, records: Records) -> None:
    mine = await engine.write(numbers.own, records.number("+15551234567"))
    assert not await engine.write(numbers.drop, b"o" * 16, mine.id)
    assert await engine.write(numbers.drop, mine.account_id, mine.id)
    assert not await engine.write(numbers.drop, mine.account_id, mine.id)
    assert await engine.write(numbers.change, mine, replace(mine, name="gone")) is None
    theirs = records.number("+15551234567", account_id=b"o" * 16)
    assert await engine.write(numbers.own, theirs) == theirs


async def test_an_application_that_goes_leaves_no_number_naming_it(engine: Engine, records: Records) -> None:
    stranger, gone, other = b"o" * 16, b"a" * 16, b"b" * 16
    for account_id, id, kind in ((records.account_id, gone, "application"), (records.account_id, other, "handler")):
        await engine.write(resources.add, Row(id, account_id, kind, None, None, None, "{}", 1, 1, 0))
    led = [
        await engine.write(numbers.own, records.number(f"+1555123000{n}", application_id=id, account_id=account_id))
        for n, (id, account_id) in enumerate(
            [(gone, records.account_id), (gone, records.account_id), (other, records.account_id), (gone, stranger)]
        )
    ]

    async def named() -> list[bytes | None]:
        found = [await engine.read(numbers.by_address, number.address) for number in led]
        return [number.application_id for number in found if number is not None]

    assert not await engine.write(numbers.drop_application, stranger, gone)
    assert not await engine.write(numbers.drop_application, records.account_id, other), "it is no application"
    assert await named() == [gone, gone, other, gone]
    assert await engine.write(numbers.drop_application, records.account_id, gone)
    assert await named() == [None, None, other, gone]
    assert not await engine.write(numbers.drop_application, records.account_id, gone)


FILTERS: dict[str, dict[str, Any]] = {
    "all": {},
    "address": {"address": "+15551230002"},
    "contains": {"contains": "5551230"},
    "contains what LIKE reads otherwise": {"contains": "_5551"},
    "name": {"name": "desk"},
    "several": {"name": "desk", "contains": "0003"},
}


@pytest.mark.parametrize("wanted", FILTERS.values(), ids=FILTERS)
async def test_pages_forwards_and_back_hold_each_number_once(
    engine: Engine, records: Records, wanted: dict[str, Any]
) -> None:
    made = [
        await engine.write(numbers.own, records.number(f"+1555123000{n}", name="desk" if n % 2 else "door"))
        for n in range(6)
    ]
    made.append(await engine.write(numbers.own, records.number("12345", name="short")))
    await engine.write(numbers.own, records.number("+15551230009", account_id=b"o" * 16))
    expected = [
        number
        for number in reversed(made)
        if wanted.get("address", number.address) == number.address
        and wanted.get("name", number.name) == number.name
        and wanted.get("contains", "") in number.address
    ]
    account_id = records.account_id
    seen: list[Number] = []
    while page := await engine.read(numbers.page, account_id, 2, seen[-1].id if seen else None, **wanted):
        seen += page
    assert seen == expected
    back: list[Number] = []
    while page := await engine.read(
        numbers.page, account_id, 2, back[0].id if back else None, backwards=True, **wanted
    ):
        back = page + back
    assert back == expected
    assert await engine.read(numbers.page, account_id, 2, skip=1, **wanted) == expected[1:3]
    assert await engine.read(numbers.count, account_id, **wanted) == len(expected)


async def test_short_codes_are_listed_apart_and_what_is_owned_is_known(engine: Engine, records: Records) -> None:
    made = [await engine.write(numbers.own, records.number(address)) for address in ("+15551230001", "12345")]
    await engine.write(numbers.own, records.number("+15551230002", account_id=b"o" * 16))
    for is_short, number in enumerate(made):
        assert await engine.read(numbers.page, records.account_id, 9, is_short=bool(is_short)) == [number]
    asked = ["+15551230001", "+15551230002", "+15551230003"]
    assert await engine.read(numbers.owned, asked) == set(asked[:2])
    assert await engine.read(numbers.owned, []) == set()
