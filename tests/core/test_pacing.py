"""A paced sender's messages take its next free slots, in order, across restarts, and wait in the record meanwhile."""

import pytest

from parley.core.pacing import Paces
from parley.core.refusal import Refused
from parley.model.message import Message
from parley.store import Engine
from tests.carriers.scripted import ScriptedCarrier
from tests.core.conftest import MakeNode
from tests.core.node import OURS, PHONE, Node, queued

PACES = Paces(long_code=2.0, toll_free=4.0, short_code=100.0, alphanumeric=10.0, whatsapp=80.0)
TOLL_FREE = "+18005550100"
US = 1_000_000


async def slots(node: Node, *sent: Message) -> list[float]:
    """Seconds from now at which messages are due."""
    rows = {row.message_id: row for row in await node.engine.read(queued)}
    return [(rows[message.id].due_at - node.clock.now()) / US for message in sent]


async def test_each_message_takes_its_senders_next_slot_by_its_segments(make_node: MakeNode) -> None:
    carrier = ScriptedCarrier()
    node = await make_node(carrier, paces=PACES, hands_over=False)
    one, two = await node.send(body="1"), await node.send(body="x" * 200)
    three, four = await node.send(body="3"), await node.send(body="4", sender=TOLL_FREE)
    five = await node.send(body="5", sender=TOLL_FREE)
    assert await slots(node, one, two, three) == [0.0, 0.5, 1.5]
    assert await slots(node, four, five) == [0.0, 0.25]
    waits = await node.waits(two)
    assert waits is not None
    assert waits.waiting_for == "pace"
    await node.turn()
    assert [s.key[1] for s in carrier.submitted] == [one.id, four.id]
    await node.after(0.499)
    assert [s.key[1] for s in carrier.submitted[2:]] == [five.id]
    await node.after(0.001)
    assert [s.key[1] for s in carrier.submitted[3:]] == [two.id]
    await node.after(1.0)
    assert [s.key[1] for s in carrier.submitted[4:]] == [three.id]


async def test_a_sender_that_was_idle_does_not_save_its_slots_up(make_node: MakeNode) -> None:
    node = await make_node(paces=PACES, hands_over=False)
    await node.send()
    await node.after(60.0)
    first, second = await node.send(), await node.send()
    assert await slots(node, first, second) == [0.0, 0.5]


@pytest.mark.parametrize(
    ("sender", "recipient", "slot_s"),
    [
        (OURS, PHONE, 0.5),
        (TOLL_FREE, PHONE, 0.25),
        ("12345", PHONE, 0.01),
        ("Acme", PHONE, 0.1),
        (f"whatsapp:{OURS}", f"whatsapp:{PHONE}", 0.0125),
    ],
)
async def test_each_kind_of_sender_has_its_pace(
    make_node: MakeNode, sender: str, recipient: str, slot_s: float
) -> None:
    node = await make_node(paces=PACES, hands_over=False)
    await node.send(recipient, sender=sender)
    assert await slots(node, await node.send(recipient, sender=sender)) == [slot_s]


async def test_a_queue_of_more_than_ten_hours_is_full(make_node: MakeNode) -> None:
    node = await make_node(paces=Paces(long_code=1 / 7200), hands_over=False)
    made = [await node.send() for _ in range(6)]
    assert await slots(node, made[-1]) == [36_000.0]
    with pytest.raises(Refused, match="queue_full"):
        await node.send()
    await node.send(sender=TOLL_FREE)
    node.clock.advance(7200.0)
    await node.send()
    with pytest.raises(Refused, match="queue_full"):
        await node.send()


async def test_slots_outlive_the_node_that_gave_them(make_node: MakeNode) -> None:
    carrier = ScriptedCarrier()
    before = await make_node(carrier, paces=PACES)
    messages = [await before.send(body=str(n)) for n in range(3)]
    await before.stop()
    after = await make_node(carrier, paces=PACES)
    messages.append(await after.send(body="3"))
    assert await slots(after, *messages[1:]) == [0.5, 1.0, 1.5]
    for _ in range(3):
        await after.after(0.5)
    assert [s.body for s in carrier.submitted] == ["0", "1", "2", "3"]


async def test_a_paced_message_is_canceled_and_never_submitted(make_node: MakeNode) -> None:
    carrier = ScriptedCarrier()
    node = await make_node(carrier, paces=PACES)
    await node.send(body="1")
    second = await node.send(body="2", status_callback="http://127.0.0.1:9/status")
    third = await node.send(body="3")
    canceled = await node.amending.cancel(second)
    assert (canceled.status, await node.status(second)) == ("canceled", ("canceled", None))
    assert await node.callbacks(second) == ["canceled"]
    await node.after(0.5)
    await node.after(0.5)
    assert await node.status(third) == ("sent", None)
    assert [s.body for s in carrier.submitted] == ["1", "3"]


async def test_a_message_expires_on_time_though_its_slot_comes_later(make_node: MakeNode, engine: Engine) -> None:
    carrier = ScriptedCarrier()
    node = await make_node(carrier, paces=PACES)
    for _ in range(5):
        await node.send()
    late = await node.send(body="late", validity_s=1)
    assert await slots(node, late) == [1.0]
    await node.after(1.0)
    assert await node.status(late) == ("failed", 30036)
    assert "late" not in [s.body for s in carrier.submitted]
