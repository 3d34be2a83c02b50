"""SWML's messaging documents: what an app answers to an inbound message, or has stored for them.

Source: SWML messaging methods reference.
"""

from collections.abc import Callable, Generator, Mapping
from typing import Any, Final
from urllib.parse import urljoin

from msgspec import to_builtins

from parley.api.signalwire.swml import document
from parley.api.signalwire.swml.fault import Faulty
from parley.api.signalwire.swml.frame import Frame, Run
from parley.api.signalwire.swml.given import Given
from parley.api.signalwire.swml.machine import Machine
from parley.api.signalwire.swml.reader import (
    Reader,
    read_cases,
    read_execute,
    read_goto,
    read_label,
    read_request,
    read_return,
    read_switch,
    read_transfer,
)
from parley.api.signalwire.swml.steps import Program, Step, Switch
from parley.api.signalwire.swml.variables import PERCENT, as_text
from parley.lib.ids import to_uuid
from parley.model.account import Account
from parley.model.message import Message
from parley.webhooks.render import Outcome, Say, Script, Verb

MAX_MEDIA: Final = 8
MAX_STEPS: Final = 100
"""Methods carried out for one message. Source: SWML's limits."""

_REPLY: Final = frozenset({"body", "media", "to", "from", "status_url"})


class Reply(Step, frozen=True):
    """Send a message, back to who wrote from the number that was written to, unless it says otherwise."""

    body: str = ""
    media: tuple[str, ...] = ()
    to: str | None = None
    sender: str | None = None
    status_url: str | None = None


class Choice(Step, frozen=True):
    """One of several replies, by a variable."""

    switch: Switch


class Receive(Step, frozen=True):
    """Take the message, and do nothing."""


def read_answer(content_type: str | None, body: bytes) -> Program | None:
    """The document in an app's answer; None when it is none. Raises Faulty."""
    found = document.read_answer(content_type, body)
    return None if found is None else read(found)


def read_text(text: str | bytes) -> Program:
    """A stored script, or a document that another leads to, in JSON or YAML. Raises Faulty."""
    return read(document.read_text(text))


def read(found: Mapping[str, Any]) -> Program:
    """A decoded document, which has one entry. Raises Faulty."""
    entries = [name for name in document.ENTRIES if name in found]
    if not entries:
        raise Faulty("swml_missing_entry_point", f"there is none of {', '.join(document.ENTRIES)}")
    if len(entries) > 1:
        raise Faulty("swml_invalid_document", f"{' and '.join(entries)} stand beside each other")
    entry = entries[0]
    if entry == "sections":
        return _READER.sections(found[entry])
    return Program({"main": (_READER.step({entry: found[entry]}),)})


def run(program: Program, account: Account, message: Mapping[str, Any], base: str) -> Script:
    """Carry a document out for a message. `base` is where it came from, for URLs relative to it.

    Raises Faulty on its way, where it cannot go on.
    """
    return _Conversation(account, message, base).run(program, {})


class _Conversation(Machine):
    """One inbound message's script."""

    pattern = PERCENT
    most_steps = MAX_STEPS
    in_call = False

    def __init__(self, account: Account, message: Mapping[str, Any], base: str) -> None:
        super().__init__(account, {"message": to_builtins(message)})  # a time reads as it does in JSON
        self._base = base

    def program(self, octets: bytes) -> Program:
        return read_text(octets)

    def act(self, step: Step, frame: Frame) -> Run:
        if isinstance(step, Choice):
            value = self.looked_at(step.switch.variable, frame)
            reply = step.switch.choose(value)
            if reply is None:
                raise Faulty("swml_switch_no_match", f"no reply for {as_text(value)}")
            yield from self._reply(reply, frame)
        elif isinstance(step, Reply):
            yield from self._reply(step, frame)
        return None

    def _reply(self, step: Reply, frame: Frame) -> Generator[Verb, Outcome, None]:
        say = Say(
            self.text(step.body, frame),
            tuple(url for given in step.media if (url := self._url(given, frame)) is not None),
            to=self.given(step.to, frame),
            sender=self.given(step.sender, frame),
            status_callback=self._url(step.status_url, frame),
        )
        outcome = yield say
        is_sent = isinstance(outcome, Message)
        self.vars["reply_result"] = "queued" if is_sent else "failed"
        self.vars["reply_message_id"] = to_uuid(outcome.id) if isinstance(outcome, Message) else None

    def _url(self, text: str | None, frame: Frame) -> str | None:
        filled = self.given(text, frame)
        try:
            return None if filled is None else urljoin(self._base, filled)
        except ValueError:
            raise Faulty("swml_reply_failed", f"{filled} is a malformed URL") from None


def _read_reply(reader: Reader, value: Any) -> Step:
    """`reply`: a text, `{body, media, to, from, status_url}`, or `{switch}` of such."""
    if isinstance(value, dict) and "switch" in value:
        chosen = Given("reply", value, {"switch"}).values["switch"]
        return Choice(read_cases(chosen, _plain_reply))
    return _plain_reply(value, "reply")


def _plain_reply(value: Any, where: str) -> Reply:
    if not isinstance(value, (str, dict)):
        raise Faulty("swml_invalid_document", f"{where[:40]} is neither a string nor an object")
    given = Given("reply", value, _REPLY, "body")
    body, media = given.text("body") or "", given.texts("media")
    if len(media) > MAX_MEDIA:
        raise Faulty("swml_reply_media_limit_exceeded", f"a reply holds at most {MAX_MEDIA} media")
    if not body and not media:
        raise Faulty("swml_reply_body_or_media_required", "a reply has neither body nor media")
    return Reply(body, media, given.text("to"), given.text("from"), given.text("status_url"))


def _read_receive(reader: Reader, value: Any) -> Receive:
    Given("receive", value, frozenset())
    return Receive()


METHODS: Final[dict[str, Callable[[Reader, Any], Step]]] = {
    "reply": _read_reply,
    "receive": _read_receive,
    "request": read_request,
    "execute": read_execute,
    "transfer": read_transfer,
    "switch": read_switch,
    "goto": read_goto,
    "label": read_label,
    "return": read_return,
}
_READER: Final = Reader(METHODS)
