"""Carry a calling document out: what the caller hears and presses, noted in a transcript."""

from collections.abc import Generator
from typing import Any, Final

import msgspec

from parley.api.signalwire.calling.methods import (
    Answer,
    Hangup,
    Play,
    Prompt,
    Say,
    SendSms,
    check_sound,
    read,
)
from parley.api.signalwire.swml.expressions import expression
from parley.api.signalwire.swml.fault import Faulty
from parley.api.signalwire.swml.frame import Ended, Frame, Run
from parley.api.signalwire.swml.machine import Machine
from parley.api.signalwire.swml.steps import Program, Step
from parley.api.signalwire.swml.variables import EITHER
from parley.lib.ids import to_uuid
from parley.model.account import Account
from parley.model.call import Dial
from parley.model.message import Message
from parley.webhooks import render
from parley.webhooks.render import Outcome, Verb

MAX_STEPS: Final = 500
"""Methods carried out in one call."""
MAX_TRANSCRIPT: Final = 256 * 1024
"""Octets of a transcript's JSON."""

_encode: Final = msgspec.json.Encoder().encode
_PAUSE: Final = "w"


class Transcript:
    """What happened in a call, in order."""

    def __init__(self) -> None:
        self.entries: list[dict[str, Any]] = []
        self._left = MAX_TRANSCRIPT

    def note(self, method: str, **what: Any) -> None:
        """Add an entry. Raises Faulty when it becomes too long; a message that was sent is told of even so."""
        entry = {"method": method, **what}
        self._left -= len(_encode(entry))
        if self._left >= 0 or what.get("message_id") is not None:
            self.entries.append(entry)
        if self._left < 0:
            raise Faulty("swml_invalid_document", f"the transcript grows beyond {MAX_TRANSCRIPT} octets")

    def fail(self, code: str, reason: str) -> None:
        """Add the entry that says why the call ended."""
        self.entries.append({"method": "error", "code": code, "reason": reason})


class Conversation(Machine):
    """One call's script. `call` is what the document knows of it."""

    pattern = EITHER
    most_steps = MAX_STEPS
    in_call = True

    def __init__(self, account: Account, call: dict[str, Any], ours: str, dial: Dial, transcript: Transcript) -> None:
        super().__init__(account, {"call": call, "envs": {}})
        self._ours = ours
        self._dial = dial
        self._digits = dial.digits
        self._transcript = transcript

    def begin(self) -> Generator[Verb, Outcome, None]:
        """Get the document and carry it out. Raises Faulty where it cannot go on."""
        program = read(self._dial.swml) if self._dial.swml is not None else (yield from self._first())
        yield from self.run(program, {})

    def _first(self) -> Generator[Verb, Outcome, Program]:
        assert self._dial.url is not None, "one of swml and url is given"
        try:
            return (yield from self.document(self._dial.url, "POST", {}))
        except Faulty as error:
            if self._dial.fallback_url is None:
                raise _of_first(error) from None
        try:
            return (yield from self.document(self._dial.fallback_url, "POST", {}))
        except Faulty as error:
            raise _of_first(error) from None

    def program(self, octets: bytes) -> Program:
        """A calling document that was fetched."""
        return read(octets)

    def evaluate(self, text: str, frame: Frame) -> Any:
        """Braces may hold an expression."""
        return expression(text)(lambda path: self.at(path, frame)) if text else None

    def act(self, step: Step, frame: Frame) -> Run:
        """Do it, as far as anybody would hear or get it."""
        match step:
            case Answer():
                self._transcript.note("answer")
            case Play():
                self._transcript.note("play", urls=self._sounds(step.urls, frame))
            case Say():
                self._transcript.note("say", text=self.text(step.text, frame))
            case Prompt():
                self._prompt(step, frame)
            case SendSms():
                yield from self._send(step, frame)
            case Hangup():
                self._transcript.note("hangup", reason=self.text(step.reason, frame))
                return Ended()
        return None

    def _sounds(self, urls: tuple[str, ...], frame: Frame) -> list[str]:
        filled = [self.text(url, frame) for url in urls]
        for url in filled:
            check_sound(url)
        return filled

    def _prompt(self, step: Prompt, frame: Frame) -> None:
        """Take keys up to the terminator, the most that are wanted, or a pause."""
        pressed, terminator = "", None
        while len(pressed) < step.most and self._digits:
            key, self._digits = self._digits[0], self._digits[1:]
            if key == _PAUSE:
                break
            if key in step.terminators:
                terminator = key
                break
            pressed += key
        result = "match_digits" if pressed else "no_input"
        self.vars |= {"prompt_result": result, "prompt_value": pressed, "prompt_digit_terminator": terminator}
        self._transcript.note("prompt", urls=self._sounds(step.urls, frame), result=result, value=pressed)

    def _send(self, step: SendSms, frame: Frame) -> Generator[Verb, Outcome, None]:
        outcome = yield render.Say(
            self.text(step.body, frame),
            tuple(url for given in step.media if (url := self.given(given, frame)) is not None),
            to=self.text(step.to, frame),
            sender=self.given(step.sender, frame) or self._ours,
            status_callback=self.given(step.status_callback, frame),
        )
        is_sent = isinstance(outcome, Message)
        self.vars["send_sms_result"] = "success" if is_sent else "failed"


def known_of(call_id: bytes, dial: Dial, account: Account) -> dict[str, Any]:
    """What a document knows of its call. Source: SWML's variables."""
    return {
        "call_id": to_uuid(call_id),
        "project_id": to_uuid(account.id),
        "space_id": to_uuid(account.id),
        "call_state": "answered" if dial.direction == "outbound-api" else "created",
        "direction": "inbound" if dial.direction == "inbound" else "outbound",
        "type": "phone",
        "from": dial.sender,
        "to": dial.recipient,
        "headers": [],
    }


def _of_first(error: Faulty) -> Faulty:
    """What went wrong with the document that the call begins with, which nothing was transferred to."""
    word = "swml_invalid_document" if error.word == "swml_transfer_document_invalid" else "http_retrieval_error"
    return Faulty(word, error.plain)
