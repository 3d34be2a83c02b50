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
from parley.store import Engine, opt_outs

log = structlog.get_logger(__name__)


class _Sends(Protocol):
    async def send(self, draft: Draft) -> Message: ...


class Consent:
    """Who wants no more messages. Toll-free numbers and services will add their own rules here, and only here."""

    def __init__(self, engine: Engine, clock: Clock, sending: _Sends, replies: Replies) -> None:
        self._engine = engine
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

    async def note(self, number: Number, ours: Address, phone: Address, keyword: OptOutType, body: str) -> None:
        """Record what the keyword says, for the pair of addresses. HELP says nothing."""
        if keyword == "STOP":
            word = body.strip().upper()
            out = OptOut(number.account_id, ours.text, phone.text, word, self._clock.now())
            await self._engine.write(opt_outs.put, out)
        elif keyword == "START":
            await self._engine.write(opt_outs.lift, number.account_id, ours.text, phone.text)

    async def confirm(
        self, account: Account, number: Number, ours: Address, phone: Address, keyword: OptOutType
    ) -> None:
        """Answer a keyword. HELP gets no answer while opted out; STOP's is not stopped by itself."""
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
            is_confirmation=keyword == "STOP",
        )
        try:
            await self._sending.send(draft)
        except Refused as refused:
            log.info("keyword not answered", keyword=keyword, phone=phone.text, reason=refused.reason)
