"""Place simulated calls: check them, carry their documents out, and keep what happened."""

from collections.abc import Awaitable, Callable
from typing import Any, Final

from msgspec import json
from msgspec.structs import replace

from parley.api.signalwire.calling.conversation import Conversation, Transcript, known_of
from parley.api.signalwire.calling.methods import read
from parley.api.signalwire.swml.fault import Faulty
from parley.core.numbers import Numbers
from parley.core.refusal import Refused
from parley.core.resources import Resources
from parley.core.send import Draft
from parley.lib.clock import Clock
from parley.lib.ids import Ids, to_uuid
from parley.lib.redaction import mask_url
from parley.model.account import Account
from parley.model.address import SIGNALWIRE, InvalidAddress, parse_recipient, parse_sender
from parley.model.call import Call, Dial
from parley.model.message import Message
from parley.model.number import Number
from parley.model.resource import Resource
from parley.webhooks.client import Answer, FetchFailed
from parley.webhooks.render import Fetch, Outcome, Say

_SCRIPT_URL: Final = "call_relay_script_url"


class Calls:
    """All simulated calls. `send` and `fetch` are the ways out for texts and requests."""

    def __init__(
        self,
        kept: Resources[Call],
        numbers: Numbers,
        send: Callable[[Draft], Awaitable[Message]],
        fetch: Callable[[Fetch], Awaitable[Answer | FetchFailed]],
        clock: Clock,
        ids: Ids,
    ) -> None:
        self._kept = kept
        self._numbers = numbers
        self._send = send
        self._fetch = fetch
        self._clock = clock
        self._ids = ids

    async def find(self, account_id: bytes, call_id: bytes) -> Resource[Call] | None:
        """One of the account's calls."""
        return await self._kept.find(account_id, call_id)

    async def dial(self, account: Account, dial: Dial) -> Resource[Call]:
        """Call a phone from one of the account's numbers; the call, once it is over and durable.

        Raises Refused for numbers that cannot call, and UnreadableAnswer for `swml` that is no document.
        """
        await self._number(account, dial.sender)
        return await self._place(account, dial, dial.sender)

    async def ring(self, account: Account, dial: Dial) -> Resource[Call]:
        """Have a phone call one of the account's numbers, which answers by its own SWML when `dial` has none.

        Raises Refused and UnreadableAnswer as `dial` does.
        """
        number = await self._number(account, dial.recipient)
        if dial.swml is None and dial.url is None:
            url = json.decode(number.extras).get(_SCRIPT_URL) if number.extras else None
            if url is None:
                raise Faulty("swml_missing_entry_point", "the number has no SWML for calls: give swml or url")
            dial = replace(dial, url=url)
        return await self._place(account, dial, dial.recipient)

    async def _number(self, account: Account, text: str) -> Number:
        try:
            address = parse_sender(text, SIGNALWIRE)
        except InvalidAddress as error:
            raise Refused("sender_invalid", text) from error
        number = await self._numbers.sender(account.id, address, "signalwire")
        if number is None or address.channel != "sms":
            raise Refused("sender_invalid", text)
        return number

    async def _place(self, account: Account, dial: Dial, ours: str) -> Resource[Call]:
        if account.status != "active":
            raise Refused("account_suspended")
        _check_phone(dial.recipient if ours == dial.sender else dial.sender)
        if dial.swml is not None:
            read(dial.swml)  # before anything is done
        call_id, started_at, transcript = self._ids.new(), self._clock.now(), Transcript()
        talk = Conversation(account, known_of(call_id, dial, account), ours, dial, transcript)
        try:
            await self._carry_out(account, talk, transcript)
            is_whole = True
        except Faulty as error:
            transcript.fail(error)
            is_whole = False
        call = Call(
            dial.direction,
            dial.sender,
            dial.recipient,
            "completed" if is_whole else "failed",
            started_at,
            self._clock.now(),
            tuple(transcript.entries),
        )
        return await self._kept.add(account.id, call, id=call_id)

    async def _carry_out(self, account: Account, talk: Conversation, transcript: Transcript) -> None:
        script = talk.begin()
        outcome: Outcome = None
        while True:
            try:
                verb = script.send(outcome)
            except StopIteration:
                return
            if isinstance(verb, Fetch):
                outcome = answer = await self._fetch(verb)
                _note_fetch(transcript, verb, answer)
            else:
                assert isinstance(verb, Say), "a call's document says and fetches"
                outcome = await self._text(account, verb, transcript)

    async def _text(self, account: Account, say: Say, transcript: Transcript) -> Message | None:
        told: dict[str, Any] = {"to": say.to, "from": say.sender, "body": say.body}
        draft = Draft(
            account=account,
            dialect="signalwire",
            recipient=say.to or "",
            sender=say.sender or "",
            body=say.body,
            media_urls=say.media,
            status_callback=say.status_callback,
            direction="outbound-call",
        )
        try:
            sent = await self._send(draft)
        except Refused as refused:
            transcript.note("send_sms", **told, result="failed", message_id=None, reason=refused.reason)
            return None
        transcript.note("send_sms", **told, result="success", message_id=to_uuid(sent.id), reason=None)
        return sent


def _check_phone(text: str) -> None:
    try:
        address = parse_recipient(text, SIGNALWIRE)
    except InvalidAddress as error:
        raise Refused("recipient_invalid", text) from error
    if address.channel != "sms":
        raise Refused("recipient_invalid", text)


def _note_fetch(transcript: Transcript, fetch: Fetch, outcome: Answer | FetchFailed) -> None:
    request = fetch.request
    status, reason = (outcome.status, None) if isinstance(outcome, Answer) else (None, outcome.reason)
    transcript.note("request", url=mask_url(request.url), http_method=request.method, http_status=status, reason=reason)
