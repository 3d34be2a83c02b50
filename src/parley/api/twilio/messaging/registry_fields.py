"""Read the fields of registrations, and tell why they were rejected."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from parley.api.http.decode import Form
from parley.api.http.fault import Fault
from parley.api.twilio.problems import Invalid
from parley.api.twilio.urls import Urls
from parley.lib import ids
from parley.model.registry import Flaw, Objection

_USUAL: Final = 20001
_ERRORS: Final = "https://www.twilio.com/docs/api/errors/"


def optional(form: Form, name: str, most: int, least: int = 1, code: int = _USUAL) -> str | None:
    """A text of so many characters; None when not given, or empty. Raises Invalid with `code`."""
    text = form.one(name)
    if not text:
        return None
    if not least <= len(text) <= most:
        raise Invalid(code, f"{name} must have {least} to {most} characters", name)
    return text


def several(form: Form, name: str, most: int, most_characters: int, code: int = _USUAL) -> tuple[str, ...] | None:
    """Texts of a parameter that may be repeated; None when not given. Raises Invalid with `code`."""
    if name not in form:
        return None
    texts = tuple(text for text in form.many(name) if text)
    if len(texts) > most:
        raise Invalid(code, f"{name} may be given {most} times at most", name)
    if any(len(text) > most_characters for text in texts):
        raise Invalid(code, f"Each {name} may have {most_characters} characters at most", name)
    return texts


def url(text: str | None, name: str, urls: Urls) -> str | None:
    """A URL of a parameter, None when empty. Nothing fetches it. Raises Fault(invalid_parameter)."""
    if not text:
        return None
    if fault := urls.fault(text):
        raise Fault("invalid_parameter", f"{name} {fault}", name)
    return text


def sid(form: Form, name: str, prefix: str) -> str | None:
    """A SID of some resource; None when not given. Raises Fault(invalid_parameter)."""
    text = form.one(name)
    if not text:
        return None
    if ids.parse_sid(text, (prefix,)) is None:
        raise Fault("invalid_parameter", f"{name} must be {prefix} and 32 hex digits", name)
    return text


def named(form: Form, name: str, prefix: str) -> bytes:
    """The id that a SID spells, which has to be given. Raises Fault(invalid_parameter)."""
    found = ids.parse_sid(form.one(name) or "", (prefix,))
    if found is None:
        raise Fault("invalid_parameter", f"{name} must be {prefix} and 32 hex digits", name)
    return found


def errors(objections: Sequence[Objection], codes: Mapping[Flaw, int], usual: int) -> list[dict[str, Any]]:
    """Objections as brands and campaigns tell them: `usual` is the code of flaws that have none of their own."""
    return [
        {
            "error_code": (code := codes.get(objection.flaw, usual)),
            "fields": [objection.field.upper()] if objection.field else [],
            "url": f"{_ERRORS}{code}",
            "description": objection.text,
        }
        for objection in objections
    ]
