"""Read the answer to an inbound webhook: a SWML messaging document's replies, or nothing to do.

What a document asks for beyond `reply` and `receive` is refused by name, and so is what needs its variables: half a
document carried out would be worse than none.
"""

import re
from collections.abc import Mapping
from typing import Any, Final, NoReturn

import msgspec

from parley.webhooks.render import Say, UnreadableAnswer, Verb

MAX_MEDIA: Final = 8

_ENTRIES: Final = ("reply", "receive", "sections")
_REPLY: Final = frozenset({"body", "media", "to", "from", "status_url"})
_MALFORMED: Final = 12100
_UNSUPPORTED: Final = 12200
_CONTENT_TYPE: Final = 12300
_REPLY_INVALID: Final = 14103
_YAML_TYPES: Final = frozenset({"application/yaml", "application/x-yaml", "text/yaml", "text/x-yaml"})
# A text that names one of SWML's entries at the start of a line is a document, whatever its type says.
_YAML = re.compile(rb"^(?:reply|receive|sections)[ \t]*:", re.MULTILINE)
_VARIABLE: Final = "%{"


def read_document(content_type: str | None, body: bytes) -> list[Verb]:
    """The replies of an answer, in order. Raises UnreadableAnswer, whose reason begins with SignalWire's word.

    Empty answers, JSON that is no document (`{"status":"received"}`) and plain words (`OK`) ask for nothing.
    Source: SWML messaging methods reference.
    """
    if not body.strip():
        return []
    kind = (content_type or "").partition(";")[0].strip().lower()
    try:
        document = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        if kind in _YAML_TYPES or _YAML.search(body):
            _fail(_CONTENT_TYPE, "json_or_yaml_required", "SWML in YAML is not supported yet; answer JSON")
        if kind == "application/json" or kind.endswith("+json"):
            _fail(_MALFORMED, "swml_invalid_document", "the answer is not valid JSON")
        return []
    if not isinstance(document, dict):
        return []
    entries = [name for name in _ENTRIES if name in document]
    if not entries:
        return []
    if len(entries) > 1:
        _fail(_MALFORMED, "swml_invalid_document", f"{' and '.join(entries)} stand beside each other")
    entry = entries[0]
    if entry == "sections":
        return _main(document["sections"])
    return _step(entry, document[entry])


def _main(sections: Any) -> list[Verb]:
    if not isinstance(sections, dict) or "main" not in sections:
        _fail(_MALFORMED, "swml_missing_entry_point", "sections has no main")
    main = sections["main"]
    if not isinstance(main, list):
        _fail(_MALFORMED, "swml_invalid_section_format", "main is not an array")
    verbs: list[Verb] = []
    for step in main:
        if isinstance(step, str):
            step = {step: {}}  # noqa: PLW2901 - a method without parameters may be a bare word
        if not isinstance(step, dict) or len(step) != 1:
            _fail(_MALFORMED, "swml_invalid_section_format", "a step is not an object of one method")
        name, parameters = next(iter(step.items()))
        if name == "return":
            break
        verbs += _step(name, parameters)
    return verbs


def _step(name: str, parameters: Any) -> list[Verb]:
    if name == "receive":
        return []
    if name != "reply":
        _fail(_UNSUPPORTED, "swml_unsupported_method", f"{name[:40]} is not supported yet")
    return [_reply({"body": parameters} if isinstance(parameters, str) else parameters)]


def _reply(given: Any) -> Say:
    if not isinstance(given, dict):
        _fail(_MALFORMED, "swml_invalid_document", "reply is neither a string nor an object")
    if "switch" in given:
        _fail(_UNSUPPORTED, "swml_unsupported_method", "switch in reply is not supported yet")
    for name in given:
        if name not in _REPLY:
            _fail(_MALFORMED, "swml_invalid_document", f"{name[:40]} is not a parameter of reply")
    body = _text(given, "body") or ""
    media = given.get("media") or []
    if not isinstance(media, list) or not all(isinstance(url, str) for url in media):
        _fail(_MALFORMED, "swml_invalid_document", "media is not an array of strings")
    for url in media:
        _check_plain(url, "media")
    if len(media) > MAX_MEDIA:
        _fail(_REPLY_INVALID, "swml_reply_media_limit_exceeded", f"a reply holds at most {MAX_MEDIA} media")
    if not body and not media:
        _fail(_REPLY_INVALID, "swml_reply_body_or_media_required", "a reply has neither body nor media")
    return Say(
        body,
        tuple(media),
        to=_text(given, "to"),
        sender=_text(given, "from"),
        status_callback=_text(given, "status_url"),
    )


def _text(given: Mapping[str, Any], name: str) -> str | None:
    value = given.get(name)
    if value is None:
        return None
    if not isinstance(value, str):
        _fail(_MALFORMED, "swml_invalid_document", f"{name} of reply is not a string")
    _check_plain(value, name)
    return value


def _check_plain(value: str, name: str) -> None:
    if _VARIABLE in value:
        _fail(_UNSUPPORTED, "swml_unsupported_method", f"variables in {name} are not supported yet")
    if "\0" in value or any("\ud800" <= c <= "\udfff" for c in value):
        _fail(_MALFORMED, "swml_invalid_document", f"{name} has a character that is not allowed")


def _fail(code: int, word: str, reason: str) -> NoReturn:
    # A name of the document's may hold a NUL, which not every record takes.
    raise UnreadableAnswer(code, f"{word}: {reason}".replace("\0", "\N{REPLACEMENT CHARACTER}"))
