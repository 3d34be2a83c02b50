"""Registration: whether a sender may send to North America, how fast, and how much a day.

Numbers belong to a campaign by being in the pool of its messaging service, or by being assigned to it.
"""

from typing import Final

import msgspec

from parley.core.cache import Cache
from parley.core.daily_cap import CAP_REACHED, UNREGISTERED, DailyCaps
from parley.core.resources import Resources
from parley.core.review import Registry
from parley.lib.clock import Clock
from parley.lib.phone import is_toll_free, region
from parley.model.address import Address
from parley.model.registry import Campaign, Tier
from parley.model.resource import Resource
from parley.model.service import PoolSender
from parley.store import Engine

UNVERIFIED: Final = 30032
"""A toll-free number that is not verified. Source: twilio.com/docs/api/errors/30032."""
_NORTH_AMERICA: Final = "+1"
"""To the networks of the US a long code of ten digits is one, wherever its area code lies."""


class Terms(msgspec.Struct, frozen=True):
    """What is asked of senders, and what they get for it. Source: behaviour of Twilio's trust tiers."""

    needs_campaign: bool
    """Long codes of the US and Canada need an approved campaign to write to the US. Source: GoHighLevel's page on
    Canadian 10DLC numbers, as a reseller of Twilio's.
    """
    needs_verification: bool
    """Toll-free numbers need a verification to write to the US and Canada."""
    low: float = 1.0
    """Segments a second of a campaign, by its brand's tier."""
    medium: float = 10.0
    high: float = 225.0
    daily_cap: int = 2000
    """Segments a day of a brand; 0 is unlimited."""

    def rate(self, tier: Tier) -> float:
        """Segments a second of a campaign."""
        return {"low": self.low, "medium": self.medium, "high": self.high}[tier]


class _Standing(msgspec.Struct, frozen=True):
    """What the registry says of a sender."""

    countries: tuple[str, ...] = ()
    """Those to which it needs a registration."""
    code: int | None = None
    """The error code of messages to them."""
    brand_id: bytes | None = None
    """Whose day they count in."""
    pace: float | None = None
    """Segments a second; None where its registration does not say."""


class Registration:
    """What the registry says of senders. Asked for each message: all of it is remembered for a second."""

    def __init__(
        self, engine: Engine, clock: Clock, senders: Resources[PoolSender], registered: Registry, terms: Terms
    ) -> None:
        self._senders = senders
        self._registered = registered
        self.terms = terms
        self._asks = terms.needs_campaign or terms.needs_verification
        self._standings: Cache[tuple[bytes, str], _Standing] = Cache(clock)
        self._changes = -1
        self._caps = DailyCaps(engine, clock, terms.daily_cap, self._senders_of)
        self._sharing: dict[bytes, tuple[tuple[Resource[PoolSender], ...], int]] = {}

    async def block(self, account_id: bytes, sender: Address, recipient: Address, segments: int = 1) -> int | None:
        """The error code by which a message of so many segments ends, or None when it may go. Counts them then."""
        if not self._asks or recipient.kind != "e164" or sender.kind != "e164" or sender.channel != "sms":
            return None
        standing = await self._standing(account_id, sender.value)
        if region(recipient.value) not in standing.countries:
            return None
        if standing.code is not None or standing.brand_id is None:
            return standing.code
        return None if await self._caps.spend(account_id, standing.brand_id, segments) else CAP_REACHED

    async def pace(self, account_id: bytes, sender: Address) -> float | None:
        """Segments a second of a sender: its share of what its campaign may send. None where none binds it."""
        if not self._asks or sender.kind != "e164" or sender.channel != "sms":
            return None
        return (await self._standing(account_id, sender.value)).pace

    async def _standing(self, account_id: bytes, sender: str) -> _Standing:
        registered = self._registered
        changes = (
            self._senders.changes
            + registered.brands.changes
            + registered.campaigns.changes
            + registered.verifications.changes
            + registered.assignments.changes
        )
        if changes != self._changes:
            self._standings.clear()
            self._changes = changes
        known = self._standings.get((account_id, sender))
        if known is None:
            known = await self._look_up(account_id, sender)
            if changes == self._changes:
                self._standings.put((account_id, sender), known)
        return known

    async def _look_up(self, account_id: bytes, sender: str) -> _Standing:
        terms, registered = self.terms, self._registered
        if is_toll_free(sender):
            if not terms.needs_verification:
                return _Standing()
            verification = await registered.verifications.named(account_id, sender)
            is_verified = verification is not None and verification.value.verdict == "approved"
            return _Standing(("US", "CA"), None if is_verified else UNVERIFIED)
        if not terms.needs_campaign or not _is_long_code(sender):
            return _Standing()
        campaign = await self._campaign(account_id, sender)
        if campaign is None:
            return _Standing(("US",), UNREGISTERED)
        brand_id = campaign.value.brand_id
        brand = None if brand_id is None else await registered.brands.find(account_id, brand_id)
        if brand is None:
            return _Standing(("US",))
        rate = terms.rate(brand.value.tier) / await self._share(account_id, campaign)
        return _Standing(("US",), None, brand.id, rate)

    async def _campaign(self, account_id: bytes, sender: str) -> Resource[Campaign] | None:
        """The approved campaign of a number."""
        assigned = await self._registered.assignments.named(account_id, sender)
        if assigned is not None and assigned.value.state == "completed" and assigned.parent_id is not None:
            campaign = await self._registered.campaigns.find(account_id, assigned.parent_id)
            return campaign if campaign is not None and campaign.value.verdict == "approved" else None
        pooled = await self._senders.named(account_id, sender)
        if pooled is None or pooled.parent_id is None:
            return None
        for each in await self._registered.campaigns.family(account_id, pooled.parent_id):
            if each.value.verdict == "approved":
                return each
        return None

    async def _share(self, account_id: bytes, campaign: Resource[Campaign]) -> int:
        """How many long codes share what a campaign may send."""
        service_id = campaign.parent_id
        if service_id is None:
            return max(1, len(await self._assigned(account_id, campaign.id)))
        pool = await self._senders.family(account_id, service_id)
        known = self._sharing.get(service_id)
        if known is None or known[0] is not pool:
            known = pool, max(1, len(_long_codes(pool)))
            self._sharing[service_id] = known
        return known[1]

    async def _senders_of(self, account_id: bytes, brand_id: bytes) -> set[str]:
        """The long codes of a brand."""
        found: set[str] = set()
        for campaign in await self._registered.campaigns.family(account_id):
            if campaign.value.brand_id != brand_id:
                continue
            if campaign.parent_id is None:
                found |= await self._assigned(account_id, campaign.id)
            else:
                found |= _long_codes(await self._senders.family(account_id, campaign.parent_id))
        return found

    async def _assigned(self, account_id: bytes, campaign_id: bytes) -> set[str]:
        """The numbers that are assigned to a campaign."""
        every = await self._registered.assignments.family(account_id, campaign_id)
        return {each.value.address for each in every if each.value.state == "completed"}


def _is_long_code(number: str) -> bool:
    """Whether a campaign is asked of a number."""
    return number.startswith(_NORTH_AMERICA) and not is_toll_free(number)


def _long_codes(pool: tuple[Resource[PoolSender], ...]) -> set[str]:
    found = {each.value.address for each in pool if each.value.kind == "phone_number"}
    return set(filter(_is_long_code, found))
