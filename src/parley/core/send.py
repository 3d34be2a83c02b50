"""Send: check a message, take it into the record, and answer once it is durable."""

from typing import Final

import msgspec
from msgspec.structs import replace

from parley.core import magic_numbers
from parley.core.numbers import Numbers
from parley.core.pacing import MOST_WAIT_US, Paces
from parley.core.record import Record
from parley.core.refusal import Reason, Refused
from parley.lib import segments
from parley.lib.clock import Clock
from parley.model.account import Account
from parley.model.address import SIGNALWIRE, TWILIO, Address, InvalidAddress, Rules, parse_recipient, parse_sender
from parley.model.callback import Callback
from parley.model.message import DEFAULT_VALIDITY_S, MAX_BODY, Dialect, Direction, Media, Message, Pending
from parley.store import messages
from parley.store.accept import IdempotencyKey, Intake, Repeated, Taken

_HEAD_START_US: Final = 50_000
"""The first callback follows the 201 by so much: an app that is told of a message it does not know yet drops it."""
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
    sender: str
    body: str = ""
    media_urls: tuple[str, ...] = ()
    most_media: int = 10
    as_mms: bool = False
    status_callback: str | None = None
    validity_s: int = DEFAULT_VALIDITY_S
    direction: Direction = "outbound-api"
    extras: str | None = None
    """JSON object kept with the message."""
    idempotency: IdempotencyKey | None = None
    is_confirmation: bool = False
    """The platform's own answer to a keyword: not stopped by the opt-out that it confirms."""


class Sending:
    """The one way for a message out. `strict` demands recipients that the numbering plan knows."""

    def __init__(self, record: Record, numbers: Numbers, clock: Clock, paces: Paces, *, strict: bool) -> None:
        self._record = record
        self._numbers = numbers
        self._clock = clock
        self._paces = paces
        self._rules: dict[Dialect, Rules] = {
            "twilio": replace(TWILIO, strict=strict),
            "signalwire": replace(SIGNALWIRE, strict=strict),
        }

    async def send(self, draft: Draft) -> Message:
        """Take a message. Returns it as recorded, or the one that the same idempotency key made before.

        Raises Refused, with nothing changed.
        """
        if draft.account.status != "active":
            raise Refused("account_suspended")
        recipient = self._recipient(draft)
        sender = self._sender(draft)
        body = draft.body
        if not body and not draft.media_urls:
            raise Refused("body_missing")
        if len(body) > MAX_BODY:
            raise Refused("body_too_long")
        if len(draft.media_urls) > draft.most_media:
            raise Refused("media_limit_exceeded")
        if recipient.channel != sender.channel:
            raise Refused("recipient_unroutable", recipient.text)
        if recipient == sender:
            raise Refused("recipient_is_sender", recipient.text)
        number = await self._numbers.sender(draft.account.id, sender, draft.dialect)
        if number is not None and not number.can_sms:
            raise Refused("sender_cannot_sms", sender.text)
        if draft.media_urls and (number is None or not number.can_mms):
            raise Refused("sender_cannot_mms", sender.text)

        intake = self._intake(draft, sender, recipient, segments.count(body).segments if body else 1)
        verdict = await self._record.accept(intake)
        if isinstance(verdict, Taken):
            return verdict.message
        if isinstance(verdict, Repeated):
            before = await self._record.engine.read(messages.fetch, draft.account.id, verdict.message_id)
            if before is None:  # deleted since: the key still names it, and it is not sent again
                raise Refused("not_found")
            return before
        raise Refused(_REFUSALS[verdict], recipient.text)

    def _recipient(self, draft: Draft) -> Address:
        text = draft.recipient
        if not text:
            raise Refused("recipient_missing")
        try:
            recipient = parse_recipient(text, self._rules[draft.dialect])
        except InvalidAddress as error:
            raise Refused("recipient_invalid", text) from error
        if recipient.kind == "short_code" and draft.dialect == "twilio":
            raise Refused("recipient_is_short_code", text)
        if reason := magic_numbers.of_recipient(recipient.value):
            raise Refused(reason, recipient.text)
        return recipient

    def _sender(self, draft: Draft) -> Address:
        text = draft.sender
        if not text:
            raise Refused("sender_missing")
        try:
            sender = parse_sender(text, self._rules[draft.dialect])
        except InvalidAddress as error:
            raise Refused("sender_invalid", text) from error
        if reason := magic_numbers.of_sender(sender.value):
            raise Refused(reason, sender.text)
        return sender

    def _intake(self, draft: Draft, sender: Address, recipient: Address, count: int) -> Intake:
        now = self._clock.now()
        record = self._record
        message_id = record.ids.new()
        account_id = draft.account.id
        is_mms = bool(draft.media_urls) or draft.as_mms
        expires_at = now + draft.validity_s * 1_000_000
        message = Message(
            account_id,
            message_id,
            draft.direction,
            draft.dialect,
            "whatsapp" if sender.channel == "whatsapp" else "mms" if is_mms else "sms",
            "queued",
            sender.text,
            recipient.text,
            draft.body,
            count,
            len(draft.media_urls),
            None,
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
            draft.extras,
        )
        return Intake(
            message,
            Pending(message_id, account_id, sender.text, record.holder_of_messages, now, expires_at, 0, None),
            tuple(
                Media(record.ids.new(), account_id, message_id, n, url, None, None, None, now, None)
                for n, url in enumerate(draft.media_urls)
            )
            if draft.media_urls
            else (),
            (),
            self._first_callback(message),
            draft.idempotency,
            must_consent=not draft.is_confirmation,
            slot_us=self._paces.slot_us(sender, count),
            most_wait_us=MOST_WAIT_US,
        )

    def _first_callback(self, message: Message) -> tuple[Callback, ...]:
        if message.status_callback is None or not self._record.calls_back(message.dialect, message.status):
            return ()
        callback = Callback.owed(
            self._record.ids.at(message.created_at),
            (message.account_id, message.id),
            message.dialect,
            message.status_callback,
            message.status,
            at=message.created_at,
            node=self._record.holder_of_callbacks,
            after_us=_HEAD_START_US,
        )
        return (callback,)
