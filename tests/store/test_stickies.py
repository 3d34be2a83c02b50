"""A service's recipients keep their sender for as long as it may write to them, whatever comes in one batch."""

from typing import Any, TypeVar

from hypothesis import given
from hypothesis import strategies as st

from parley.store import schema, stickies
from parley.store.engine.statements import Lookup, Operation, Row, Statement, Upsert
from parley.store.stickies import Choice, Chosen, Option

R = TypeVar("R")
DAY_US = 86_400_000_000
SENDERS, RECIPIENTS, SERVICES = ["+1", "+2", "+3", "+4"], ["+81", "+82", "+83"], [b"s" * 16, b"t" * 16]


class Table:
    """The table of stickies, in memory."""

    def __init__(self) -> None:
        self.rows: dict[tuple[bytes, str], Row] = {}

    def run(self, operation: Operation[R]) -> R:
        """Run an operation to its end."""
        try:
            statement = next(operation)
            while True:
                statement = operation.send(self._do(statement))
        except StopIteration as end:
            found: R = end.value
            return found

    def _do(self, statement: Statement) -> list[Row]:
        match statement:
            case Lookup(table, ("service_id", "recipient", "sender", "used_at"), ("service_id", "recipient"), rows):
                assert table is schema.stickies
                return [self.rows[key] for key in map(_key, rows) if key in self.rows]
            case Upsert(table, rows):
                assert table is schema.stickies
                assert list(rows) == sorted(rows)
                self.rows |= {_key(row): row for row in rows}
                return []
        raise AssertionError(f"not expected: {statement}")


def _key(row: Row) -> tuple[bytes, str]:
    return row[0], row[1]


@st.composite
def messages(draw: st.DrawFn) -> tuple[Choice, str, bool]:
    """A message of a service: who may send it, to whom it goes, and whether it is taken in the end."""
    may = draw(st.lists(st.sampled_from(SENDERS), min_size=1, unique=True))
    choice = Choice(
        draw(st.sampled_from(SERVICES)), may[0], "country", dict.fromkeys(may, Option()), is_sticky=draw(st.booleans())
    )
    return choice, draw(st.sampled_from(RECIPIENTS)), draw(st.sampled_from([True, True, True, False]))


@given(st.lists(st.lists(messages(), min_size=1, max_size=6), min_size=1, max_size=8))
def test_a_sender_stays_while_it_may(batches: list[list[tuple[Choice, str, bool]]]) -> None:
    table = Table()
    last: dict[tuple[bytes, str], str] = {}
    for n, batch in enumerate(batches):
        chosen = table.run(stickies.choose([(choice, to, n * DAY_US) for choice, to, _ in batch]))
        seen: dict[Any, str] = {}
        for (choice, to, _), one in zip(batch, chosen, strict=True):
            pair = (choice.service_id, to)
            before = seen.get(pair, last.get(pair))
            assert one.sender in choice.options
            if not choice.is_sticky:
                assert (one.sender, one.why) == (choice.sender, "country")
                continue
            assert one.sender == (before if before in choice.options else choice.sender)
            assert (one.why == "sticky") == (before in choice.options)
            seen[pair] = one.sender
        taken: list[Chosen] = [one for (_, _, is_taken), one in zip(batch, chosen, strict=True) if is_taken]
        table.run(stickies.keep(taken))
        for (choice, to, is_taken), one in zip(batch, chosen, strict=True):
            if is_taken and choice.is_sticky:
                last[choice.service_id, to] = one.sender
        assert {pair: row[2] for pair, row in table.rows.items()} == last
