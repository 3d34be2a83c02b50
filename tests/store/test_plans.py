"""How SQLite reads a list: by the index of the address asked for, never through the account's whole record."""

import sqlite3
from pathlib import Path
from typing import Any

import pytest

from parley.store import messages, registry, schema, webhook_faults
from parley.store.engine.sqlite import _compiled
from parley.store.engine.statements import Query
from parley.store.messages import Filter

ACCOUNT = b"a" * 16
OURS, THEIRS = "+15550000001", "+15557654321"
DAY_US = 86_400_000_000


@pytest.fixture
def tables(tmp_path: Path) -> sqlite3.Connection:
    """Empty tables, of which the planner knows nothing, as of those of a server in use."""
    from sqlalchemy import create_engine

    engine = create_engine(f"sqlite:///{tmp_path / 'plans.db'}")
    schema.metadata.create_all(engine)
    engine.dispose()
    return sqlite3.connect(tmp_path / "plans.db")


def _plan(tables: sqlite3.Connection, wanted: Filter, few: tuple[int, ...] = ()) -> str:
    """Give the plan of a page. `few` answers the counts that choose between two addresses."""
    operation = messages.page(ACCOUNT, wanted, 51)
    statement: Any = next(operation)
    for count in few:
        statement = operation.send([(count,)])
    assert isinstance(statement, Query)
    sql, parameters = _compiled(statement.select)
    (row,) = tables.execute(f"EXPLAIN QUERY PLAN {sql}", parameters).fetchall()
    return str(row[3])


@pytest.mark.parametrize(
    ("wanted", "few", "plan"),
    [
        (Filter(), (), "PRIMARY KEY (account_id=?)"),
        (Filter(sent_from=DAY_US, sent_before=2 * DAY_US), (), "PRIMARY KEY (account_id=? AND id>? AND id<?)"),
        (Filter(recipient=THEIRS), (), "INDEX messages_recipient (account_id=? AND recipient=?)"),
        (Filter(sender=OURS), (), "INDEX messages_sender (account_id=? AND sender=?)"),
        (
            Filter(recipient=THEIRS, sent_before=DAY_US),
            (),
            "INDEX messages_recipient (account_id=? AND recipient=? AND id<?)",
        ),
        (
            Filter(recipient=THEIRS, sender=OURS),
            (3,),
            "INDEX messages_recipient (account_id=? AND recipient=?)",
        ),
        (
            Filter(recipient=OURS, sender=THEIRS),
            (1_000, 3),
            "INDEX messages_sender (account_id=? AND sender=?)",
        ),
        (
            Filter(recipient=OURS, sender=THEIRS),
            (1_000, 1_000),
            "INDEX messages_recipient (account_id=? AND recipient=?)",
        ),
    ],
)
def test_a_list_is_read_by_what_narrows_it(
    tables: sqlite3.Connection, wanted: Filter, few: tuple[int, ...], plan: str
) -> None:
    assert _plan(tables, wanted, few) == f"SEARCH messages USING {plan}"


def test_a_day_is_counted_by_its_senders(tables: sqlite3.Connection) -> None:
    statement: Any = next(registry.segments_since(ACCOUNT, [OURS], DAY_US, (30023,)))
    sql, parameters = _compiled(statement.select)
    steps = [row[3] for row in tables.execute(f"EXPLAIN QUERY PLAN {sql}", parameters)]
    assert "SEARCH messages USING INDEX messages_sender (account_id=? AND sender=? AND id>?)" in steps


def test_what_went_wrong_with_webhooks_is_read_by_its_own_index(tables: sqlite3.Connection) -> None:
    statement: Any = next(webhook_faults.page(ACCOUNT, 51, bytes(16), created_from=DAY_US))
    sql, parameters = _compiled(statement.select)
    (step,) = [row[3] for row in tables.execute(f"EXPLAIN QUERY PLAN {sql}", parameters)]
    assert step.startswith("SEARCH events USING INDEX events_webhook (account_id=? AND at>?")
