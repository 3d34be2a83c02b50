"""Receive: take a message that a carrier brought for one of our numbers, and owe its owner a webhook."""

import hashlib
from typing import Final, Literal

import structlog
from msgspec import json
from msgspec.structs import replace

from parley.core.accounts import Accounts
from parley.core.carrier import Inbound
from parley.core.channels import Channels
from parley.core.consent import Consent
from parley.core.metrics import Metrics
from parley.core.numbers import Numbers
from parley.core.prices import Prices
from parley.core.record import Record
from parley.core.refusal import Refused
from parley.core.services import Services
from parley.lib import segments
from parley.lib.clock import Clock
from parley.lib.ids import sid
from parley.model.address import Address, InvalidAddress, parse_recipient, parse_sender
from parley.model.callback import Callback
from parley.model.consent import RETURNING, Heard, OptOutType
from parley.model.laml import is_laml, marked
from parley.model.message import Dialect, Kind, Media, Message, Status
from parley.model.number import RELAY_HANDLERS, Number
from parley.model.relay import KEY, Told
from parley.model.service import Service
from parley.store import opt_outs, unkept
from parley.store.accept import IdempotencyKey, Intake, Repeated

log = structlog.get_logger(__name__)

UNHANDLED: Final = 30006
"""What an inbound message ends with, kept, when its number is SignalWire's and nobody is named to tell of it."""


class Receiving:
    """The one way for a message in."""

    def __init__(
        self,
        record: Record,
        numbers: Numbers,
        channels: Channels,
        services: Services,
        accounts: Accounts,
        consent: Consent,
        prices: Prices,
        clock: Clock,
        metrics: Metrics,
    ) -> None:
        self._record = record
        self._services = services
        self._prices = prices
        self._metrics = metrics
        self._numbers = numbers
        self._channels = channels
        self._accounts = accounts
        self._consent = consent
        self._clock = clock

    async def receive(self, inbound: Inbound) -> bytes:
        """Take one message and return its id once it is durable.

        One to a number of a service that has no inbound URL is not kept, as Twilio has it: the service API, Service's
        inbound_request_url. What it says of consent is, and the id then names nothing.

        Raises Refused: recipient_invalid or sender_invalid (not an address), not_found (nobody's number).
        """
        to = _address(inbound.recipient, "recipient_invalid")
        phone = _address(inbound.sender, "sender_invalid")
        number = await self._numbers.reached(to.value)
        account = await self._accounts.by_id(number.account_id) if number is not None else None
        if number is None or account is None:
            raise Refused("not_found", to.text)
        number = await self._channels.reached(number, to)
        service = await self._services.of_sender(account.id, to)
        service_id, settings = (service.id, service.value) if service is not None else (None, None)
        if settings is not None and not settings.use_inbound_webhook_on_number:
            number = _under(number, settings)
        heard = self._consent.keyword(account, number, to, phone, inbound.body, settings)
        is_default = settings is None or not settings.keywords
        if heard is not None and heard.word in RETURNING and is_default:
            heard = heard if await self._is_out(account.id, to, phone, service_id) else None
        intake = self._intake(inbound, number, to, phone, heard, service_id)
        if settings is not None and not settings.use_inbound_webhook_on_number and number.request_url is None:
            message_id = await self._drop(inbound, intake)
        else:
            verdict = await self._record.accept(intake)
            # When the carrier brought it again, it is one message still, and a node may have died before it answered.
            message_id = verdict.message_id if isinstance(verdict, Repeated) else intake.message.id
            keyword = heard.kind if heard is not None else None
            log.debug("received", message=message_id.hex(), sender=phone.text, recipient=to.text, keyword=keyword)
        if heard is not None:
            await self._consent.confirm(account, number, to, phone, heard, message_id)
        return message_id

    async def bring(self, inbound: Inbound) -> bytes | None:
        """Take what a carrier brings, as `receive` does; None for what nobody here can take, however often it comes."""
        try:
            return await self.receive(inbound)
        except Refused as refused:
            log.info("not taken", sender=inbound.sender, recipient=inbound.recipient, reason=refused.reason)
            return None

    async def _is_out(self, account_id: bytes, to: Address, phone: Address, service_id: bytes | None) -> bool:
        senders = [to.text] if service_id is None else [to.text, sid("MG", service_id)]
        found = [await self._record.engine.read(opt_outs.is_out, account_id, each, phone.text) for each in senders]
        return any(found)

    async def _drop(self, inbound: Inbound, intake: Intake) -> bytes:
        """Keep nothing of a message but its word on consent; an id that is the same when it is brought again."""
        message, key = intake.message, intake.idempotency
        message_id = message.id
        if key is not None:
            message_id = hashlib.blake2b(f"{inbound.carrier}:{inbound.ref}".encode(), digest_size=16).digest()
        if intake.consent:
            engine, said = self._record.engine, [replace(change, message_id=None) for change in intake.consent]
            if key is None:
                await engine.write(opt_outs.apply, said)
            else:
                message_id = await engine.write(
                    unkept.hear, message.account_id, key, message_id, message.created_at, said
                )
        self._metrics.dropped.inc()
        log.info("not kept, since its service has no inbound URL", sender=message.sender, recipient=message.recipient)
        return message_id

    def _intake(
        self,
        inbound: Inbound,
        number: Number,
        to: Address,
        phone: Address,
        heard: Heard | None,
        service_id: bytes | None,
    ) -> Intake:
        now = self._clock.now()
        record = self._record
        message_id = record.ids.new()
        contents = tuple((hashlib.sha256(octets).digest(), octets) for _, octets in inbound.media)
        media = tuple(
            Media(record.ids.new(), number.account_id, message_id, n, None, kind, len(octets), digest, now, None)
            for n, ((kind, octets), (digest, _)) in enumerate(zip(inbound.media, contents, strict=True))
        )
        kind: Kind = "whatsapp" if to.channel == "whatsapp" else "mms" if media else "sms"
        count = segments.count(inbound.body).segments if inbound.body else 1
        dialect = webhook_dialect(number)
        is_unhandled = dialect == "signalwire" and number.handler is None and number.request_url is None
        message = Message(
            account_id=number.account_id,
            id=message_id,
            direction="inbound",
            dialect=dialect,
            kind=kind,
            status="failed" if is_unhandled else "received",
            sender=phone.text,
            recipient=to.text,
            body=inbound.body,
            segments=count,
            num_media=len(media),
            service_id=service_id,
            status_callback=None,
            created_at=now,
            updated_at=now,
            sent_at=now,
            expires_at=None,
            carrier=inbound.carrier,
            error_code=UNHANDLED if is_unhandled else None,
            error_message=None,
            uncertain=0,
            deleted_at=None,
            extras=_told(number),
            price=None if is_unhandled else self._prices.inbound(kind, to, count),
        )
        key = None
        if inbound.ref is not None:
            name = f"inbound:{inbound.carrier}:{inbound.ref}"
            key = IdempotencyKey(name, b"")
        consent = self._consent.said(number, to, phone, heard, message_id, service_id)
        webhook = self._webhook(number, message, heard.kind if heard is not None else None)
        passed: tuple[Status, ...] = ("receiving",) if is_unhandled else ()
        return Intake(message, None, media, contents, webhook, key, consent=consent, passed=passed)

    def _webhook(self, number: Number, message: Message, keyword: OptOutType | None) -> tuple[Callback, ...]:
        if number.request_url is None or number.handler in RELAY_HANDLERS:
            return ()
        plain = Callback.owed(
            self._record.ids.new(),
            (message.account_id, message.id),
            message.dialect,
            number.request_url,
            message.status,
            at=message.created_at,
            node=self._record.holder_of_callbacks,
        )
        webhook = replace(
            plain,
            kind="inbound",
            method=number.request_method,
            fallback_url=number.fallback_url,
            fallback_method=number.fallback_method,
            data=json.encode({"opt_out_type": keyword}).decode() if keyword is not None else None,
        )
        return (webhook,)


def _under(number: Number, service: Service) -> Number:
    """A number with the webhooks of its service, which are Twilio's."""
    return replace(
        number,
        handler="laml_webhooks",
        request_url=service.inbound_request_url,
        request_method=service.inbound_method,
        fallback_url=service.fallback_url,
        fallback_method=service.fallback_method,
        extras=None,
    )


def _told(number: Number) -> str | None:
    """The extras of a message to a number, which say whether Relay's clients are told of it, and who knows UUIDs."""
    if number.handler == "laml_webhooks":
        return marked(None, is_so=is_laml(number.extras))
    if number.relay_context is None or number.handler not in RELAY_HANDLERS:
        return None
    return json.encode({KEY: Told(number.relay_context)}).decode()


def webhook_dialect(number: Number) -> Dialect:
    """The shape of a number's inbound webhook."""
    if number.handler == "laml_webhooks":
        return "twilio"
    return "signalwire" if number.handler == "json_webhook" else number.dialect


def _address(text: str, reason: Literal["recipient_invalid", "sender_invalid"]) -> Address:
    try:
        return parse_sender(text) if reason == "recipient_invalid" else parse_recipient(text)
    except InvalidAddress as error:
        raise Refused(reason, text) from error
