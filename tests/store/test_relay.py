"""What Relay's clients are owed: with the state that it tells of, held by one node, and gone once a client has it."""

import json
from typing import Any

import pytest

from parley.model.message import Message, Status
from parley.model.relay import MOST_CONTEXTS, RelaySession
from parley.store import Engine, messages, queue, relay
from parley.store.accept import Intake, Taken, accept
from parley.store.changes import Change, apply
from parley.store.connect import open_engine
from tests.store.records import US, Records

OTHER = b"another node's id"[:16]


def told(records: Records, context: str, to: str | None = None, **values: Any) -> Message:
    """A message of whose states a context's clients are told."""
    extras = {"relay": {"context": context, **({"to": to} if to else {})}}
    return records.message(extras=json.dumps(extras), **values)


async def take(engine: Engine, *wanted: Message) -> None:
    verdicts = await engine.write(accept, [Intake(message) for message in wanted])
    assert all(isinstance(verdict, Taken) for verdict in verdicts)


async def waiting(engine: Engine, records: Records, *targets: str) -> list[int]:
    return [seq for seq, _ in await engine.read(relay.waiting, records.account_id, targets, 100)]


async def enter(engine: Engine, records: Records, protocol: str, *contexts: str, is_named: bool = False) -> Any:
    listed = json.dumps(contexts)
    session = RelaySession(protocol, records.account_id, listed, records.node, records.clock.now())
    return await engine.write(relay.enter, session, is_named=is_named)


async def test_each_state_is_owed_in_order_and_others_are_not(engine: Engine, records: Records) -> None:
    message = told(records, "office")
    await take(engine, message, records.message())
    at = records.clock.now()
    entered: tuple[Status, ...] = ("sending", "sent")
    changes = [Change(records.account_id, message.id, at + n, status) for n, status in enumerate(entered)]
    applied = await engine.write(apply, changes, records.terms)
    assert set(applied.relayed) == {(records.account_id, "office")}
    seqs = await waiting(engine, records, "office")
    claimed, _ = await engine.write(relay.turn, records.node, [], [], seqs, to_all=False)
    assert [(event.status, found) for event, found, _ in claimed] == [
        (status, claimed[0][1]) for status in ("queued", "sending", "sent")
    ]
    assert claimed[0][1] is not None
    assert claimed[0][1].status == "sent"


async def test_an_event_is_one_nodes_until_it_is_taken_or_given_back(
    engine: Engine, url: str, records: Records
) -> None:
    other = open_engine(url)
    await other.open()
    try:
        await take(engine, *(told(records, "office") for _ in range(20)))
        seqs = await waiting(engine, records, "office")
        writes = [
            node.write(relay.turn, name, [], [], seqs, to_all=False)
            for node, name in ((engine, records.node), (other, OTHER))
        ]
        (mine, _), (theirs, _) = [await write for write in writes]
        held = [event.seq for event, _, _ in (*mine, *theirs)]
        assert sorted(held) == seqs
    finally:
        await other.close()
    freed = [event.seq for event, _, _ in mine]
    await engine.write(relay.turn, records.node, freed[:1], freed[1:], [], to_all=False)
    assert await waiting(engine, records, "office") == freed[1:]


async def test_what_is_forgotten_once_more_is_nobody_elses_event(engine: Engine, records: Records) -> None:
    await take(engine, told(records, "office"))
    gone = await waiting(engine, records, "office")
    await engine.write(relay.turn, records.node, gone, [], [], to_all=False)
    await take(engine, told(records, "office"))
    new = await waiting(engine, records, "office")
    # The answer to the commit was lost, so the node says it again.
    await engine.write(relay.turn, records.node, gone, [], [], to_all=False)
    assert await waiting(engine, records, "office") == new != []


async def test_what_a_dead_node_held_comes_free(engine: Engine, records: Records) -> None:
    now = records.clock.now()
    await engine.write(queue.join, records.node, "a", now)
    await take(engine, told(records, "office"))
    seqs = await waiting(engine, records, "office")
    await engine.write(relay.turn, records.node, [], [], seqs, to_all=False)
    assert await waiting(engine, records, "office") == []
    assert await engine.write(queue.rescue, now + US) == 1
    assert await waiting(engine, records, "office") == seqs


async def test_to_all_an_event_becomes_one_for_each_session(engine: Engine, records: Records) -> None:
    await enter(engine, records, "p1", "office")
    await enter(engine, records, "p2", "office", "sales")
    await enter(engine, records, "p3", "sales")
    await take(engine, told(records, "office"), told(records, "nobody"), told(records, "p3"))
    seqs = await waiting(engine, records, "office", "nobody", "p3")
    claimed, targets = await engine.write(relay.turn, records.node, [], [], seqs, to_all=True)
    assert [event.target for event, _, _ in claimed] == ["p3"], "a session's own context is nobody else's"
    assert sorted(target for _, target in targets) == ["p1", "p2"]
    assert len(await waiting(engine, records, "nobody")) == 1
    copies = await waiting(engine, records, "p1", "p2")
    claimed, _ = await engine.write(relay.turn, records.node, [], [], copies, to_all=True)
    assert [(event.target, event.context) for event, _, _ in claimed] == [("p1", "office"), ("p2", "office")]


async def test_to_all_a_context_is_found_by_its_whole_name(engine: Engine, records: Records) -> None:
    names = [
        "office",
        "Office",
        'off"ice',
        "x,office",
        'x,"office',
        "100%",
        "1000",
        "back\\slash",
        "größe",
        "[",
        "off_ce",
    ]
    for n, name in enumerate(names):
        await enter(engine, records, f"first{n}", name, "other")
        await enter(engine, records, f"later{n}", "other", name)
    await engine.write(relay.leave, records.node, ["later0"], records.clock.now())
    await take(engine, *(told(records, name) for name in names))
    seqs = await waiting(engine, records, *names)
    _, targets = await engine.write(relay.turn, records.node, [], [], seqs, to_all=True)
    each = [f"{place}{n}" for n in range(len(names)) for place in ("first", "later")]
    assert sorted(target for _, target in targets) == sorted(set(each) - {"later0"})


async def test_a_session_that_another_node_took_is_told_to_the_first(engine: Engine, records: Records) -> None:
    await enter(engine, records, "p1", "office")
    await enter(engine, records, "p2", "office")
    assert await engine.read(relay.connected, records.node) == {"p1", "p2"}
    moved = RelaySession("p1", records.account_id, "[]", OTHER, records.clock.now())
    assert await engine.write(relay.enter, moved, is_named=True) == ["office"]
    assert await engine.read(relay.taken, records.node) == ["p1"]
    assert await engine.read(relay.connected, records.node) == {"p2"}
    assert await engine.write(relay.part, records.node, ["p1", "p2"]) == ["p1"]
    assert await engine.read(relay.taken, records.node) == []
    await enter(engine, records, "p1", is_named=True)
    assert await engine.read(relay.taken, OTHER) == ["p1"]
    assert await engine.write(relay.part, records.node, ["p1"]) == []


async def test_a_session_whose_client_is_there_is_connected_again(engine: Engine, records: Records) -> None:
    now = records.clock.now()
    listed = json.dumps(["office"])
    mine = [RelaySession(f"p{n}", records.account_id, listed, records.node, now) for n in range(3)]
    await enter(engine, records, "p0", "office")
    await enter(engine, records, "p1", "office")
    await engine.write(relay.sweep, now, now, now, 100, to_all=False)  # this node is not entered
    assert await engine.read(relay.count, records.node) == 0
    await engine.write(relay.enter, RelaySession("p1", records.account_id, "[]", OTHER, now), is_named=True)
    await engine.write(relay.adopt, mine)
    assert await engine.read(relay.connected, records.node) == {"p0", "p2"}
    assert await engine.read(relay.connected, OTHER) == {"p1"}
    await engine.write(relay.receive, "p1", records.node, ["stale"], now)
    assert await enter(engine, records, "p1", is_named=True) == ["office"]


async def test_what_was_written_to_a_session_that_is_elsewhere_comes_free(engine: Engine, records: Records) -> None:
    await enter(engine, records, "p1", "office")
    await enter(engine, records, "p2", "office")
    await take(engine, told(records, "office"), told(records, "office"))
    seqs = await waiting(engine, records, "office")
    await engine.write(relay.turn, records.node, [], [], seqs, to_all=False)
    await engine.write(
        relay.enter, RelaySession("p2", records.account_id, "[]", OTHER, records.clock.now()), is_named=True
    )
    assert await engine.write(relay.written, records.node, [(seqs[0], "p1"), (seqs[1], "p2")])
    assert await waiting(engine, records, "office") == seqs[1:]


async def test_a_session_is_restored_with_what_it_received(engine: Engine, records: Records) -> None:
    assert await enter(engine, records, "p1", "office", is_named=True) is None
    await enter(engine, records, "p1", "office")
    await engine.write(relay.receive, "p1", records.node, ["home", "office"], records.clock.now())
    await engine.write(relay.leave, records.node, ["p1"], records.clock.now())
    assert await enter(engine, records, "p1", "new", is_named=True) == ["new", "home", "office"]
    many = [str(number) for number in range(MOST_CONTEXTS)]
    assert await enter(engine, records, "p1", *many[1:], is_named=True) == [*many[1:], "new"], "with no more than that"
    stranger = RelaySession("p1", records.ids.new(), "[]", records.node, records.clock.now())
    assert await engine.write(relay.enter, stranger, is_named=True) is None


async def test_a_session_that_was_long_is_restored_after_its_node_died(engine: Engine, records: Records) -> None:
    began = records.clock.now()
    await engine.write(queue.join, records.node, "a", began)
    await enter(engine, records, "p1", "office")
    later = began + 86_400 * US
    await engine.write(queue.leave, records.node)
    await engine.write(relay.sweep, later, later - 600 * US, later, 100, to_all=False)
    assert await enter(engine, records, "p1", is_named=True) == ["office"]


@pytest.mark.parametrize("to_all", [False, True])
async def test_a_sweep_leaves_nothing_behind(engine: Engine, records: Records, *, to_all: bool) -> None:
    now = records.clock.now()
    await engine.write(queue.join, records.node, "a", now + US)
    await enter(engine, records, "gone", "office")
    await engine.write(relay.leave, records.node, ["gone"], now)
    left = told(records, "office", "gone")
    old = told(records, "nobody", created_at=now - 5 * US, updated_at=now - 5 * US)
    await take(engine, left, old)
    assert await engine.write(relay.sweep, now + US, now + US, now - US, 100, to_all=to_all) == 1
    assert len(await waiting(engine, records, "office")) == (0 if to_all else 1)
    assert await waiting(engine, records, "gone", "nobody") == []
    assert await enter(engine, records, "gone", is_named=True) is None
    events = await messages.follow(engine, records.account_id, 0, 100)
    [given_up] = [event for event in events if event.kind == "relay"]
    assert given_up.message_id == old.id
    assert given_up.data is not None
    assert json.loads(given_up.data)["context"] == "nobody"
