"""Messaging services as messages go through them: their settings, and their pools ready to choose from."""

from collections import OrderedDict
from collections.abc import Sequence
from typing import Final

import msgspec

from parley.core.cache import Cache
from parley.core.channels import Channels
from parley.core.pacing import Paces, sort_of
from parley.core.refusal import Refused
from parley.core.registration import Registration
from parley.core.resources import Resources
from parley.core.select_sender import Candidate, Pool
from parley.core.sender_rules import SenderRules
from parley.lib import ids
from parley.lib.clock import Clock
from parley.lib.phone import market
from parley.model import address as addresses
from parley.model.address import Address
from parley.model.resource import Resource
from parley.model.service import PoolSender, Service
from parley.store import Engine, numbers
from parley.store.stickies import Choice, Option

_MOST_POOLS: Final = 1_000
"""Pools kept ready; the one that was asked for least lately is made anew."""
_OWNED: Final = frozenset({"phone_number", "short_code"})


class Through(msgspec.Struct, frozen=True):
    """A service that a message goes through."""

    service: Resource[Service]
    pool: Pool

    @property
    def id(self) -> bytes:
        """Its id."""
        return self.service.id

    @property
    def settings(self) -> Service:
        """Its settings."""
        return self.service.value

    @property
    def sid(self) -> str:
        """Its SID, under which recipients opt out of all of it."""
        return ids.sid("MG", self.service.id)

    def links_media(self, recipient: Address) -> bool:
        """Whether the recipient gets links in place of media, since no sender of the pool can send those to it."""
        return (
            self.settings.mms_converter
            and self.pool.group(recipient, needs_mms=True) is None
            and self.pool.group(recipient, needs_mms=False) is not None
        )

    def choose(self, recipient: Address, *, needs_mms: bool, named: Address | None = None) -> Choice:
        """Who writes to a recipient: whose turn it is, or the one that is `named`.

        Raises Refused: pool_empty, sender_not_in_pool, sender_cannot_mms, no_fitting_sender.
        """
        if not self.pool.candidates:
            raise Refused("pool_empty", self.sid)
        if named is not None:
            return self._named(named, needs_mms=needs_mms)
        group = self.pool.group(recipient, needs_mms=needs_mms)
        if group is None:
            raise Refused("no_fitting_sender", self.sid)
        sender = group.take_turn().address.text
        return Choice(self.id, sender, group.why, group.keeps, self.settings.sticky_sender)

    def _named(self, sender: Address, *, needs_mms: bool) -> Choice:
        candidate = self.pool.by_address.get(sender.text)
        if candidate is None:
            raise Refused("sender_not_in_pool", sender.text)
        if needs_mms and not candidate.can_mms:
            raise Refused("sender_cannot_mms", sender.text)
        return Choice(self.id, sender.text, "given", {sender.text: candidate.option}, is_sticky=False)


class Services:
    """The services of all accounts."""

    def __init__(
        self,
        engine: Engine,
        clock: Clock,
        services: Resources[Service],
        senders: Resources[PoolSender],
        channels: Channels,
        registration: Registration,
        rules: SenderRules,
        paces: Paces,
    ) -> None:
        self._engine = engine
        self._services = services
        self._senders = senders
        self._channels = channels
        self._registration = registration
        self._rules = rules
        self._paces = paces
        self._known: Cache[tuple[bytes, bytes], Through] = Cache(clock, _MOST_POOLS)
        self._pools: OrderedDict[bytes, Pool] = OrderedDict()
        self._changes = -1

    @property
    def changes(self) -> int:
        """Grows with each change of a service, a pool or a channel's sender that is known of."""
        return self._services.changes + self._senders.changes + self._channels.changes

    def forget(self) -> None:
        """Ask the record again, because another node changed something: a number, perhaps."""
        self._known.clear()

    async def through(self, account_id: bytes, service_id: bytes) -> Through:
        """The account's service, as it was a moment ago. Raises Refused(service_unknown)."""
        if (changes := self.changes) != self._changes:
            self._changes = changes
            self._known.clear()
        key = (account_id, service_id)
        known = self._known.get(key) or await self._known.ask(key, lambda: self._load(*key))
        if known is None:
            raise Refused("service_unknown", ids.sid("MG", service_id))
        return known

    async def _load(self, account_id: bytes, service_id: bytes) -> Through | None:
        service = await self._services.find(account_id, service_id)
        if service is None:
            return None
        members = await self._senders.family(account_id, service_id)
        candidates = await self._candidates(account_id, members)
        by_area = service.value.area_code_geomatch
        pool = self._pools.get(service_id)
        # The same pool stays, or whose turn it is would begin anew each second.
        if pool is None or pool.candidates != candidates or pool.by_area != by_area:
            pool = self._pools[service_id] = Pool(candidates, self._rules.pools, by_area=by_area)
            if len(self._pools) > _MOST_POOLS:
                self._pools.popitem(last=False)
        self._pools.move_to_end(service_id)
        return Through(service, pool)

    async def of_sender(self, account_id: bytes, sender: Address) -> Resource[Service] | None:
        """The service that has a number, or an address of a channel, in its pool."""
        if sender.kind == "alphanumeric":
            return None  # a name may be in several
        member = await self._senders.named(account_id, sender.text)
        if member is None or member.parent_id is None:
            return None
        return await self._services.find(account_id, member.parent_id)

    async def _candidates(self, account_id: bytes, members: Sequence[Resource[PoolSender]]) -> list[Candidate]:
        """Those of a pool who can send: numbers that were released or cannot text, and channels' senders that are not
        approved, are not among them.
        """
        owned = [member.value.address for member in members if member.value.kind in _OWNED]
        can = await self._engine.read(numbers.capabilities, account_id, owned)
        candidates: list[Candidate] = []
        for member in members:
            sender = member.value
            address = addresses.read(sender.address)
            match sender.kind:
                case "phone_number" | "short_code":
                    can_sms, can_mms = can.get(sender.address, (False, False))
                case "channel":
                    can_sms = can_mms = await self._channels.is_ready(account_id, sender.address)
                case _:
                    can_sms, can_mms = True, False
            if can_sms:
                country = market(address.value) or "" if address.kind == "e164" else sender.country
                rate = await self._registration.pace(account_id, address)
                option = Option(self._paces.segment_us(address, rate), sort_of(address))
                candidates.append(Candidate(address, country, can_mms, option))
        return candidates
