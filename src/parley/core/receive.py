"""Receive: take a message that a carrier brought for one of our numbers, and owe its owner a webhook."""

import hashlib
from typing import Literal

import structlog
from msgspec import json
from msgspec.structs import replace

from parley.core.accounts import Accounts
from parley.core.carrier import Inbound
from parley.core.consent import Consent
from parley.core.numbers import Numbers
from parley.core.record import Record
from parley.core.refusal import Refused
from parley.lib import segments
from parley.lib.clock import Clock
from parley.model.address import Address, InvalidAddress, parse_recipient, parse_sender
from parley.model.callback import Callback
from parley.model.consent import Heard, OptOutType
from parley.model.message import Dialect, Media, Message
from parley.model.number import Number
from parley.store.accept import IdempotencyKey, Intake, Repeated

log = structlog.get_logger(__name__)


class Receiving:
    """The one way for a message in."""

    def __init__(self, record: Record, numbers: Numbers, accounts: Accounts, consent: Consent, clock: Clock) -> None:
        self._record = record
        self._numbers = numbers
        self._accounts = accounts
        self._consent = consent
        self._clock = clock

    async def receive(self, inbound: Inbound) -> bytes:
        """Take one message and return its id once it is durable.

        Raises Refused: recipient_invalid or sender_invalid (not an address), not_found (nobody's number).
        """
        to = _address(inbound.recipient, "recipient_invalid")
        phone = _address(inbound.sender, "sender_invalid")
        number = await self._numbers.by_address(to.value)
        account = await self._accounts.by_id(number.account_id) if number is not None else None
        if number is None or account is None:
            raise Refused("not_found", to.text)
        heard = self._consent.keyword(account, number, to, phone, inbound.body)
        intake = self._intake(inbound, number, to, phone, heard)
        verdict = await self._record.accept(intake)
        # When the carrier brought it again, it is one message still, and a node may have died before it answered.
        message_id = verdict.message_id if isinstance(verdict, Repeated) else intake.message.id
        keyword = heard.kind if heard is not None else None
        log.debug("received", message=message_id.hex(), sender=phone.text, recipient=to.text, keyword=keyword)
        if heard is not None:
            await self._consent.confirm(account, number, to, phone, heard, message_id)
        return message_id

    def _intake(self, inbound: Inbound, number: Number, to: Address, phone: Address, heard: Heard | None) -> Intake:
        now = self._clock.now()
        record = self._record
        message_id = record.ids.new()
        contents = tuple((hashlib.sha256(octets).digest(), octets) for _, octets in inbound.media)
        media = tuple(
            Media(record.ids.new(), number.account_id, message_id, n, None, kind, len(octets), digest, now, None)
            for n, ((kind, octets), (digest, _)) in enumerate(zip(inbound.media, contents, strict=True))
        )
        message = Message(
            account_id=number.account_id,
            id=message_id,
            direction="inbound",
            dialect=webhook_dialect(number),
            kind="whatsapp" if to.channel == "whatsapp" else "mms" if media else "sms",
            status="received",
            sender=phone.text,
            recipient=to.text,
            body=inbound.body,
            segments=segments.count(inbound.body).segments if inbound.body else 1,
            num_media=len(media),
            service_id=None,
            status_callback=None,
            created_at=now,
            updated_at=now,
            sent_at=now,
            expires_at=None,
            carrier=inbound.carrier,
            error_code=None,
            error_message=None,
            uncertain=0,
            deleted_at=None,
            extras=None,
        )
        key = None
        if inbound.ref is not None:
            name = f"inbound:{inbound.carrier}:{inbound.ref}"
            key = IdempotencyKey(name, b"")
        consent = self._consent.said(number, to, phone, heard, message_id)
        webhook = self._webhook(number, message, heard.kind if heard is not None else None)
        return Intake(message, None, media, contents, webhook, key, consent=consent)

    def _webhook(self, number: Number, message: Message, keyword: OptOutType | None) -> tuple[Callback, ...]:
        if number.request_url is None:
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
