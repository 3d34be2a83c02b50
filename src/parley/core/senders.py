"""Find who sends a message: the number that a request names or one of a service's, and what stands in its way."""

from collections.abc import Collection
from typing import Final

import msgspec
from msgspec.structs import replace

from parley.core.cache import Cache
from parley.core.channels import Channels
from parley.core.numbers import Numbers
from parley.core.pacing import Paces, sort_of
from parley.core.refusal import Refused
from parley.core.registration import Registration
from parley.core.resources import Resources
from parley.core.sender_rules import SenderRules
from parley.core.services import Services, Through
from parley.lib.clock import Clock
from parley.model import address as addresses
from parley.model.address import Address
from parley.model.caller_id import CallerId
from parley.model.message import Dialect
from parley.store.stickies import Choice, Doom

_CLOSED: Final = Doom("failed", 63016)
"""WhatsApp takes nothing but templates by now. Source: twilio.com/docs/api/errors/63016."""


class Route(msgspec.Struct, frozen=True):
    """From whom a message goes, and on which terms."""

    sender: Address
    segment_us: float
    """Microseconds of the sender's pace that each segment takes; 0 is unpaced."""
    scope: str | None
    """The SID of the service that the sender belongs to: who opted out of it is not written to."""
    doom: Doom | None = None
    """It is taken, and will not arrive."""
    choice: Choice | None = None
    """Set when a service sends: its sender may still be another."""


class Load(msgspec.Struct, frozen=True):
    """What a sender is asked to take. `is_forced` lets landlines pass."""

    recipient: Address
    segments: int
    needs_mms: bool = False
    is_forced: bool = False


class _Terms(msgspec.Struct, frozen=True):
    """What holds for all that an account sends from one address."""

    can_mms: bool
    segment_us: float
    """Of its sort's pace."""
    scope: str | None


class Senders:
    """The senders of all accounts, by number and by service."""

    def __init__(
        self,
        numbers: Numbers,
        services: Services,
        channels: Channels,
        caller_ids: Resources[CallerId],
        rules: SenderRules,
        registration: Registration,
        paces: Paces,
        clock: Clock,
    ) -> None:
        self._numbers = numbers
        self._services = services
        self._channels = channels
        self._caller_ids = caller_ids
        self._rules = rules
        self._registration = registration
        is_registered = registration.terms.needs_campaign or registration.terms.needs_verification
        self._is_bound = rules.is_strict or is_registered
        self._paces = paces
        self._terms: Cache[tuple[bytes, Address], _Terms] = Cache(clock)
        self._changes = -1

    async def named(self, account_id: bytes, sender: Address, load: Load, dialect: Dialect) -> Route:
        """The sender that a request names, which the account has to own.

        Raises Refused: sender_not_owned, sender_of_another_account, sender_is_caller_id, sender_not_ready,
        sender_cannot_sms, sender_cannot_mms, and what the rules of the recipient's country refuse.
        """
        if (changes := self._numbers.changes + self._services.changes) != self._changes:
            self._changes = changes
            self._terms.clear()
        terms = self._terms.get((account_id, sender)) or await self._look_up(account_id, sender, dialect)
        if load.needs_mms and not terms.can_mms:
            raise Refused("sender_cannot_mms", sender.text)
        if not self._is_bound:
            return Route(sender, terms.segment_us, terms.scope)
        self._check(sender, load)
        code = await self._registration.block(account_id, sender, load.recipient, load.segments)
        rate = await self._registration.pace(account_id, sender)
        doom = self._doom(load.recipient, code)
        if doom is None and sender.channel == "whatsapp":
            doom = await self._closed(account_id, load.recipient, (sender.text,))
        return Route(sender, self._paces.segment_us(sender, rate), terms.scope, doom)

    async def _look_up(self, account_id: bytes, sender: Address, dialect: Dialect) -> _Terms:
        changes = self._changes
        if sender.kind == "e164":
            await self._refuse_caller_id(account_id, sender)
        number = await self._numbers.sender(account_id, sender, dialect)
        if number is not None and not number.can_sms:
            raise Refused("sender_cannot_sms", sender.text)
        if sender.channel != "sms" and not await self._channels.is_ready(account_id, sender.text):
            raise Refused("sender_not_ready", sender.text)
        service = await self._services.of_sender(account_id, sender)
        scope = None if service is None else f"MG{service.id.hex()}"
        terms = _Terms(number is not None and bool(number.can_mms), self._paces.segment_us(sender), scope)
        if changes == self._changes:
            self._terms.put((account_id, sender), terms)
        return terms

    async def _refuse_caller_id(self, account_id: bytes, sender: Address) -> None:
        """Raise Refused for a verified caller id that is no number of the account's: it is there to call from, and the
        dev profile would make it the account's by its use.
        """
        number = await self._numbers.by_address(sender.value)
        if number is not None and number.account_id == account_id:
            return
        found = await self._caller_ids.named(account_id, sender.value)
        if found is not None and found.value.is_verified:
            raise Refused("sender_is_caller_id", sender.text)

    async def of_service(self, through: Through, load: Load, named: Address | None = None) -> Route:
        """A sender of a service: whose turn it is, or the one that is `named`.

        Raises Refused: pool_empty, no_fitting_sender, sender_not_in_pool, sender_cannot_mms, and what the rules of the
        recipient's country refuse.
        """
        choice = through.choose(load.recipient, needs_mms=load.needs_mms, named=named)
        sender = addresses.read(choice.sender)
        self._check(sender, load)
        option = choice.options[choice.sender]
        doom = self._doom(load.recipient, None)
        if doom is None and sender.channel == "whatsapp":
            doom = await self._closed(through.service.account_id, load.recipient, choice.options)
        if doom is None and self._is_bound:
            choice = replace(choice, dooms=await self._dooms(through.service.account_id, choice, load))
        return Route(sender, option.segment_us, through.sid, doom, choice)

    def _check(self, sender: Address, load: Load) -> None:
        if reason := self._rules.refusal(sender, load.recipient, is_forced=load.is_forced):
            raise Refused(reason, load.recipient.text)

    def _doom(self, recipient: Address, code: int | None) -> Doom | None:
        code = self._rules.fate(recipient) or code
        return None if code is None else Doom("undelivered", code)

    async def _closed(self, account_id: bytes, recipient: Address, senders: Collection[str]) -> Doom | None:
        """What ends a message on WhatsApp whose recipient wrote to none of the senders lately: it would have to be a
        template, and there are none.
        """
        is_open = not self._rules.is_strict or await self._channels.has_written(account_id, recipient, senders)
        return None if is_open else _CLOSED

    async def _dooms(self, account_id: bytes, choice: Choice, load: Load) -> dict[str, Doom]:
        """What the registry has against each sort of sender that the choice is among: one pool, one registration."""
        chosen = sort_of(addresses.read(choice.sender))
        examples: dict[str, str] = {chosen: choice.sender}
        if choice.is_sticky:
            for text, option in choice.options.items():
                examples.setdefault(option.sort, text)
        dooms: dict[str, Doom] = {}
        for sort, text in examples.items():
            # Segments are counted once, though another sort of sender may get them in the end.
            segments = load.segments if sort == chosen else 0
            code = await self._registration.block(account_id, addresses.read(text), load.recipient, segments)
            if code is not None:
                dooms[sort] = Doom("undelivered", code)
        return dooms
