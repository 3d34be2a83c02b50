"""Review: what is submitted to the registry is decided after a while, by the simulator's reviewers.

Every node decides what is due. No node has to lead in it, since a decision stands only on what was submitted as the
node read it: of two that decide the same, one changes nothing.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final, TypeVar

import msgspec
from msgspec.structs import replace

from parley.core import review_rules
from parley.core.refusal import Refused
from parley.core.resources import Resources
from parley.lib.clock import Clock
from parley.model.callback import Callback
from parley.model.channel import ChannelSender
from parley.model.registry import (
    EDITABLE_US,
    MOST_UNVETTED,
    Assignment,
    Brand,
    Campaign,
    Objection,
    Order,
    Reviewers,
    TollFreeVerification,
    Vetting,
)
from parley.model.resource import Resource
from parley.store import Engine, settings

_SETTING: Final = "simulator.reviewers"
_TOGETHER: Final = 100
_POLL_S: Final = 1.0
_DIGITS: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_ID_DIGITS: Final = 6

_reviewers: Final = msgspec.json.Decoder(Reviewers)

S = TypeVar("S", Brand, Vetting, Campaign, TollFreeVerification, ChannelSender)


class Registry(msgspec.Struct, frozen=True):
    """All that is registered, of every account."""

    brands: Resources[Brand]
    vettings: Resources[Vetting]
    campaigns: Resources[Campaign]
    verifications: Resources[TollFreeVerification]
    orders: Resources[Order]
    assignments: Resources[Assignment]
    channel_senders: Resources[ChannelSender]


class Reviewing:
    """Takes submissions, and decides them when they are due. `usual` is how, until an operator says otherwise.

    `owes` tells which callbacks are owed for a decision; `wake` is called when some are.
    """

    def __init__(
        self,
        engine: Engine,
        clock: Clock,
        registry: Registry,
        usual: Reviewers,
        owes: Callable[[Resource[Any]], Sequence[Callback]],
        wake: Callable[[], None],
    ) -> None:
        self._engine = engine
        self._clock = clock
        self.registry = registry
        self._usual = usual
        self._owes = owes
        self._wake = wake
        self._changes = 0
        self.reviewers = usual
        """How things are reviewed at present."""
        self.nudge = asyncio.Event()
        """Set when there may be something to decide."""

    async def refresh(self) -> None:
        """Take over what the reviewers were told through other nodes. Raises StoreUnavailable."""
        changes = self._changes
        told = await self._engine.read(settings.fetch, _SETTING)
        if changes == self._changes:  # else what was read may be older than what was told here meanwhile
            self.reviewers = self._usual if told is None else _reviewers.decode(told)

    async def tell(self, reviewers: Reviewers) -> None:
        """Have everything reviewed so from now on, what waits already too."""
        await self._engine.write(settings.put, _SETTING, msgspec.json.encode(reviewers).decode(), self._clock.now())
        self._changes += 1
        self.reviewers = reviewers
        self.nudge.set()

    async def submit(
        self,
        kind: Resources[S],
        account_id: bytes,
        value: S,
        *,
        parent_id: bytes | None = None,
        name: str | None = None,
        number: str | None = None,
    ) -> Resource[S]:
        """Keep a resource, to be decided, as Resources.add does."""
        made = await kind.add(account_id, value, parent_id=parent_id, name=name, due_at=self._due_at(), number=number)
        self.nudge.set()
        return made

    async def resubmit(
        self, kind: Resources[S], account_id: bytes, resource_id: bytes, change: Callable[[Resource[S]], S]
    ) -> Resource[S]:
        """Change a resource, to be decided again; what `change` raises passes. Raises Refused(not_found)."""

        def submitted(before: Resource[S]) -> Resource[S]:
            value = change(before)
            if value.verdict != "approved":
                value = replace(value, verdict="pending", objections=())
            return replace(before, value=value, due_at=self._due_at())

        changed = await kind.change(account_id, resource_id, submitted)
        self.nudge.set()
        return changed

    async def turn(self) -> float:
        """Decide what is due; seconds until there may be more. Raises StoreUnavailable."""
        await self.refresh()
        if self.reviewers.verdict == "hold":
            return _POLL_S
        registry = self.registry
        decided = [
            await self._decide(registry.brands, self._brand),
            await self._decide(registry.vettings, self._vetting),
            await self._decide(registry.campaigns, self._campaign),
            await self._decide(registry.verifications, self._verification),
            await self._decide(registry.channel_senders, self._channel_sender),
        ]
        return 0.0 if _TOGETHER in decided else _POLL_S

    async def _decide(self, kind: Resources[S], judge: Callable[[Resource[S]], Awaitable[Resource[S]]]) -> int:
        due = await kind.due(_TOGETHER)
        for each in due:
            try:
                judged = replace(await judge(each), updated_at=self._clock.now())
            except Refused:  # what it belongs to was dropped
                continue
            # Nothing changes when it was submitted again, dropped, or decided by another node.
            owes = () if judged.due_at is not None else self._owes(judged)
            if await kind.put(judged, owes=owes) and owes:
                self._wake()
        return len(due)

    async def _brand(self, submitted: Resource[Brand]) -> Resource[Brand]:
        brand = submitted.value
        objections = self._objections(())
        if not objections:
            is_vetted = brand.is_vetted or (brand.vets and brand.kind == "standard")
            most = 100 if is_vetted else MOST_UNVETTED
            brand = replace(
                brand,
                score=min(self.reviewers.score, most) if brand.kind == "standard" else None,
                is_vetted=is_vetted,
                registry_id=brand.registry_id or _registry_id("B", submitted.id),
            )
        return _decided(submitted, brand, objections)

    async def _vetting(self, submitted: Resource[Vetting]) -> Resource[Vetting]:
        objections = self._objections(())
        if not objections and submitted.parent_id is not None:
            # The brand comes first: should this node die between the two, both are done again.
            vetted = self._vetted_by(submitted.value)
            await self.registry.brands.change(submitted.account_id, submitted.parent_id, vetted)
        return _decided(submitted, submitted.value, objections)

    def _vetted_by(self, vetting: Vetting) -> Callable[[Resource[Brand]], Resource[Brand]]:
        def vetted(brand: Resource[Brand]) -> Resource[Brand]:
            score = brand.value.score
            if score is not None and vetting.provider == "aegis":
                score = self.reviewers.score
            return replace(brand, value=replace(brand.value, is_vetted=True, score=score))

        return vetted

    async def _campaign(self, submitted: Resource[Campaign]) -> Resource[Campaign]:
        campaign, brand = submitted.value, None
        if campaign.brand_id is not None:
            of = await self.registry.brands.fetch(submitted.account_id, campaign.brand_id)
            if of.due_at is not None and of.value.verdict == "pending":
                return replace(submitted, due_at=of.due_at + 1)
            brand = of.value
        objections = self._objections(review_rules.of_campaign(campaign, brand))
        if not objections:
            campaign = replace(campaign, registry_id=campaign.registry_id or _registry_id("C", submitted.id))
        return _decided(submitted, campaign, objections)

    async def _verification(self, submitted: Resource[TollFreeVerification]) -> Resource[TollFreeVerification]:
        objections = self._objections(review_rules.of_verification(submitted.value))
        until = self._clock.now() + EDITABLE_US if objections else None
        return _decided(submitted, replace(submitted.value, editable_until=until), objections)

    async def _channel_sender(self, submitted: Resource[ChannelSender]) -> Resource[ChannelSender]:
        return _decided(submitted, submitted.value, self._objections(()))

    def _objections(self, by_rules: tuple[Objection, ...]) -> tuple[Objection, ...]:
        match self.reviewers.verdict:
            case "reject":
                return (Objection("told", "", self.reviewers.reason or "The reviewers were told to reject this."),)
            case "rules":
                return by_rules
        return ()

    def _due_at(self) -> int:
        return self._clock.now() + round(self.reviewers.delay_s * 1_000_000)


def _decided(submitted: Resource[S], value: S, objections: tuple[Objection, ...]) -> Resource[S]:
    verdict = replace(value, verdict="rejected" if objections else "approved", objections=objections)
    return replace(submitted, value=verdict, due_at=None)


def _registry_id(prefix: str, resource_id: bytes) -> str:
    """A name as the campaign registry gives them: a letter and six letters or digits, of the id's random part."""
    left, digits = int.from_bytes(resource_id[-6:]), ""
    for _ in range(_ID_DIGITS):
        left, digit = divmod(left, len(_DIGITS))
        digits += _DIGITS[digit]
    return prefix + digits
