"""A service's recipients keep their sender for as long as it may write to them, whatever comes in one batch."""

from collections.abc import Iterator
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from parley.store import Engine, schema, stickies
from parley.store.accept import Intake
from parley.store.engine.statements import Newest, Row, Statement
from parley.store.stickies import Choice, Chosen, Option
from tests.store.records import Records, take

SENDERS, RECIPIENTS, SERVICES = ["+1", "+2", "+3", "+4"], ["+81", "+82", "+83"], [b"s" * 16, b"t" * 16]
ACCOUNT = b"a" * 16


@st.composite
def messages(draw: st.DrawFn) -> tuple[Choice, str, bool]:
    """A message of a service: who may send it, to whom it goes, and whether it is taken in the end."""
    may = draw(st.lists(st.sampled_from(SENDERS), min_size=1, unique=True))
    choice = Choice(
        draw(st.sampled_from(SERVICES)), may[0], "country", dict.fromkeys(may, Option()), is_sticky=draw(st.booleans())
    )
    return choice, draw(st.sampled_from(RECIPIENTS)), draw(st.sampled_from([True, True, True, False]))


def choose(asked: list[tuple[Choice, str]], last: dict[tuple[bytes, str], str]) -> list[Chosen]:
    """Run the operation on messages of which only the last sender of each service to each recipient is known."""
    operation = stickies.choose([(choice, ACCOUNT, to) for choice, to in asked])
    found: list[Row] = []
    try:
        statement: Statement = next(operation)
        while True:
            assert isinstance(statement, Newest)
            assert (statement.table, statement.column) == (schema.messages, "sender")
            assert statement.keys == ("account_id", "recipient", "id")
            found = [(*row, last.get((row[2], row[1]))) for row in statement.rows]
            statement = operation.send(found)
    except StopIteration as end:
        chosen: list[Chosen] = end.value
        return chosen


@given(st.lists(st.lists(messages(), min_size=1, max_size=6), min_size=1, max_size=8))
def test_a_sender_stays_while_it_may(batches: list[list[tuple[Choice, str, bool]]]) -> None:
    last: dict[tuple[bytes, str], str] = {}
    for batch in batches:
        chosen = choose([(choice, to) for choice, to, _ in batch], last)
        seen: dict[Any, str] = {}
        for (choice, to, _), one in zip(batch, chosen, strict=True):
            pair = (choice.service_id, to)
            before = seen.get(pair, last.get(pair))
            is_kept = choice.is_sticky and before in choice.options
            assert (one.sender, one.why) == ((before, "sticky") if is_kept else (choice.sender, "country"))
            # Of a batch's first message nobody looked up what came before, unless it asked to keep that.
            seen[pair] = one.sender
        for (choice, to, is_taken), one in zip(batch, chosen, strict=True):
            if is_taken:
                last[choice.service_id, to] = one.sender


def rows() -> Iterator[tuple[Any, ...]]:
    """Messages to two recipients through two services and none, the oldest first: recipient, service, sender."""
    one, other = RECIPIENTS[:2]
    yield from [(one, SERVICES[0], "+1"), (one, SERVICES[1], "+2"), (other, SERVICES[0], "+3"), (one, None, "+4")]
    yield one, SERVICES[0], None  # its sender is not chosen yet


async def test_who_wrote_last_is_read_from_the_messages(engine: Engine, records: Records) -> None:
    for to, service, sender in rows():
        await take(engine, Intake(records.message(recipient=to, service_id=service, sender=sender)))
    choices = {
        (to, service): Choice(service, "+9", "any", dict.fromkeys((*SENDERS, "+9"), Option()), is_sticky=True)
        for to in RECIPIENTS
        for service in SERVICES
    }
    asked = [(choice, records.account_id, to) for (to, _), choice in choices.items()]
    found = await engine.read(stickies.choose, asked)
    assert dict(zip(choices, [each.sender for each in found], strict=True)) == {
        (RECIPIENTS[0], SERVICES[0]): "+1",
        (RECIPIENTS[0], SERVICES[1]): "+2",
        (RECIPIENTS[1], SERVICES[0]): "+3",
        (RECIPIENTS[1], SERVICES[1]): "+9",
        (RECIPIENTS[2], SERVICES[0]): "+9",
        (RECIPIENTS[2], SERVICES[1]): "+9",
    }


async def test_who_wrote_long_before_others_is_forgotten(engine: Engine, records: Records) -> None:
    choice = Choice(SERVICES[0], "+9", "any", dict.fromkeys(("+1", "+9"), Option()), is_sticky=True)
    asked = [(choice, records.account_id, RECIPIENTS[0])]
    await take(engine, Intake(records.message(recipient=RECIPIENTS[0], service_id=SERVICES[0], sender="+1")))
    await take(engine, *(Intake(records.message(recipient=RECIPIENTS[0], sender="+2")) for _ in range(99)))
    assert [each.sender for each in await engine.read(stickies.choose, asked)] == ["+1"]
    await take(engine, Intake(records.message(recipient=RECIPIENTS[0], sender="+2")))
    assert [each.sender for each in await engine.read(stickies.choose, asked)] == ["+9"]
