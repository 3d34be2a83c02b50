"""A carrier that is down, or that throttles a sender: what waits is left as it is, and costs a few trials."""

import asyncio
from collections.abc import Iterable, Sequence

import pytest

from parley.core.breaker import CLAIM, LONGEST_S, RECIPIENTS, TRIAL, Breaker
from parley.core.carrier import Outcome, Submission, Throttled, Unreachable
from parley.core.outcomes import Due
from parley.model.message import Message, Pending
from parley.store.changes import Applied, Change
from tests.carriers.dice import Dice
from tests.carriers.scripted import ScriptedCarrier
from tests.core.conftest import MakeNode
from tests.core.node import OURS, Node, queued

OTHER = "+15550009999"
BACKLOG = 800
BAD = "+15559999999"


class Counted:
    """What a node takes off the queue and writes about messages."""

    def __init__(self, node: Node) -> None:
        self.taken = self.written = 0
        put, apply = node.due.put, node.record.apply

        def counted_put(items: Iterable[Due]) -> None:
            items = list(items)
            self.taken += len(items)
            put(items)

        async def counted_apply(happened: Sequence[Change]) -> Applied:
            self.written += len(happened)
            return await apply(happened)

        node.due.put, node.record.apply = counted_put, counted_apply  # type: ignore[method-assign]


async def backlog(node: Node, count: int = BACKLOG) -> list[Message]:
    account = await node.account()
    sent = [await node.send("+15557000000")]
    return sent + await asyncio.gather(*(node.send(f"+1555700{n:04}", account=account) for n in range(1, count)))


def down(_: Submission) -> Unreachable:
    return Unreachable("no connection")


@pytest.mark.parametrize("deduplicates", [True, False])
async def test_a_carrier_that_is_down_costs_a_few_trials_however_much_waits(
    make_node: MakeNode, deduplicates: bool
) -> None:
    carrier = ScriptedCarrier(deduplicates=deduplicates)
    node = await make_node(carrier, hands_over=False)
    carrier.usual = down
    sent = await backlog(node)
    counted = Counted(node)
    await node.turn()
    assert counted.taken == CLAIM
    first = len(carrier.submitted)
    for _ in range(25):
        await node.after(6.0)
    trials = len(carrier.submitted) - first
    assert trials == TRIAL * 25, "two and a half minutes of trials, each within six seconds"
    assert counted.taken == CLAIM + trials
    assert counted.written <= (CLAIM + trials) * (1 if deduplicates else 2)
    assert max(waits.attempts for waits in await node.engine.read(queued)) <= 5
    for message in (sent[0], sent[-1]):
        waits = await node.waits(message)
        assert waits is not None
        assert (waits.waiting_for, waits.due_at > node.clock.now()) == ("carrier_down", True)
    untouched = await node.history(sent[-1])
    assert [event.kind for event in untouched] == ["queued"]

    carrier.usual = carrier.accepts
    await node.after(60.0)
    await node.after(60.0)
    assert await node.engine.read(queued) == []
    assert {(await node.status(message))[0] for message in sent} == {"sent"}


async def test_what_is_accepted_while_the_carrier_is_down_stays_in_the_record(make_node: MakeNode) -> None:
    carrier = ScriptedCarrier(deduplicates=True)
    node = await make_node(carrier)
    carrier.usual = down
    await backlog(node, RECIPIENTS)
    await node.quiet()
    counted = Counted(node)
    late = await node.send("+15557000002")
    assert (waits := await node.waits(late)) is not None
    assert (waits.node, waits.waiting_for) == (None, "carrier_down")
    await node.turn()
    assert (counted.taken, counted.written) == (0, 0)
    carrier.usual = carrier.accepts
    await node.after(1.0)
    assert await node.status(late) == ("sent", None)
    at_once = await node.send("+15557000003")
    assert (waits := await node.waits(at_once)) is None or waits.node == node.id


async def test_what_expires_while_the_carrier_is_down_ends_on_time(make_node: MakeNode) -> None:
    carrier = ScriptedCarrier(deduplicates=True)
    node = await make_node(carrier, hands_over=False)
    carrier.usual = down
    await backlog(node, 30)
    short = await node.send("+15557999999", validity_s=120)
    await node.turn()
    for _ in range(12):
        await node.after(10.0)
    assert await node.status(short) == ("failed", 30036)


async def test_a_message_in_doubt_is_told_of_though_the_carrier_is_down(make_node: MakeNode) -> None:
    carrier = ScriptedCarrier()
    dead, alive = await make_node(carrier), await make_node(carrier)
    carrier.plan("+15557000001", "hold")
    message = await dead.send("+15557000001")
    await carrier.until_submitted(message.id)
    await dead.die()
    carrier.held.clear()
    carrier.usual = down
    await alive.send("+15557000002")
    for _ in range(6):
        await alive.after(2.0)
        await alive.send("+15557000003")  # the lease of the dead is over meanwhile, and the circuit stays open
    assert not alive.breaker.takes_new
    assert (await alive.now(message)).uncertain == 1


async def test_a_throttled_sender_is_passed_over_and_costs_a_few_trials(make_node: MakeNode) -> None:
    carrier = ScriptedCarrier(deduplicates=True)
    node = await make_node(carrier, hands_over=False)
    carrier.usual = lambda submission: Throttled(5.0) if submission.sender == OURS else carrier.accepts(submission)
    sent = await backlog(node)
    await node.turn()
    counted = Counted(node)
    for n in range(20):
        other = await node.send(sender=OTHER, body=str(n))
        await node.after(1.0)
        assert await node.status(other) == ("sent", None)
    assert 20 < counted.taken <= 20 + 4 * TRIAL
    assert counted.written <= 2 * 20 + 4 * TRIAL
    assert (waits := await node.waits(sent[-1])) is not None
    assert (waits.waiting_for, await node.kinds(sent[-1])) == ("throttled", ["queued"])
    short = await node.send("+15557999999", validity_s=3)
    await node.after(3.0)
    assert await node.status(short) == ("failed", 30036)

    carrier.submitted.clear()
    carrier.usual = carrier.accepts
    await node.after(5.0)
    assert [submission.key[1] for submission in carrier.submitted] == sorted(message.id for message in sent)
    assert node.breaker.is_calm


async def test_a_sender_that_is_throttled_now_and_then_gets_what_the_carrier_takes(make_node: MakeNode) -> None:
    carrier = ScriptedCarrier(deduplicates=True)
    node = await make_node(carrier, hands_over=False)
    sent = await backlog(node, 400)
    room = 0

    def sparing(submission: Submission) -> Outcome:
        nonlocal room
        room -= 1
        return carrier.accepts(submission) if room >= 0 else Throttled(1.0)

    carrier.usual = sparing
    await node.turn()
    counted = Counted(node)
    seconds = 0
    while await node.engine.read(queued):
        room = 50
        await node.after(1.0)
        seconds += 1
        assert seconds < 20
    assert seconds <= 10
    assert counted.taken <= 2 * len(sent)
    went = [submission.key[1] for submission in carrier.submitted]
    assert [key for n, key in enumerate(went) if key not in went[n + 1 :]] == sorted(message.id for message in sent)


async def test_old_work_that_comes_free_is_found_though_a_sender_is_passed_over(make_node: MakeNode) -> None:
    carrier = ScriptedCarrier(deduplicates=True)
    node, dead = await make_node(carrier, hands_over=False), await make_node(carrier)
    await dead.die()
    held = await dead.send(sender=OTHER)
    carrier.usual = lambda submission: Throttled(60.0) if submission.sender == OURS else carrier.accepts(submission)
    await node.send()
    for _ in range(22):
        await node.after(1.0)
    assert await node.status(held) == ("sent", None)


def waiting(n: int, sender: str = OURS) -> Pending:
    return Pending(bytes([n]) * 16, b"a" * 16, sender, b"n" * 16, n, 10**15, 0, None)


def opened() -> Breaker:
    breaker = Breaker(Dice())
    breaker.unreachable({bytes([n]): str(n) for n in range(RECIPIENTS)}, 0)
    return breaker


async def test_a_recipient_that_is_never_reached_holds_up_nobody_else(make_node: MakeNode) -> None:
    carrier = ScriptedCarrier(deduplicates=True)
    node = await make_node(carrier)
    carrier.usual = lambda submission: down(submission) if submission.recipient == BAD else carrier.accepts(submission)
    bad = [await node.send(BAD, body=str(n)) for n in range(3)]
    for _ in range(6):
        await node.after(5.0)
        assert node.breaker.is_calm
        good = await node.send()
        await node.quiet()
        assert await node.status(good) == ("sent", None)
    assert {submission.attempt for submission in carrier.submitted if submission.recipient == BAD} >= {1, 2, 3}
    assert {(await node.status(message))[0] for message in bad} == {"queued"}
    assert [each.sender for each in await node.engine.read(queued)] == [OURS] * 3


def test_nobody_reached_in_a_row_opens_the_circuit_and_anybody_between_does_not() -> None:
    breaker = Breaker(Dice())
    for n in range(RECIPIENTS * 2):
        breaker.unreachable({bytes([n]): str(n)}, 0)
        assert breaker.is_calm
        breaker.reached()
    for n in range(RECIPIENTS):
        assert breaker.is_calm
        breaker.unreachable({bytes([n]): str(n)}, 0)
    assert not breaker.takes_new


def test_trials_grow_until_the_circuit_closes() -> None:
    breaker, now = opened(), 10**9
    limits: list[int] = []
    while (plan := breaker.plan(now)) is not None and not breaker.is_calm:
        limits.append(plan.limit)
        breaker.claimed(plan, now, [waiting(1), waiting(2)], is_all=False)
        assert breaker.plan(now) is None, "one trial at a time"
        breaker.done([waiting(1).message_id])
        breaker.done([waiting(2).message_id])
    assert limits == [10, 20, 40, 80, 160, 320]


@pytest.mark.parametrize("again", [True, False])
def test_a_trial_that_fails_opens_the_circuit_for_longer(again: bool) -> None:
    breaker, now = opened(), 0
    waits: list[int] = []
    for _ in range(8):
        opens_at = breaker.opens_at(now)
        assert opens_at is not None
        waits.append(opens_at - now)
        assert breaker.plan(opens_at - 1) is None
        now = opens_at
        plan = breaker.plan(now)
        assert plan is not None
        breaker.claimed(plan, now, [waiting(1)], is_all=True)
        if again:
            breaker.unreachable({b"left before it opened": "+15557000001"}, now)
            assert breaker.stops(waiting(1)) is None
        breaker.unreachable({waiting(1).message_id: "+15557000001"}, now)
        assert breaker.stops(waiting(1)) == "carrier_down"
        breaker.done([waiting(1).message_id])
    whole = [min(LONGEST_S, 2.0**n) * 1e6 for n in range(8)]
    assert all(most / 2 <= waited <= most for waited, most in zip(waits, whole, strict=True))


def test_word_that_the_carrier_changed_ends_its_break() -> None:
    breaker = opened()
    told: list[int | None] = []
    breaker.on_change(lambda: told.append(breaker.opens_at(0)))
    assert breaker.plan(0) is None
    breaker.ask_again()
    assert told == [None]
    assert breaker.plan(0) is not None
    assert not breaker.takes_new, "a trial closes it"


def test_a_sender_with_nothing_left_is_forgotten() -> None:
    breaker = Breaker(Dice())
    breaker.throttled(OURS, 100)
    breaker.throttled(OTHER, 200)
    plan = breaker.plan(150)
    assert plan is not None
    assert plan.without == {OTHER}
    breaker.claimed(plan, 150, [], is_all=True)
    assert breaker.stops(waiting(1)) is None
    assert breaker.stops(waiting(2, OTHER)) == "throttled"
    plan = breaker.plan(200)
    assert plan is not None
    breaker.claimed(plan, 200, [], is_all=True)
    assert breaker.is_calm
