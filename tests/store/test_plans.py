"""How SQLite reads a list: by the index of the address asked for, never through the account's whole record."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from parley.store import Engine, Operation, callbacks, messages, opt_outs, registry, scheduled, schema, webhook_faults
from parley.store.engine.sqlite import drive
from parley.store.engine.statements import Delete, Update, Write
from parley.store.messages import Filter
from tests.places import lay
from tests.store.plans import plan

ACCOUNT = b"a" * 16
OURS, THEIRS = "+15550000001", "+15557654321"
DAY_US = 86_400_000_000


@pytest.fixture
def engine_name() -> str:
    """Tables of which the planner knows nothing, as of those of a server in use: PostgreSQL would know more."""
    return "sqlite"


@pytest.mark.parametrize(
    ("wanted", "few", "step"),
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
async def test_a_list_is_read_by_what_narrows_it(
    engine: Engine, wanted: Filter, few: tuple[int, ...], step: str
) -> None:
    """`few` answers the counts that choose between two addresses."""
    page = messages.page(ACCOUNT, wanted, 51)
    assert await plan(engine, page, *([(count,)] for count in few)) == [f"SEARCH messages USING {step}"]


async def test_a_day_is_counted_by_its_senders(engine: Engine) -> None:
    steps = await plan(engine, registry.segments_since(ACCOUNT, [OURS], DAY_US, (30023,)))
    assert "SEARCH messages USING INDEX messages_sender (account_id=? AND sender=? AND id>?)" in steps


async def test_what_went_wrong_with_webhooks_is_read_by_its_own_index(engine: Engine) -> None:
    [step] = await plan(engine, webhook_faults.page(ACCOUNT, 51, bytes(16), created_from=DAY_US))
    assert step.startswith("SEARCH events USING INDEX events_webhook (account_id=? AND at>?")


async def test_a_message_s_callbacks_are_found_by_the_message_whatever_state_is_asked_for(engine: Engine) -> None:
    """An account may have given up a million."""
    message_id = b"m" * 16
    found = [callbacks.page(ACCOUNT, state, 51, message_id=message_id) for state in (None, "pending", "gave_up")]
    for operation in (*found, callbacks.replay_given_up(ACCOUNT, message_id, 1)):
        assert await plan(engine, operation) == ["SEARCH callbacks USING INDEX callbacks_message (message_id=?)"]


async def test_what_waits_is_found_among_what_waits_unless_that_is_a_great_deal(engine: Engine) -> None:
    step, *_ = await plan(engine, callbacks.page(ACCOUNT, "pending", 51), [(3,)])
    assert step == "SCAN callbacks USING INDEX callbacks_waiting"
    assert await plan(engine, callbacks.page(ACCOUNT, "pending", 51), [(1_000_000,)]) == ["SCAN callbacks"]


async def test_a_recipient_s_opt_outs_are_found_by_the_recipient(engine: Engine) -> None:
    step, *_ = await plan(engine, opt_outs.page(ACCOUNT, 51, recipient=THEIRS))
    assert step == "SEARCH opt_outs USING INDEX opt_outs_recipient (account_id=? AND recipient=?)"
    step, *_ = await plan(engine, opt_outs.page(ACCOUNT, 51, sender=OURS, recipient=THEIRS))
    assert step == "SEARCH opt_outs USING PRIMARY KEY (account_id=? AND sender=? AND recipient=?)"


async def test_scheduled_messages_are_counted_by_their_own_index(engine: Engine) -> None:
    [step] = await plan(engine, scheduled.count(ACCOUNT))
    assert "INDEX pending_scheduled (account_id=?)" in step


@pytest.fixture
def database(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    lay(tmp_path / "parley.db")
    with closing(sqlite3.connect(tmp_path / "parley.db", isolation_level=None)) as connection:
        yield connection


@pytest.mark.parametrize("size", [1, 2, 30, 200])
def test_each_row_of_many_is_changed_and_removed_by_its_key(database: sqlite3.Connection, size: int) -> None:
    """However many phones owe receipts, and opt out."""
    ids = [n.to_bytes(16) for n in range(size)]
    changes: list[Write] = [
        Delete(schema.due_receipts, ("due_at", "message_id", "status"), [(1, id, "delivered") for id in ids]),
        Delete(schema.opt_outs, ("account_id", "sender", "recipient"), [(id, OURS, THEIRS) for id in ids]),
        Delete(schema.pending, ("message_id",), [(id,) for id in ids]),
        Update(schema.pending, ("node",), ("message_id", "node"), [(None, id, b"n") for id in ids]),
        Update(schema.callbacks, ("due_at",), ("id",), [(1, id) for id in ids]),
        Update(schema.messages, ("status",), ("account_id", "id"), [("sent", ACCOUNT, id) for id in ids]),
    ]
    for change in changes:
        steps = _steps(database, change)
        assert any(f"SEARCH {change.table.name} USING" in step for step in steps)
        assert [step for step in steps if f"SCAN {change.table.name}" in step] == []


def _steps(database: sqlite3.Connection, change: Write) -> list[str]:
    def operation() -> Operation[None]:
        yield change

    said: list[str] = []
    database.set_trace_callback(said.append)
    drive(database, operation())
    database.set_trace_callback(None)
    return [row[3] for sql in said for row in database.execute(f"EXPLAIN QUERY PLAN {sql}")]
