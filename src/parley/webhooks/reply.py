"""Tell an app of an inbound message, and carry out what it answers: replies, redirects, actions."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final
from urllib.parse import urljoin

import structlog
from msgspec import json
from msgspec.structs import replace

from parley.core.daily_cap import UNREGISTERED
from parley.core.record import Record
from parley.core.refusal import Reason, Refused
from parley.core.resources import Resources
from parley.core.send import Draft
from parley.lib.clock import Clock
from parley.lib.redaction import mask_url
from parley.model.account import Account
from parley.model.callback import Callback
from parley.model.handler import MessageHandler, script_of
from parley.model.laml import is_laml, marked
from parley.model.message import Dialect, Media, Message
from parley.store import Engine, media, messages, webhook_faults
from parley.store import cookies as stored
from parley.store.accept import IdempotencyKey
from parley.store.changes import Change
from parley.webhooks import cookies
from parley.webhooks.attempt import Attempts, Failed
from parley.webhooks.client import Answer
from parley.webhooks.render import Failure, Fetch, Outcome, Redirect, Remark, Renderer, Say, Script, UnreadableAnswer

log = structlog.get_logger(__name__)

MAX_DOCUMENTS: Final = 50
"""Documents fetched for one message, through redirects and actions (Twilio error 14106)."""
MAX_REPLIES: Final = 10
"""Messages that may answer one, over all its documents (Twilio error 14109)."""

_INVALID_URL: Final = 11100
_NO_SCRIPT: Final = 11200
_TOO_MANY_DOCUMENTS: Final = 14106
_TOO_MANY_REPLIES: Final = 14109
_NOT_OF_THE_SERVICE: Final[frozenset[Reason]] = frozenset({"pool_empty", "sender_not_in_pool", "service_unknown"})
_YAML: Final = {"content-type": "application/yaml"}
"""Of which JSON is a part."""


class Replies:
    """The conversation with an app about one inbound message."""

    def __init__(
        self,
        engine: Engine,
        record: Record,
        send: Callable[[Draft], Awaitable[Message]],
        renderers: Mapping[Dialect, Renderer],
        attempts: Attempts,
        scripts: Resources[MessageHandler],
        clock: Clock,
    ) -> None:
        self.engine = engine
        self.record = record
        self.send = send
        self.renderers = renderers
        self.attempts = attempts
        self.scripts = scripts
        self.clock = clock

    async def inbound(self, account: Account, message: Message, callback: Callback, *, is_probe: bool = False) -> str:
        """Make one attempt, fallback included, and carry out the answer; how it went. Raises Failed.

        A first host that is left alone is passed over for the fallback, unless this is its probe. What goes wrong is
        noted on the message, whose error_code shows it; SignalWire's says so no more once an app has been heard.
        """
        found = await self.engine.read(media.of_messages, [message.id])
        talk = _Talk(self, account, message, found.get(message.id, []), callback)
        has_failed = callback.attempts > 0 or message.error_code is not None
        try:
            if callback.fallback_url is not None and not is_probe:
                self.attempts.check_before_fallback(callback.url)
            answer = await talk.ask(callback.url, callback.method)
            script = talk.read(answer)
        except Failed as failure:
            await self.note(message, failure.code, failure.reason, callback.url, callback.method)
            if callback.fallback_url is None:
                raise
            said, has_failed = Failure(failure.code, callback.url), True
            try:
                answer = await talk.ask(callback.fallback_url, callback.fallback_method, failure=said)
                script = talk.read(answer)
            except Failed as second:
                await self.note(message, second.code, second.reason, callback.fallback_url, callback.fallback_method)
                raise
        if has_failed and callback.dialect == "signalwire":
            await self.record.apply([Change(message.account_id, message.id, self.clock.now(), mends=True)])
        await talk.carry_out(script, answer)
        return f"HTTP {answer.status}"

    async def note(
        self, message: Message, code: int, reason: str, url: str, method: str, *, is_warning: bool = False
    ) -> None:
        """Leave on the message what went wrong with its webhook: a warning in its events alone."""
        log.info("webhook failed", message=message.id.hex(), code=code, reason=reason)
        told = json.encode({"code": code, "reason": reason, "url": mask_url(url), "method": method}).decode()
        await self.record.apply(
            [
                Change(
                    message.account_id,
                    message.id,
                    self.clock.now(),
                    kind=webhook_faults.KIND,
                    data=told,
                    error_code=None if is_warning else code,
                    error_message=None if is_warning else reason,
                )
            ]
        )


class _Talk:
    """One attempt at one message: what was fetched and said so far."""

    def __init__(
        self, replies: Replies, account: Account, message: Message, attached: Sequence[Media], callback: Callback
    ) -> None:
        self._to = replies
        self._account = account
        self._message = message
        self._attached = attached
        self._callback = callback
        self._renderer = replies.renderers[callback.dialect]
        self._url = callback.url
        self._method = callback.method
        self._documents = 0
        self._said = 0

    async def ask(
        self, url: str, method: str, extra: Sequence[tuple[str, str]] = (), failure: Failure | None = None
    ) -> Answer:
        """Fetch one document. Raises Failed."""
        self._documents += 1
        if self._documents > MAX_DOCUMENTS:
            reason = f"more than {MAX_DOCUMENTS} documents"
            raise Failed(_TOO_MANY_DOCUMENTS, reason, reason, 1)
        self._url, self._method = url, method
        script_id = script_of(url)
        if script_id is not None:
            return await self._script(script_id, url)
        rendered = self._renderer.inbound(
            self._account,
            self._message,
            self._attached,
            self._callback,
            url=url,
            method=method,
            extra=extra,
            failure=failure,
        )
        message, now = self._message, self._to.clock.now()
        pair = (message.account_id, message.recipient, message.sender or "")
        known = await self._to.engine.read(stored.of_pair, *pair, now - stored.IDLE_US)
        answer = await self._to.attempts.request(self._callback.dialect, url, rendered, known)
        if answer.set_cookies or known:
            await self._to.engine.write(stored.put, *pair, cookies.after(known, answer.set_cookies, now), now)
        return answer

    async def _script(self, script_id: bytes, url: str) -> Answer:
        """A script that is kept here, as its app would answer it. Raises Failed."""
        script = await self._to.scripts.find(self._account.id, script_id)
        if script is None:
            reason = "the script is no more"
            raise Failed(_NO_SCRIPT, reason, f"{_NO_SCRIPT} {reason}", 1)
        return Answer(status=200, headers=_YAML, set_cookies=(), body=script.value.contents.encode(), url=url)

    def read(self, answer: Answer) -> Script:
        """What a document asks for. Raises Failed."""
        try:
            return self._renderer.read(self._account, self._message, self._attached, self._callback, answer)
        except UnreadableAnswer as error:
            raise _unreadable(error) from None

    async def carry_out(self, script: Script, answer: Answer) -> None:
        """Do what a document asks for, and what the documents ask for that it leads to."""
        try:
            while True:
                followed = await self._follow(script, answer)
                if followed is None:
                    return
                answer = followed
                script = self.read(answer)
        except Failed as failure:
            await self._note(failure.code, failure.reason, self._url)

    async def _note(self, code: int, reason: str, url: str, *, is_warning: bool = False) -> None:
        """Leave on the message what went wrong with the document of a URL, or with the request for it."""
        await self._to.note(self._message, code, reason, url, self._method, is_warning=is_warning)

    async def _follow(self, script: Script, answer: Answer) -> Answer | None:
        """Carry verbs out until one leads to another document; that document."""
        outcome: Outcome = None
        while True:
            try:
                verb = script.send(outcome)
            except StopIteration:
                return None
            except UnreadableAnswer as error:
                raise _unreadable(error) from None
            if isinstance(verb, Redirect):
                return await self.ask(_joined(answer.url, verb.url), verb.method)
            if isinstance(verb, Remark):
                await self._note(verb.code, verb.reason, answer.url, is_warning=True)
                continue
            if isinstance(verb, Fetch):
                outcome = await self._to.attempts.fetch(verb)
                continue
            outcome = sent = await self._say(verb, answer.url)
            if verb.action is not None and sent is not None:
                extra = self._renderer.action_parameters(sent)
                return await self.ask(_joined(answer.url, verb.action), verb.action_method, extra)

    async def _say(self, verb: Say, base: str) -> Message | None:
        self._said += 1
        if self._said > MAX_REPLIES:
            reason = f"more than {MAX_REPLIES} messages answer one message"
            raise Failed(_TOO_MANY_REPLIES, reason, reason, 1)
        message = self._message
        assert message.sender is not None, "an inbound message has a sender"
        # The same webhook, asked again after a crash, must not send its replies again.
        key = IdempotencyKey(f"reply:{self._callback.id.hex()}:{self._said}", b"")
        callback_url = _joined(base, verb.status_callback) if verb.status_callback is not None else None
        draft = Draft(
            account=self._account,
            dialect=self._callback.dialect,
            recipient=verb.to or message.sender,
            sender=verb.sender or message.recipient,
            body=verb.body,
            media_urls=tuple(_joined(base, url) for url in verb.media),
            status_callback=callback_url,
            direction="outbound-reply",
            extras=marked(None, is_so=is_laml(message.extras)),
            idempotency=key,
        )
        try:
            sent = await self._sent(draft)
        except Refused as refused:
            code = self._renderer.refusal(refused.reason)
            await self._note(code, f"the reply was refused: {refused.reason}", base)
            return None
        if self._callback.dialect == "signalwire" and await self._is_unregistered(sent):
            await self._note(UNREGISTERED, "the number to reply from has no active campaign", base)
            return None
        return sent

    async def _sent(self, draft: Draft) -> Message:
        """Send a reply, through the service whose number was written to if its sender is of that: what the service is
        set to holds for answers too. Raises Refused.
        """
        service_id = self._message.service_id
        if service_id is not None and draft.dialect == "twilio":
            try:
                return await self._to.send(replace(draft, service_id=service_id))
            except Refused as refused:
                if refused.reason not in _NOT_OF_THE_SERVICE:
                    raise
        return await self._to.send(draft)

    async def _is_unregistered(self, sent: Message) -> bool:
        """Whether a reply ended as it was taken, for want of a campaign: SWML's script is told of that."""
        stands = await self._to.engine.read(messages.fetch, sent.account_id, sent.id)
        return stands is not None and stands.error_code == UNREGISTERED


def _unreadable(error: UnreadableAnswer) -> Failed:
    return Failed(error.code, error.reason, f"{error.code} {error.reason}", 1)


def _joined(base: str, url: str) -> str:
    """A URL of an answer, made absolute. Raises Failed."""
    try:
        return urljoin(base, url)
    except ValueError:
        reason = "the answer names a malformed URL"
        raise Failed(_INVALID_URL, reason, f"{_INVALID_URL} {reason}", 1) from None
