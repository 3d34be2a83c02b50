"""Carry one call out: do what its document asks for, one thing after another, and keep each before the next is done."""

from collections.abc import Awaitable, Callable
from typing import Any

from msgspec.structs import replace

from parley.api.signalwire.calling.conversation import Conversation, Transcript, known_of
from parley.api.signalwire.swml.fault import Faulty
from parley.core.refusal import Refused
from parley.core.send import Draft
from parley.lib.ids import to_uuid
from parley.lib.redaction import mask_url
from parley.model.account import Account
from parley.model.call import TEXT, Dial, Placed, Status, text_key
from parley.model.message import Message
from parley.store.accept import IdempotencyKey
from parley.webhooks.client import Answer, FetchFailed
from parley.webhooks.render import Fetch, Outcome, Say


class Lost(Exception):
    """The call is not this node's any more."""


class Carrying:
    """One call on its way. `send` and `fetch` are the ways out; `tell` keeps what has become of the call, or raises
    Lost.
    """

    def __init__(
        self,
        account: Account,
        dial: Dial,
        ours: str,
        placed: Placed,
        send: Callable[[Draft], Awaitable[Message]],
        fetch: Callable[[Fetch], Awaitable[Answer | FetchFailed]],
        tell: Callable[[Placed], Awaitable[None]],
    ) -> None:
        self._account = account
        self._placed = placed
        self._send = send
        self._fetch = fetch
        self._tell = tell
        self._transcript = Transcript()
        self._talk = Conversation(account, known_of(placed.id, dial, account), ours, dial, self._transcript)
        self._texts = 0
        self._told = 0

    async def run(self, now: Callable[[], int]) -> None:
        """Do all of it. Raises Lost."""
        status: Status = "completed"
        try:
            await self._each()
        except Faulty as error:
            self._transcript.fail(error.word, error.plain)
            status = "failed"
        await self._end(status, now())

    async def fail(self, code: str, reason: str, at: int) -> None:
        """End it for a reason that is none of the document's."""
        self._transcript.fail(code, reason)
        await self._end("failed", at)

    async def _end(self, status: Status, at: int) -> None:
        over = replace(self._placed.call, status=status, ended_at=at, transcript=tuple(self._transcript.entries))
        await self._tell(replace(self._placed, call=over))

    async def _each(self) -> None:
        script = self._talk.begin()
        outcome: Outcome = None
        while True:
            try:
                verb = script.send(outcome)
            except StopIteration:
                return
            # Whoever ends the call after a crash asks for one text at most that the transcript does not tell of.
            await self._keep()
            if isinstance(verb, Fetch):
                outcome = answer = await self._fetch(verb)
                self._note_fetch(verb, answer)
            else:
                assert isinstance(verb, Say), "a call's document says and fetches"
                outcome = await self._text(verb)

    async def _keep(self) -> None:
        """Keep what happened since it was kept last."""
        entries = self._transcript.entries
        if len(entries) > self._told:
            await self._tell(replace(self._placed, call=replace(self._placed.call, transcript=tuple(entries))))
            self._told = len(entries)

    async def _text(self, say: Say) -> Message | None:
        self._texts += 1
        told: dict[str, Any] = {"to": say.to, "from": say.sender}
        draft = Draft(
            account=self._account,
            dialect="signalwire",
            recipient=say.to or "",
            sender=say.sender or "",
            body=say.body,
            media_urls=say.media,
            status_callback=say.status_callback,
            direction="outbound-call",
            idempotency=IdempotencyKey(text_key(self._placed.id, self._texts), b""),
        )
        try:
            sent = await self._send(draft)
        except Refused as refused:
            told["body"] = say.body
            self._transcript.note(TEXT, **told, result="failed", message_id=None, reason=refused.reason)
            return None
        self._transcript.note(TEXT, **told, result="success", message_id=to_uuid(sent.id), reason=None)
        return sent

    def _note_fetch(self, fetch: Fetch, outcome: Answer | FetchFailed) -> None:
        request = fetch.request
        status, reason = (outcome.status, None) if isinstance(outcome, Answer) else (None, outcome.reason)
        self._transcript.note(
            "request", url=mask_url(request.url), http_method=request.method, http_status=status, reason=reason
        )
