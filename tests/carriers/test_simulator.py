"""How the simulator's phones behave, on their own: no store, no API."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Self

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from parley.carriers.simulator import MOST_EXCHANGED, Simulator
from parley.core.carrier import Accepted, Inbound, Outcome, Rejected, Submission, Throttled, Unreachable
from parley.model.behaviour import CALM, Behaviour, Faults
from parley.model.phone import Arrival, DueReceipt
from parley.model.receipt import Receipt
from tests.carriers.conformance import ACCOUNT, message
from tests.carriers.dice import Dice
from tests.clock import ManualClock

PHONE = "+15557650001"


class Shelf:
    """Keeps what phones received and owe in memory, and says when something was settled."""

    def __init__(self, behaviours: Mapping[str, Behaviour] | None = None, faults: Faults = CALM) -> None:
        self.behaviours = behaviours or {}
        self.faults = faults
        self.arrivals: dict[bytes, Arrival] = {}
        self.owed: dict[tuple[int, bytes, str], DueReceipt] = {}
        self.ours: set[str] = set()
        """Which phones are numbers of the server."""
        self.contents: dict[bytes, bytes] = {}
        self.writes = 0
        self.is_away = False
        self.turn = asyncio.Event()
        self.looked = asyncio.Event()

    async def refresh(self) -> None:
        if self.is_away:
            raise ConnectionError("away")

    async def record(self, arrivals: Sequence[Arrival], due: Sequence[DueReceipt]) -> set[str]:
        await self.refresh()
        self.writes += 1
        for arrival in arrivals:
            self.arrivals.setdefault(arrival.message_id, arrival)
        ours = self.ours & {arrival.phone for arrival in arrivals}
        comes_in = {arrival.message_id for arrival in arrivals if arrival.phone in ours}
        await self.owe([each for each in due if each.message_id not in comes_in])
        return ours

    async def owe(self, due: Sequence[DueReceipt]) -> None:
        for each in due:
            self.owed[each.due_at, each.message_id, each.status] = each

    async def content(self, content_hash: bytes) -> bytes | None:
        return self.contents.get(content_hash)

    async def take_due(self, now: int, limit: int, again_at: int) -> list[DueReceipt]:
        due = sorted((each for each in self.owed.values() if each.due_at <= now), key=lambda e: e.due_at)[:limit]
        for each in due:
            del self.owed[each.due_at, each.message_id, each.status]
        taken = [replace(receipt, due_at=again_at + n) for n, receipt in enumerate(due)]
        await self.owe(taken)
        return taken

    async def next_due(self) -> int | None:
        self.looked.set()
        return min((each.due_at for each in self.owed.values()), default=None)

    async def settle(self, receipts: Sequence[DueReceipt]) -> None:
        for each in receipts:
            self.owed.pop((each.due_at, each.message_id, each.status), None)
        if not self.owed:
            self.turn.set()


class Line:
    """A started simulator, and what came of it."""

    def __init__(self, shelf: Shelf, seed: int = 1) -> None:
        self.clock = ManualClock()
        self.shelf = shelf
        self.slept: list[float] = []
        self.receipts: list[Receipt] = []
        self.brought: list[Inbound] = []
        self.is_deaf = False
        self.order: list[str] = []
        self.simulator = Simulator(shelf, self.clock, Dice(seed), self._sleep)

    async def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)

    async def report(self, receipts: Sequence[Receipt]) -> None:
        self.order.append("receipts")
        self.receipts += receipts

    async def bring(self, inbound: Inbound) -> bytes:
        if self.is_deaf:
            raise ConnectionError("away")
        self.brought.append(inbound)
        return b"m" * 16

    async def __aenter__(self) -> Self:
        await self.simulator.start(self.report, self.bring)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.simulator.close()

    async def submit(self, *batch: Submission) -> list[Outcome]:
        told: dict[bytes, Outcome] = {}

        async def record() -> None:
            self.order.append("recorded")

        tasks = []

        def answer(outcomes: Sequence[tuple[Submission, Outcome]]) -> None:
            self.order.append("answer")
            told.update((submission.key[1], outcome) for submission, outcome in outcomes)
            tasks.append(asyncio.ensure_future(record()))

        await self.simulator.submit(batch, answer)
        return [told[each.key[1]] for each in batch]

    def statuses(self) -> list[tuple[str, int | None]]:
        return [(each.status, each.error_code) for each in self.receipts]


def behaving(**how: Any) -> Shelf:
    return Shelf({PHONE: Behaviour(**how)})


async def test_a_batch_is_one_write_one_answer_and_one_report_in_that_order() -> None:
    async with Line(Shelf()) as line:
        await line.submit(*(message(n) for n in range(1, 200)))
        assert line.order == ["answer", "recorded", "receipts"]
        assert line.shelf.writes == 1
        assert line.statuses() == [("delivered", None)] * 199
        assert line.shelf.owed == {}


@pytest.mark.parametrize(
    ("how", "outcome", "arrives", "receipts"),
    [
        ({}, Accepted, True, [("delivered", None)]),
        ({"outcome": "none"}, Accepted, True, []),
        ({"outcome": "undelivered"}, Accepted, False, [("undelivered", 30005)]),
        ({"outcome": "undelivered", "error_code": 30004}, Accepted, False, [("undelivered", 30004)]),
        ({"reachable": False}, Accepted, False, [("undelivered", 30003)]),
        ({"reachable": False, "outcome": "none"}, Accepted, False, [("undelivered", 30003)]),
        ({"reachable": False, "error_code": 30006}, Accepted, False, [("undelivered", 30006)]),
        ({"outcome": "failed"}, Rejected, False, []),
        ({"reads": True}, Accepted, True, [("delivered", None)]),
    ],
)
async def test_a_phone_behaves_as_told(
    how: dict[str, Any], outcome: type, arrives: bool, receipts: list[tuple[str, int | None]]
) -> None:
    async with Line(behaving(**how)) as line:
        assert [type(each) for each in await line.submit(message())] == [outcome]
        assert (len(line.shelf.arrivals) == 1, line.statuses()) == (arrives, receipts)


@pytest.mark.parametrize(("how", "code"), [({}, 30008), ({"error_code": 30007}, 30007)])
async def test_a_phone_that_fails_messages_has_them_rejected_with_a_code(how: dict[str, Any], code: int) -> None:
    async with Line(behaving(outcome="failed", **how)) as line:
        (outcome,) = await line.submit(message())
        assert isinstance(outcome, Rejected)
        assert outcome.code == code


async def test_whatsapp_reaches_the_same_handset_and_may_be_read() -> None:
    key = (ACCOUNT, b"\1" * 16)
    sent = Submission(key, "whatsapp:+15551234567", f"whatsapp:{PHONE}", "Hello", 1)
    async with Line(behaving(reads=True)) as line:
        await line.submit(sent)
        (arrival,) = line.shelf.arrivals.values()
        assert (arrival.phone, arrival.sender) == (PHONE, "whatsapp:+15551234567")
        assert line.statuses() == [("delivered", None), ("read", None)]


async def test_what_arrives_at_a_number_of_the_server_comes_in_as_well() -> None:
    shelf = Shelf({"+15557650003": Behaviour(reachable=False)})
    shelf.ours = {"+15557650002", "+15557650003"}
    picture = bytes([0]) * 32
    shelf.contents = {picture: b"a picture"}
    async with Line(shelf) as line:
        ours = message(2, media=2)
        assert [type(each) for each in await line.submit(message(), ours, message(3))] == [Accepted] * 3
        [inbound] = line.brought
        assert (inbound.sender, inbound.recipient, inbound.body) == (ours.sender, ours.recipient, "Hello")
        assert inbound.media == (("image/png", b"a picture"),), "what is gone is left out"
        assert ours.key[1].hex() in (inbound.ref or "")
        assert len(shelf.arrivals) == 2
        assert line.statuses() == [("delivered", None), ("delivered", None), ("undelivered", 30003)]


async def test_what_could_not_come_in_is_tried_again_under_the_same_name() -> None:
    shelf = behaving(delay_s=5)
    shelf.ours = {PHONE}
    async with Line(shelf) as line:
        line.is_deaf = True
        assert [type(each) for each in await line.submit(message(), message(2))] == [Unreachable] * 2
        assert line.receipts == []
        assert {key[1] for key in shelf.owed} == {message(2).key[1]}, "what is told to have arrived is not tried again"
        line.is_deaf = False
        for _ in range(2):
            assert [type(each) for each in await line.submit(message())] == [Accepted]
        assert len({inbound.ref for inbound in line.brought}) == 1
        assert len(shelf.arrivals) == 2
        assert {key[1] for key in shelf.owed} == {message().key[1], message(2).key[1]}


async def test_two_numbers_that_answer_each_other_come_to_an_end_and_hold_up_no_other() -> None:
    shelf = Shelf()
    shelf.ours = {message(1).recipient, message(2).recipient, message(1).sender}
    async with Line(shelf) as line:
        for n in range(MOST_EXCHANGED + 10):
            asked = message(1)
            answer = replace(asked, sender=asked.recipient, recipient=asked.sender)
            assert [type(each) for each in await line.submit(answer if n % 2 else asked)] == [Accepted]
        assert len(line.brought) == MOST_EXCHANGED
        await line.submit(message(2))
        assert len(line.brought) == MOST_EXCHANGED + 1
        line.clock.advance(60)
        await line.submit(message(1))
        assert len(line.brought) == MOST_EXCHANGED + 2


async def test_a_slow_phone_reports_when_its_time_has_come_and_in_order() -> None:
    sent = Submission((ACCOUNT, b"\1" * 16), "whatsapp:+15551234567", f"whatsapp:{PHONE}", "Hello", 1)
    shelf = behaving(reads=True, delay_s=5)
    async with Line(shelf) as line:
        await line.submit(sent)
        assert (line.receipts, len(shelf.arrivals), len(shelf.owed)) == ([], 1, 2)
        line.clock.advance(6)
        await shelf.turn.wait()
        assert line.statuses() == [("delivered", None), ("read", None)]
        assert {each.at for each in line.receipts} == {line.clock.now()}
        assert shelf.owed == {}


async def test_what_a_crash_left_unreported_is_reported_after_the_next_start() -> None:
    shelf = Shelf()
    await shelf.owe([DueReceipt(ManualClock().now() - 1, ACCOUNT, b"m", "delivered")])
    async with Line(shelf) as line:
        await shelf.turn.wait()
        assert [(each.key, each.status) for each in line.receipts] == [((ACCOUNT, b"m"), "delivered")]


async def test_a_receipt_is_reported_by_one_node_and_by_another_only_when_that_one_died_over_it() -> None:
    shelf = Shelf()
    await shelf.owe([DueReceipt(0, ACCOUNT, b"m", "delivered")])
    one, other, later = Line(shelf), Line(shelf), Line(shelf)
    begun, forever = asyncio.Event(), asyncio.Event()

    async def dying(receipts: Sequence[Receipt]) -> None:
        begun.set()
        await forever.wait()
        raise ConnectionError("it died over this")

    one.report = dying  # type: ignore[method-assign]
    async with one:
        await begun.wait()
        shelf.looked.clear()
        async with other:
            await shelf.looked.wait()
        later.clock.advance(4)
        async with later:
            await shelf.turn.wait()
        forever.set()
    assert later.statuses() == [("delivered", None)]
    assert other.receipts == []


async def test_while_the_record_is_away_nothing_is_lost_or_claimed() -> None:
    shelf = Shelf()
    async with Line(shelf) as line:
        shelf.is_away = True
        assert [type(each) for each in await line.submit(message())] == [Unreachable]
        assert (shelf.arrivals, line.receipts) == ({}, [])
        shelf.is_away = False
        assert [type(each) for each in await line.submit(message())] == [Accepted]


async def test_disconnected_nothing_gets_through_either_way() -> None:
    shelf = Shelf(faults=Faults(disconnect=True))
    await shelf.owe([DueReceipt(0, ACCOUNT, b"m", "delivered")])
    async with Line(shelf) as line:
        assert [type(each) for each in await line.submit(message(), message(2))] == [Unreachable] * 2
        assert line.receipts == []
        assert "disconnect" in (await line.simulator.check() or "")
        shelf.faults = CALM
        await shelf.turn.wait()
        assert line.statuses() == [("delivered", None)]
        assert await line.simulator.check() is None


async def test_latency_is_slept_once_a_submit() -> None:
    async with Line(Shelf(faults=Faults(latency_s=0.25))) as line:
        await line.submit(message(1), message(2))
        assert line.slept == [0.25]


@pytest.mark.parametrize(
    ("fault", "kind"), [("reject_rate", Rejected), ("throttle_rate", Throttled)], ids=["reject", "throttle"]
)
async def test_a_rate_hits_its_share_of_messages(fault: str, kind: type) -> None:
    async with Line(Shelf(faults=msgspec.convert({fault: 0.25}, Faults))) as line:
        outcomes = await line.submit(*(message(n) for n in range(1, 1001)))
        hit = sum(isinstance(each, kind) for each in outcomes)
        assert 200 < hit < 300
        assert len(line.shelf.arrivals) == len(line.receipts) == 1000 - hit


async def test_dropped_receipts_never_come() -> None:
    async with Line(Shelf(faults=Faults(drop_receipt_rate=1))) as line:
        await line.submit(message())
        assert (len(line.shelf.arrivals), line.shelf.owed, line.receipts) == (1, {}, [])


async def test_duplicated_receipts_come_twice() -> None:
    async with Line(Shelf(faults=Faults(duplicate_receipt_rate=1))) as line:
        await line.submit(message())
        assert line.statuses() == [("delivered", None)] * 2


async def test_before_its_start_and_after_its_end_it_is_not_well() -> None:
    line = Line(Shelf())
    assert await line.simulator.check()
    async with line:
        assert await line.simulator.check() is None
    assert await line.simulator.check()


rates = st.floats(0, 1)
behaviours = st.builds(
    Behaviour,
    reachable=st.booleans(),
    delay_s=st.sampled_from([0.0, 0.5, 100.0]),
    outcome=st.sampled_from(["delivered", "undelivered", "failed", "none"]),
    error_code=st.none() | st.integers(1, 99_999),
    reads=st.booleans(),
)


@given(
    behaviour=behaviours,
    rates=st.tuples(rates, rates, rates, rates),
    seed=st.integers(0, 1000),
    count=st.integers(1, 20),
)
async def test_whatever_goes_wrong_the_books_balance(
    behaviour: Behaviour, rates: tuple[float, float, float, float], seed: int, count: int
) -> None:
    faults = Faults(0.0, *rates)
    shelf = Shelf({f"+1555765{n:04}": behaviour for n in range(0, 20, 2)}, faults)
    async with Line(shelf, seed) as line:
        outcomes = await line.submit(*(message(n) for n in range(1, count + 1)))
        taken = {n.to_bytes(16) for n, each in enumerate(outcomes, 1) if isinstance(each, Accepted)}
        reported = {each.key[1] for each in line.receipts if each.key}
        owed = {each.message_id for each in shelf.owed.values()}
        assert shelf.arrivals.keys() <= taken
        assert reported | owed <= taken
        assert not reported & owed
