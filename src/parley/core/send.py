"""Send: check a message, take it into the record, and answer once it is durable."""

from functools import lru_cache, partial
from typing import Final

import msgspec
from msgspec.structs import replace

from parley.core import magic_numbers
from parley.core.allowances import Allowances
from parley.core.channels import Channels
from parley.core.links import ShortLinks
from parley.core.pacing import MOST_WAIT_US, slot_us
from parley.core.prices import Prices
from parley.core.record import Record
from parley.core.refusal import Reason, Refused
from parley.core.resources import Resources
from parley.core.schedule import Schedule, put_off
from parley.core.senders import Load, Route, Senders
from parley.core.services import Services, Through
from parley.lib import ids, segments
from parley.lib.clock import Clock
from parley.lib.smart_encoding import smart
from parley.model import retention
from parley.model.account import Account
from parley.model.address import (
    SIGNALWIRE,
    TWILIO,
    TWILIO_STRICT,
    Address,
    InvalidAddress,
    Rules,
    is_signalwire_sender,
    parse_recipient,
    parse_sender,
)
from parley.model.application import Application
from parley.model.callback import TELLS_BEGINNING, Callback
from parley.model.message import (
    DEFAULT_VALIDITY_S,
    MAX_BODY,
    Dialect,
    Direction,
    Kind,
    Media,
    Message,
    Pending,
    Status,
)
from parley.model.retention import Part
from parley.store import messages
from parley.store.accept import IdempotencyKey, Intake, Repeated, Taken, recall
from parley.store.stickies import Doom

_HEAD_START_US: Final = 50_000
"""The first callback follows the 201 by so much: an app that is told of a message it does not know yet drops it."""
_SENDERS: Final = 10_000
"""Senders' addresses that are remembered as they were parsed."""
OVERFLOW: Final = Doom("failed", 30001)
"""What a full queue does to a message of a service, which was taken before its sender was known (error 21611)."""
OBJECTION: Final = Doom("failed", 21610)
"""What becomes of a service's message whose recipient opted out: Twilio takes it all the same."""
_REFUSALS: Final[dict[str, Reason]] = {
    "opted_out": "opted_out",
    "queue_full": "queue_full",
    "key_reused": "key_reused",
}


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """What a client asks to send, decoded but not checked."""

    account: Account
    dialect: Dialect
    recipient: str
    sender: str = ""
    """May be empty when a service sends."""
    service_id: bytes | None = None
    """The messaging service to send through."""
    application_id: bytes | None = None
    """The application that is told of its states, unless `status_callback` is."""
    body: str = ""
    media_urls: tuple[str, ...] = ()
    most_media: int = 10
    as_mms: bool = False
    status_callback: str | None = None
    validity_s: int | None = None
    """None: the service's, or the longest."""
    smart_encoded: bool | None = None
    """Whether typographic characters give way to plain ones; None: as the service has it."""
    shorten_urls: bool = False
    """The links of a service's message give way to short ones."""
    is_forced: bool = False
    """Send it to a landline, too."""
    send_at: int | None = None
    """When it is to go; None: at once."""
    direction: Direction = "outbound-api"
    extras: str | None = None
    """JSON object kept with the message."""
    forgets: tuple[Part, ...] = ()
    """What of it is not kept once it is over."""
    idempotency: IdempotencyKey | None = None
    id: bytes | None = None
    """The message's, for who has to know it before it is taken; made unless given."""
    is_confirmation: bool = False
    """The platform's own answer to a keyword: not stopped by the opt-out that it confirms."""


class Sending:
    """The one way for a message out. `strict` demands recipients that the numbering plan knows."""

    def __init__(
        self,
        record: Record,
        clock: Clock,
        senders: Senders,
        services: Services,
        channels: Channels,
        applications: Resources[Application],
        prices: Prices,
        allowances: Allowances,
        schedule: Schedule,
        links: ShortLinks,
        *,
        strict: bool,
    ) -> None:
        self._record = record
        self._clock = clock
        self._senders = senders
        self._services = services
        self._channels = channels
        self._applications = applications
        self._prices = prices
        self._allowances = allowances
        self._schedule = schedule
        self._links = links
        self._rules: dict[Dialect, Rules] = {
            "twilio": replace(TWILIO, strict=strict),
            "signalwire": replace(SIGNALWIRE, strict=strict),
        }
        # Senders are few, and each sends many messages.
        self._parse_sender = {
            dialect: lru_cache(_SENDERS)(partial(parse_sender, rules=rules)) for dialect, rules in self._rules.items()
        }

    async def send(self, draft: Draft) -> Message:
        """Take a message. Returns it as recorded, or the one that the same idempotency key made before.

        Raises Refused, with nothing changed.
        """
        try:
            return await self._send(draft)
        except Refused:
            # What was taken is taken, whatever its time, its service or its account have come to since.
            before = None if draft.idempotency is None else await self._recall(draft.account.id, draft.idempotency)
            if before is None:
                raise
            return before

    async def _recall(self, account_id: bytes, key: IdempotencyKey) -> Message | None:
        message_id = await self._record.engine.read(recall, account_id, key)
        if message_id is None:
            return None
        return await self._record.engine.read(messages.fetch, account_id, message_id)

    async def _send(self, draft: Draft) -> Message:
        if draft.account.status == "test":
            return self._rehearse(draft)
        if draft.account.status != "active":
            raise Refused("account_suspended")
        recipient = self._recipient(draft)
        await self._allowances.check(draft.account, recipient)
        through = None
        if draft.service_id is not None:
            through = await self._services.through(draft.account.id, draft.service_id)
        sender = self._sender(draft) if draft.sender or through is None else None
        asked_for, shortened = draft, None
        if through is not None and draft.shorten_urls:
            shortened = await self._links.shorten(draft.account.id, through.settings.link_domain_id, draft.body)
            draft = replace(draft, body=shortened.body)
        draft = await self._settled(draft, through)
        if through is not None and draft.media_urls and sender is None and through.links_media(recipient):
            draft = replace(draft, body="\n".join(filter(None, (draft.body, *draft.media_urls))), media_urls=())
        if draft.status_callback is None and sender is not None and sender.channel != "sms":
            told = await self._channels.status_callback(draft.account.id, sender)
            draft = replace(draft, status_callback=told)
        _check(draft, recipient, sender)
        count = segments.count(draft.body).segments if draft.body else 1
        load = Load(recipient, count, bool(draft.media_urls), draft.is_forced)
        start = await self._schedule.start(
            draft.account.id,
            None if through is None else through.service,
            draft.direction,
            recipient,
            draft.send_at,
        )
        # What goes later counts against no limit yet: it is asked only whether anybody could send it.
        asked = load if start is None else replace(load, segments=0)
        if through is not None:
            route = await self._senders.of_service(through, asked, sender)
        else:
            assert sender is not None, "it is missing only where a service sends"
            route = await self._senders.named(draft.account.id, sender, asked, draft.dialect)

        intake = self._intake(draft, route, load)
        if shortened is not None:
            goes_at = intake.message.created_at if start is None else start.free_at
            intake = replace(intake, links=shortened.of(intake.message, goes_at))
        verdict = await self._record.accept(intake if start is None else put_off(intake, start, sender))
        if isinstance(verdict, Taken):
            # That it has ended already is told by its callback, and to who asks again.
            return verdict.message if verdict.pending is not None else intake.message
        if isinstance(verdict, Repeated):
            before = await self._record.engine.read(messages.fetch, draft.account.id, verdict.message_id)
            if before is None:  # deleted since: the key still names it, and it is not sent again
                raise Refused("not_found")
            return before
        if verdict == "code_taken":
            return await self._send(asked_for)  # with other codes
        raise Refused(_REFUSALS[verdict], recipient.text)

    def _rehearse(self, draft: Draft) -> Message:
        """What test credentials get: checked by what it says alone, told as taken, and kept nowhere. Only the good test
        number sends (Twilio's test credentials page). Raises Refused.
        """
        if draft.service_id is not None:
            raise Refused("service_unknown", ids.sid("MG", draft.service_id))
        recipient, sender = self._recipient(draft), self._sender(draft)
        if sender.value != magic_numbers.GOOD:
            raise Refused("sender_cannot_sms", sender.text)
        _check(draft, recipient, sender)
        count = segments.count(draft.body).segments if draft.body else 1
        return self._intake(draft, Route(sender, 0.0, None), Load(recipient, count)).message

    async def _settled(self, draft: Draft, through: Through | None) -> Draft:
        """The draft with what it leaves to its application and its service. Raises Refused(application_unknown)."""
        callback, validity_s, is_smart = draft.status_callback, draft.validity_s, draft.smart_encoded
        if draft.application_id is not None:
            application = await self._applications.find(draft.account.id, draft.application_id)
            if application is None:
                raise Refused("application_unknown", ids.sid("AP", draft.application_id))
            callback = callback or application.value.message_callback
        elif through is None and not is_smart:
            return draft  # by far the most
        if through is not None:
            settings = through.settings
            callback = callback or settings.status_callback
            validity_s = settings.validity_period if validity_s is None else validity_s
            is_smart = settings.smart_encoding if is_smart is None else is_smart
        body = smart(draft.body) if is_smart else draft.body
        return replace(draft, body=body, status_callback=callback, validity_s=validity_s)

    def _recipient(self, draft: Draft) -> Address:
        text = draft.recipient
        if not text:
            raise Refused("recipient_missing")
        try:
            recipient = parse_recipient(text, self._rules_of(draft))
        except InvalidAddress as error:
            raise Refused("recipient_invalid", text) from error
        if recipient.kind == "short_code" and draft.dialect == "twilio":
            raise Refused("recipient_is_short_code", text)
        if reason := magic_numbers.of_recipient(recipient.value):
            raise Refused(reason, recipient.text)
        return recipient

    def _rules_of(self, draft: Draft) -> Rules:
        """What a recipient is held to: Twilio refuses what nobody can have, but who wrote here gets an answer."""
        is_asked = draft.dialect == "twilio" and draft.direction == "outbound-api"
        return TWILIO_STRICT if is_asked else self._rules[draft.dialect]

    def _sender(self, draft: Draft) -> Address:
        text = draft.sender
        if not text:
            raise Refused("sender_missing")
        try:
            sender = self._parse_sender[draft.dialect](text)
        except InvalidAddress as error:
            raise Refused("sender_invalid", text) from error
        if reason := magic_numbers.of_sender(sender.value):
            raise Refused(reason, sender.text)
        if draft.dialect == "signalwire" and not is_signalwire_sender(sender):
            raise Refused("sender_invalid", text)
        return sender

    def _intake(self, draft: Draft, route: Route, load: Load) -> Intake:
        now = self._clock.now()
        record = self._record
        message_id = draft.id or record.ids.new()
        account_id = draft.account.id
        sender, recipient, choice = route.sender, load.recipient, route.choice
        is_mms = bool(draft.media_urls) or draft.as_mms
        kind: Kind = "whatsapp" if sender.channel == "whatsapp" else "mms" if is_mms else "sms"
        expires_at = now + (DEFAULT_VALIDITY_S if draft.validity_s is None else draft.validity_s) * 1_000_000
        message = Message(
            account_id,
            message_id,
            draft.direction,
            draft.dialect,
            kind,
            "queued",
            sender.text,
            recipient.text,
            draft.body,
            load.segments,
            len(draft.media_urls),
            None if choice is None else choice.service_id,
            draft.status_callback,
            now,
            now,
            None,
            expires_at,
            None,
            None,
            None,
            0,
            None,
            retention.noted(draft.extras, draft.forgets) if draft.forgets else draft.extras,
            self._prices.of(kind, recipient, load.segments),
        )
        # That a service's message is queued is a move: it was accepted before.
        begins = choice is not None or draft.dialect in TELLS_BEGINNING
        may_end = choice is not None or route.doom is not None
        return Intake(
            message,
            Pending(message_id, account_id, sender.text, record.holder_of_messages, now, expires_at, 0, None),
            tuple(
                Media(record.ids.new(), account_id, message_id, n, url, None, None, None, now, None)
                for n, url in enumerate(draft.media_urls)
            )
            if draft.media_urls
            else (),
            callbacks=self.callbacks(message, "queued", now) if begins else (),
            idempotency=draft.idempotency,
            must_consent=not draft.is_confirmation,
            objection=None if choice is None or draft.dialect != "twilio" else OBJECTION,
            scope=route.scope,
            slot_us=slot_us(route.segment_us, load.segments) if route.segment_us else 0,
            most_wait_us=MOST_WAIT_US,
            overflow=None if choice is None else OVERFLOW,
            doom=route.doom,
            ending=next(iter(self.callbacks(message, "failed", now + 1)), None) if may_end else None,
            choice=choice,
            passed=() if choice is None else ("accepted",),
            forgets_from=now if draft.forgets else None,
        )

    def callbacks(self, message: Message, status: Status, at: int) -> tuple[Callback, ...]:
        """The callback that tells of a state which a message enters as it is taken, if anybody is to be told."""
        if message.status_callback is None or not self._record.calls_back(message.dialect, status):
            return ()
        callback = Callback.owed(
            self._record.ids.at(at),
            (message.account_id, message.id),
            message.dialect,
            message.status_callback,
            status,
            at=at,
            node=self._record.holder_of_callbacks,
            after_us=_HEAD_START_US,
        )
        return (callback,)


def _check(draft: Draft, recipient: Address, sender: Address | None) -> None:
    """Hold a message against what holds for all. Raises Refused."""
    if not draft.body and not draft.media_urls:
        raise Refused("body_missing")
    if len(draft.body) > MAX_BODY:
        raise Refused("body_too_long")
    if len(draft.media_urls) > draft.most_media:
        raise Refused("media_limit_exceeded")
    if sender is not None and recipient.channel != sender.channel:
        raise Refused("channels_differ", recipient.text)
    if recipient == sender:
        raise Refused("recipient_is_sender", recipient.text)
