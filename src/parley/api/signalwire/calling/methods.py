"""The methods of calling documents that a simulated call carries out. Source: SWML calling methods reference."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from msgspec import json

from parley.api.signalwire.swml.document import check_value, read_text
from parley.api.signalwire.swml.fault import Faulty
from parley.api.signalwire.swml.given import Given
from parley.api.signalwire.swml.reader import (
    Reader,
    read_calling_execute,
    read_calling_goto,
    read_calling_request,
    read_calling_transfer,
    read_cond,
    read_label,
    read_return,
    read_set,
    read_switch,
)
from parley.api.signalwire.swml.steps import Program, Step

MAX_DIGITS: Final = 100
MAX_MEDIA: Final = 8

_VOICE: Final = frozenset({"volume", "say_voice", "say_language", "say_gender"})
"""How it sounds, which nobody hears here."""
_ANSWER: Final = frozenset({"max_duration", "codecs"})
_PROMPT: Final = frozenset({"play", "max_digits", "terminators", "digit_timeout", "initial_timeout", *_VOICE})
_SEND_SMS: Final = frozenset({"to_number", "from_number", "body", "media", "region", "tags", "status_callback"})
_SOUNDS: Final = ("say:", "silence:", "ring:", "http://", "https://")


class Answer(Step, frozen=True):
    """Pick the call up."""


class Hangup(Step, frozen=True):
    """End the call."""

    reason: str


class Play(Step, frozen=True):
    """Let the caller hear something: `say:` texts, `silence:`, `ring:`, or the URLs of files."""

    urls: tuple[str, ...]


class Say(Step, frozen=True):
    """Let the caller hear a text: what the guides write for play."""

    text: str


class Prompt(Step, frozen=True):
    """Let the caller hear something and press keys."""

    urls: tuple[str, ...]
    most: int
    terminators: str


class SendSms(Step, frozen=True):
    """Send a message."""

    to: str
    sender: str | None
    body: str
    media: tuple[str, ...]
    status_callback: str | None


def read(document: str | bytes | Mapping[str, Any]) -> Program:
    """A calling document, as text in JSON or YAML, or decoded. Raises Faulty."""
    if isinstance(document, Mapping):
        check_value(document)  # before it is written, which would go as deep as it
        document = json.encode(document)
    found = read_text(document)
    if "sections" not in found:
        raise Faulty("swml_missing_entry_point", "there is no sections")
    return _READER.sections(found["sections"])


def check_sound(url: str) -> None:
    """Raise Faulty for what no caller could hear."""
    if not url.startswith(_SOUNDS):
        raise Faulty("swml_invalid_document", f"{url[:40]} is none of {' '.join(_SOUNDS)}")


def _read_answer(reader: Reader, value: Any) -> Answer:
    Given("answer", value, _ANSWER)
    return Answer()


def _read_hangup(reader: Reader, value: Any) -> Hangup:
    given = Given("hangup", value, {"reason"}, "reason")
    return Hangup(given.text("reason") or "hangup")


def _read_play(reader: Reader, value: Any) -> Play:
    given = Given("play", value, {"url", "urls", "auto_answer", *_VOICE}, "url")
    url = given.text("url")
    return Play(_sounds("play", (*([url] if url else ()), *given.texts("urls"))))


def _read_say(reader: Reader, value: Any) -> Say:
    return Say(Given("say", value, {"text", "voice", "language", "gender"}, "text").required("text"))


def _read_prompt(reader: Reader, value: Any) -> Prompt:
    given = Given("prompt", value, _PROMPT)
    play = given.values.get("play")
    urls = given.texts("play") if isinstance(play, list) else (given.required("play"),)
    most = given.whole("max_digits", 1, MAX_DIGITS)
    return Prompt(_sounds("prompt", urls), most, given.text("terminators") or "")


def _read_send_sms(reader: Reader, value: Any) -> SendSms:
    given = Given("send_sms", value, _SEND_SMS)
    body, media = given.text("body") or "", given.texts("media")
    given.text("region")
    given.texts("tags")
    if len(media) > MAX_MEDIA:
        raise Faulty("swml_invalid_document", f"send_sms takes at most {MAX_MEDIA} media")
    if not body and not media:
        raise Faulty("swml_invalid_document", "send_sms needs body or media")
    return SendSms(
        given.required("to_number"),
        given.text("from_number"),
        body,
        media,
        given.text("status_callback"),
    )


def _sounds(method: str, urls: tuple[str, ...]) -> tuple[str, ...]:
    if not urls:
        raise Faulty("swml_invalid_document", f"{method} needs something to play")
    for url in urls:
        if "{" not in url:  # what variables make of it is known only then
            check_sound(url)
    return urls


METHODS: Final[dict[str, Callable[[Reader, Any], Step]]] = {
    "answer": _read_answer,
    "cond": read_cond,
    "execute": read_calling_execute,
    "goto": read_calling_goto,
    "hangup": _read_hangup,
    "label": read_label,
    "play": _read_play,
    "prompt": _read_prompt,
    "request": read_calling_request,
    "return": read_return,
    "say": _read_say,
    "send_sms": _read_send_sms,
    "set": read_set,
    "switch": read_switch,
    "transfer": read_calling_transfer,
}
_READER: Final = Reader(METHODS)
