"""Statements that differ only by their values share their text, and never their values."""

from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import and_, select, update
from sqlalchemy.dialects.sqlite import dialect

from parley.store import schema
from parley.store.engine.compile import Compiler

compiled = Compiler(dialect(paramstyle="qmark"))
table = schema.pending.c


@given(st.integers(0, 9), st.integers(1, 9), st.one_of(st.none(), st.binary(max_size=2)))
def test_values_stay_with_their_statement(now: int, limit: int, node: bytes | None) -> None:
    sql, values = compiled(select(table.message_id).where(table.due_at <= now).limit(limit))
    assert values == (now, limit, 0)
    again, others = compiled(select(table.message_id).where(table.due_at <= now + 1).limit(limit + 1))
    assert (again, others) == (sql, (now + 1, limit + 1, 0))
    _, changed = compiled(update(schema.pending).where(table.message_id == b"x").values(node=node, due_at=now))
    assert changed == (node, now, b"x")


@given(st.lists(st.binary(max_size=3), min_size=1, max_size=5))
def test_a_list_of_values_has_as_many_places(ids: list[bytes]) -> None:
    sql, values = compiled(select(table.due_at).where(and_(table.message_id.in_(ids), table.attempts == 3)))
    assert (sql.count("?"), values) == (len(ids) + 1, (*ids, 3))


def test_is_null_is_another_statement_than_is_equal() -> None:
    free, _ = compiled(select(table.due_at).where(table.node == None))  # noqa: E711 - as SQLAlchemy spells IS NULL
    held, _ = compiled(select(table.due_at).where(table.node == b"n"))
    assert (free.endswith("IS NULL"), held.endswith("= ?")) == (True, True)
