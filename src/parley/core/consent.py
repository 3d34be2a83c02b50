"""Consent: honour STOP, START and HELP where the platform is asked to, and answer them."""

from typing import Literal, Protocol

import structlog

from parley.core.refusal import Refused
from parley.core.send import Draft
from parley.lib import ids
from parley.lib.clock import Clock
from parley.lib.phone import line_type, market
from parley.model.account import Account
from parley.model.address import Address
from parley.model.consent import (
    KEYWORDS,
    NETWORK_KEYWORDS,
    NETWORK_REPLIES,
    ConsentChange,
    Heard,
    OptOutType,
    Replies,
    word_of,
)
from parley.model.laml import is_laml
from parley.model.message import Message
from parley.model.number import Number
from parley.model.service import KeywordReply, Service
from parley.store.accept import IdempotencyKey

log = structlog.get_logger(__name__)


class _Sends(Protocol):
    async def send(self, draft: Draft) -> Message: ...


class Consent:
    """Who wants no more messages, and from whom: one number, or all of a messaging service's."""

    def __init__(self, clock: Clock, sending: _Sends, replies: Replies) -> None:
        self._clock = clock
        self._sending = sending
        self._replies = replies

    def keyword(
        self, account: Account, number: Number, ours: Address, phone: Address, body: str, service: Service | None = None
    ) -> Heard | None:
        """The keyword that a message is, where the platform honours keywords; else None.

        SignalWire leaves STOP to the app, Twilio's platform honours it: by default each number behaves as the API that
        configured it (`opt_out_handling`: `number`), or the account has the platform or the app do it for all. A
        number of a messaging service is Twilio's, and the service may have words of its own. A short code without a
        service has none; a toll-free number has those of its network first.
        """
        handling, word = account.opt_out_handling, word_of(body)
        if not word or handling == "app" or (handling == "number" and service is None and _is_signalwires(number)):
            return None
        if ours.channel == "sms" and line_type(ours.value) == "toll_free":
            if word in NETWORK_KEYWORDS:
                return _heard(word, NETWORK_KEYWORDS[word], NETWORK_REPLIES)
            if service is None:
                return None
        if service is not None and service.keywords:
            return _of_service(service.keywords, word, market(phone.value) or "")
        if word not in KEYWORDS or (ours.kind == "short_code" and service is None):
            return None
        return _heard(word, KEYWORDS[word], self._replies)

    def said(
        self,
        number: Number,
        ours: Address,
        phone: Address,
        heard: Heard | None,
        message_id: bytes | None = None,
        service_id: bytes | None = None,
    ) -> tuple[ConsentChange, ...]:
        """What a keyword changes between a phone and us: with a service, between the phone and the whole service.

        START takes back as well what the phone said to the number before that was in the service.
        """
        if heard is None or heard.kind == "HELP":
            return ()
        kind: Literal["opt_out", "opt_in"] = "opt_out" if heard.kind == "STOP" else "opt_in"
        senders = [ours.text] if service_id is None or kind == "opt_in" else []
        if service_id is not None:
            senders.append(ids.sid("MG", service_id))
        now = self._clock.now()
        return tuple(
            ConsentChange(
                number.account_id, sender, phone.text, now, kind, heard.word, "inbound", phone.text, message_id
            )
            for sender in senders
        )

    async def confirm(
        self, account: Account, number: Number, ours: Address, phone: Address, heard: Heard, message_id: bytes
    ) -> None:
        """Answer a keyword, once for each message. HELP gets no answer while opted out; STOP's is not stopped by it."""
        if not heard.reply:
            return
        draft = Draft(
            account=account,
            dialect=number.dialect,
            recipient=phone.text,
            sender=ours.text,
            body=heard.reply,
            direction="outbound-reply",
            idempotency=IdempotencyKey(f"confirm:{message_id.hex()}", b""),
            is_confirmation=heard.kind == "STOP",
        )
        try:
            await self._sending.send(draft)
        except Refused as refused:
            log.info("keyword not answered", keyword=heard.kind, phone=phone.text, reason=refused.reason)


def _is_signalwires(number: Number) -> bool:
    """Whether SignalWire's API configured a number, as which LaML counts: it leaves STOP alone as well."""
    if number.handler is None:
        return number.dialect == "signalwire"
    return number.handler != "laml_webhooks" or is_laml(number.extras)


def _heard(word: str, kind: OptOutType, replies: Replies) -> Heard:
    return Heard(kind, word, {"STOP": replies.stop, "START": replies.start, "HELP": replies.help}[kind])


def _of_service(keywords: tuple[KeywordReply, ...], word: str, country: str) -> Heard | None:
    """What a service's own words say; those for the phone's country come first."""
    fitting = [each for each in keywords if word in each.keywords and each.country in ("", country)]
    if not fitting:
        return None
    best = max(fitting, key=lambda each: each.country)
    return Heard(best.type, word, best.reply)
