"""Who may send to North America, how fast and how much; and what the reviewers decide, whichever node they sit on."""

import asyncio
from typing import Any

import pytest

from parley.core.daily_cap import CAP_REACHED, UNREGISTERED
from parley.core.registration import UNVERIFIED, Registration, Terms
from parley.core.resources import Resources
from parley.core.review import Registry, Reviewing
from parley.lib.ids import Ids
from parley.model.address import parse_sender, read
from parley.model.channel import ChannelSender
from parley.model.registry import Assignment, Brand, Campaign, Order, Reviewers, TollFreeVerification, Verdict, Vetting
from parley.model.resource import Resource
from parley.model.service import PoolSender, Service
from parley.store import Engine
from parley.store.accept import Intake
from tests.clock import ManualClock
from tests.store.records import Records, take

OURS, FREE, PHONE = "+14155550100", "+18885550100", "+14155550199"
STRICT = Terms(needs_campaign=True, needs_verification=True)
RIGHT: dict[str, Any] = {
    "description": "News about orders, for customers who asked for them.",
    "message_flow": "Customers tick a box at the checkout to get news by text.",
    "samples": ("Acme: your order was sent. Reply STOP to opt out.", "Acme: your order has arrived."),
}


class Office:
    """The registry of one account, as one node sees it."""

    def __init__(self, engine: Engine, clock: ManualClock, terms: Terms = STRICT) -> None:
        self.records = Records(clock)
        self.engine, self.clock, self.account_id = engine, clock, b"A" * 16
        ids = Ids(clock)
        self.services = Resources(engine, clock, ids, "service", Service)
        self.senders = Resources(engine, clock, ids, "pool_sender", PoolSender)
        self.registry = Registry(
            Resources(engine, clock, ids, "brand", Brand),
            Resources(engine, clock, ids, "vetting", Vetting),
            Resources(engine, clock, ids, "campaign", Campaign),
            Resources(engine, clock, ids, "toll_free_verification", TollFreeVerification),
            Resources(engine, clock, ids, "order", Order),
            Resources(engine, clock, ids, "assignment", Assignment),
            Resources(engine, clock, ids, "channel_sender", ChannelSender),
        )
        self.reviewing = Reviewing(engine, clock, self.registry, Reviewers(delay_s=0), lambda _: (), lambda: None)
        self.registration = Registration(engine, clock, self.senders, self.registry, terms)

    async def registered(
        self, *addresses: str, score: int | None = 50, verdict: Verdict = "approved", is_external: bool = False
    ) -> bytes:
        """Register a campaign of these numbers; returns its brand's id."""
        brand = await self.registry.brands.add(self.account_id, Brand(verdict="approved", score=score))
        service = await self.services.add(self.account_id, Service("Orders"))
        for address in addresses:
            sender = PoolSender("phone_number", address, "US")
            await self.senders.add(self.account_id, sender, parent_id=service.id, name=address)
        campaign = Campaign(None if is_external else brand.id, verdict=verdict)
        await self.registry.campaigns.add(self.account_id, campaign, parent_id=service.id)
        return brand.id

    async def block(self, sender: str = OURS, recipient: str = PHONE, segments: int = 1) -> int | None:
        return await self.registration.block(self.account_id, parse_sender(sender), read(recipient), segments)

    async def sent(self, sender: str = OURS, **values: Any) -> None:
        """Record a message that was sent."""
        given = {"account_id": self.account_id, "sender": sender, "recipient": PHONE, **values}
        await take(self.engine, Intake(self.records.message(**given)))


@pytest.fixture
def office(engine: Engine, clock: ManualClock) -> Office:
    return Office(engine, clock)


async def test_who_has_to_be_registered(office: Office) -> None:
    binds = {
        (OURS, PHONE): UNREGISTERED,
        (OURS, "+14165550199"): None,  # Canada
        (OURS, "+447700900123"): None,
        ("+14165550100", PHONE): UNREGISTERED,  # Canada, too, to the US
        ("+14165550100", "+14165550199"): None,
        ("+447700900100", PHONE): None,
        ("12345", PHONE): None,
        ("ACME", PHONE): None,
        (f"whatsapp:{OURS}", f"whatsapp:{PHONE}"): None,
        (FREE, PHONE): UNVERIFIED,
        (FREE, "+14165550199"): UNVERIFIED,
        (FREE, "+447700900123"): None,
    }
    assert {pair: await office.block(*pair) for pair in binds} == binds


async def test_lenient_terms_ask_for_nothing(engine: Engine, clock: ManualClock) -> None:
    office = Office(engine, clock, Terms(needs_campaign=False, needs_verification=False))
    await office.registered(OURS)
    assert (await office.block(OURS), await office.block(FREE)) == (None, None)
    assert await office.registration.pace(office.account_id, read(OURS)) is None


async def test_a_campaign_has_to_be_approved(office: Office) -> None:
    await office.registered(OURS)
    await office.registered("+14155550101", verdict="pending")
    await office.registered("+14155550102", verdict="rejected")
    codes = [await office.block(f"+1415555010{n}") for n in range(4)]
    assert codes == [None, UNREGISTERED, UNREGISTERED, UNREGISTERED], "the last is in no pool"


async def test_a_verification_has_to_be_approved(office: Office) -> None:
    fields = ("name", "site", "mail", (), "summary", "A sample of twenty letters", (), "VERBAL", "10")
    asked = TollFreeVerification(b"N" * 16, *fields)
    made = await office.reviewing.submit(office.registry.verifications, office.account_id, asked, name=FREE)
    assert await office.block(FREE) == UNVERIFIED
    await office.reviewing.turn()
    assert await office.block(FREE) == UNVERIFIED, "nothing shows how recipients opt in"

    def shown(before: Resource[TollFreeVerification]) -> TollFreeVerification:
        return TollFreeVerification(b"N" * 16, *fields[:6], ("https://acme.example/opt-in.png",), *fields[7:])

    await office.reviewing.resubmit(office.registry.verifications, office.account_id, made.id, shown)
    await office.reviewing.turn()
    assert await office.block(FREE) is None


async def test_a_pace_follows_from_the_score(office: Office) -> None:
    rates = {None: 1.0, 49: 1.0, 50: 10.0, 74: 10.0, 75: 225.0, 100: 225.0}
    for line, score in enumerate(rates):
        await office.registered(f"+1415555010{line}", score=score)
    found = [await office.registration.pace(office.account_id, read(f"+1415555010{line}")) for line in range(6)]
    assert found == list(rates.values())


async def test_numbers_share_the_pace_of_their_campaign(office: Office) -> None:
    await office.registered(OURS, "+14155550101", FREE, "+447700900100")

    async def pace(sender: str) -> float | None:
        return await office.registration.pace(office.account_id, read(sender))

    assert (await pace(OURS), await pace("+14155550101")) == (5.0, 5.0)
    assert (await pace(FREE), await pace("+14155550102"), await pace("ACME")) == (None, None, None)


async def test_what_was_registered_elsewhere_is_bound_by_nothing_of_ours(engine: Engine, clock: ManualClock) -> None:
    office = Office(engine, clock, Terms(needs_campaign=True, needs_verification=True, daily_cap=1))
    await office.registered(OURS, is_external=True)
    assert [await office.block() for _ in range(3)] == [None, None, None]
    assert await office.registration.pace(office.account_id, read(OURS)) is None


@pytest.fixture
def capped(engine: Engine, clock: ManualClock) -> Office:
    """Return an office whose brands may send ten segments a day, at nine in the morning of California."""
    clock.set(1_750_003_200_000_000)
    return Office(engine, clock, Terms(needs_campaign=True, needs_verification=True, daily_cap=10))


async def test_a_brand_sends_so_much_a_day(capped: Office, clock: ManualClock) -> None:
    await capped.registered(OURS)
    assert [await capped.block(segments=4) for _ in range(3)] == [None, None, CAP_REACHED]
    assert [await capped.block(segments=2), await capped.block()] == [None, CAP_REACHED]
    await capped.sent(segments=10)
    clock.advance(15 * 3600 - 1)
    assert await capped.block() == CAP_REACHED, "it is not midnight in California"
    clock.advance(1)
    assert await capped.block(segments=10) is None


async def test_what_others_sent_counts_and_what_never_went_does_not(
    capped: Office, engine: Engine, clock: ManualClock
) -> None:
    await capped.registered(OURS, "+14155550101")
    await capped.sent(segments=3)
    await capped.sent("+14155550101", segments=3)
    uncounted: tuple[dict[str, Any], ...] = (
        {"status": "failed"},
        {"status": "canceled"},
        {"status": "undelivered", "error_code": CAP_REACHED},
        {"status": "undelivered", "error_code": UNREGISTERED},
        {"direction": "inbound", "status": "received"},
        {"recipient": "+447700900123"},
        {"recipient": "+14165550199"},
        {"sender": "+14155550102"},
    )
    for values in uncounted:
        await capped.sent(**{"segments": 9, **values})
    assert [await capped.block(segments=3), await capped.block(segments=3)] == [None, CAP_REACHED]
    another = Office(engine, clock, capped.registration.terms)
    assert [await another.block(segments=4), await another.block()] == [None, CAP_REACHED], "it asks the record"
    await capped.sent(segments=4)
    clock.advance(1.1)
    assert await capped.block() == CAP_REACHED, "it asks again after a second"


async def test_two_nodes_decide_once(engine: Engine, clock: ManualClock) -> None:
    one, other = Office(engine, clock), Office(engine, clock)
    made = await one.reviewing.submit(one.registry.brands, one.account_id, Brand())
    await one.reviewing.turn()
    decided = await one.registry.brands.fetch(one.account_id, made.id)
    assert (decided.value.verdict, decided.due_at, decided.revision) == ("approved", None, 1)
    await other.reviewing.turn()
    assert (await one.registry.brands.fetch(one.account_id, made.id)).revision == 1


async def test_a_decision_is_on_what_was_read(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    campaigns, reviewing = office.registry.campaigns, office.reviewing
    brand = await office.registry.brands.add(office.account_id, Brand(verdict="approved"))
    made = await reviewing.submit(campaigns, office.account_id, Campaign(brand.id, description="Bad"))
    fetch = office.registry.brands.fetch

    async def meanwhile(account_id: bytes, brand_id: bytes) -> Resource[Brand]:
        await reviewing.resubmit(campaigns, account_id, made.id, lambda before: Campaign(brand.id, **RIGHT))
        return await fetch(account_id, brand_id)

    monkeypatch.setattr(office.registry.brands, "fetch", meanwhile)
    await reviewing.turn()
    stands = await campaigns.fetch(office.account_id, made.id)
    assert (stands.value.verdict, stands.value.description) == ("pending", RIGHT["description"])
    monkeypatch.undo()
    await reviewing.turn()
    assert (await campaigns.fetch(office.account_id, made.id)).value.verdict == "approved"


async def test_what_is_submitted_is_decided_after_a_restart(engine: Engine, clock: ManualClock) -> None:
    before = Office(engine, clock)
    await before.reviewing.tell(Reviewers(delay_s=10, verdict="reject", reason="No."))
    made = await before.reviewing.submit(before.registry.brands, before.account_id, Brand())
    after = Office(engine, clock)
    await after.reviewing.turn()
    assert (await after.registry.brands.fetch(after.account_id, made.id)).value.verdict == "pending"
    clock.advance(10)
    await after.reviewing.turn()
    rejected = (await after.registry.brands.fetch(after.account_id, made.id)).value
    assert (rejected.verdict, [objection.text for objection in rejected.objections]) == ("rejected", ["No."])


async def test_more_than_are_decided_together(office: Office) -> None:
    for _ in range(101):
        await office.reviewing.submit(office.registry.brands, office.account_id, Brand())
    assert await office.reviewing.turn() == 0.0
    assert await office.reviewing.turn() > 0
    everyone = await office.registry.brands.family(office.account_id)
    assert {brand.value.verdict for brand in everyone} == {"approved"}


async def test_messages_that_come_together_share_a_brands_day(engine: Engine, clock: ManualClock) -> None:
    office = Office(engine, clock, Terms(needs_campaign=True, needs_verification=True, daily_cap=1))
    await office.registered(OURS)
    codes = await asyncio.gather(*(office.block() for _ in range(5)))
    assert codes == [None, *[CAP_REACHED] * 4]
