"""Consent: honour STOP, START and HELP where the platform is asked to, and answer them."""

from typing import Protocol

import structlog

from parley.core.refusal import Refused
from parley.core.send import Draft
from parley.lib.clock import Clock
from parley.model.account import Account
from parley.model.address import Address
from parley.model.consent import OptOut, OptOutType, Replies, keyword_of
from parley.model.message import Message
from parley.model.number import Number
from parley.store.accept import IdempotencyKey

log = structlog.get_logger(__name__)


class _Sends(Protocol):
    async def send(self, draft: Draft) -> Message: ...


class Consent:
    """Who wants no more messages. Toll-free numbers and services will add their own rules here, and only here."""

    def __init__(self, clock: Clock, sending: _Sends, replies: Replies) -> None:
        self._clock = clock
        self._sending = sending
        self._replies = replies

    def keyword(self, account: Account, number: Number, body: str) -> OptOutType | None:
        """The keyword that a message is, where the platform honours keywords; else None.

        SignalWire leaves STOP to the app, Twilio's platform honours it: by default each number behaves as the API that
        configured it (`opt_out_handling`: `number`), or the account has the platform or the app do it for all.
        """
        if account.opt_out_handling == "app":
            return None
        if account.opt_out_handling == "number" and (
            number.handler == "json_webhook" or (number.handler is None and number.dialect == "signalwire")
        ):
            return None
        return keyword_of(body)

    def said(
        self, number: Number, ours: Address, phone: Address, keyword: OptOutType | None, body: str
    ) -> tuple[OptOut | None, tuple[bytes, str, str] | None]:
        """What a keyword changes for the pair of addresses: an opt-out, or the pair of the one that it takes back."""
        if keyword == "STOP":
            return OptOut(number.account_id, ours.text, phone.text, body.strip().upper(), self._clock.now()), None
        if keyword == "START":
            return None, (number.account_id, ours.text, phone.text)
        return None, None

    async def confirm(
        self, account: Account, number: Number, ours: Address, phone: Address, keyword: OptOutType, message_id: bytes
    ) -> None:
        """Answer a keyword, once for each message. HELP gets no answer while opted out; STOP's is not stopped by it."""
        text = {"STOP": self._replies.stop, "START": self._replies.start, "HELP": self._replies.help}[keyword]
        if not text:
            return
        draft = Draft(
            account=account,
            dialect=number.dialect,
            recipient=phone.text,
            sender=ours.text,
            body=text,
            direction="outbound-reply",
            idempotency=IdempotencyKey(f"confirm:{message_id.hex()}", b""),
            is_confirmation=keyword == "STOP",
        )
        try:
            await self._sending.send(draft)
        except Refused as refused:
            log.info("keyword not answered", keyword=keyword, phone=phone.text, reason=refused.reason)
