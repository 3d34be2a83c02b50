"""Read what a client asks to send: every parameter checked, so that one answer tells all that is wrong."""

import hashlib
import re
from collections.abc import Mapping
from typing import Any, Final

from msgspec import json

from parley.api.http.endpoint import Call
from parley.api.signalwire.problems import Invalid, Problem, unknown_parameter
from parley.api.signalwire.urls import check_url
from parley.core.send import Draft
from parley.model.account import Account
from parley.model.address import SIGNALWIRE, InvalidAddress, is_signalwire_sender, parse_recipient, parse_sender
from parley.model.message import MAX_BODY
from parley.store.accept import IdempotencyKey
from parley.webhooks.guard import Guard

MAX_MEDIA: Final = 8
MAX_VARIABLES: Final = 20
MAX_VARIABLE: Final = 1024
"""Octets of one custom variable's value."""
MAX_KEY: Final = 255
"""Characters of an idempotency key."""

PARAMETERS: Final = frozenset(
    {"to", "from", "body", "media", "media_urls", "send_as_mms", "status_callback", "custom_variables"}
)
WHATSAPP_PARAMETERS: Final = frozenset(
    {
        "message_type",
        "template_id",
        "header_template_parameters",
        "body_template_parameters",
        "button_template_parameters",
    }
)

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
_RESERVED: Final = ("signalwire_", "sw_", "rtc_", "internal_")
_WHATSAPP: Final = "whatsapp:"
_KEY_HEADERS: Final = (b"idempotency-key", b"i-twilio-idempotency-token")


def read_draft(call: Call, guard: Guard) -> Draft:
    """What `POST /api/messaging/messages` asks for. Raises Fault, and Invalid with all that is wrong.

    Source: create-message page; `media_urls` is the guides' other name of `media`.
    """
    return make_draft(call.account, call.json(), guard, idempotency(call))


def make_draft(account: Account, given: Mapping[str, Any], guard: Guard, key: IdempotencyKey | None) -> Draft:
    """What these parameters ask for, however they came. Raises Invalid."""
    problems: list[Problem] = []
    if not given.keys() <= PARAMETERS:
        problems += [_unknown(name) for name in given if name not in PARAMETERS]
    recipient = _text(given, "to", problems)
    if recipient is not None:
        _check_recipient(recipient, problems)
    sender = _text(given, "from", problems)
    if sender is not None:
        _check_sender(sender, problems)
    body = _body(given.get("body"), problems)
    media = _media(given, guard, problems) if "media" in given or "media_urls" in given else ()
    if given.get("body") in (None, "") and not given.get("media") and not given.get("media_urls"):
        problems.append(Problem("body_or_media_required", "Either body or media must be given", "body"))
    as_mms = given.get("send_as_mms")
    if as_mms is not None and not isinstance(as_mms, bool):
        problems.append(Problem("not_a_boolean", "send_as_mms must be true or false", "send_as_mms"))
    status_callback = given.get("status_callback")
    if status_callback is not None:
        check_url(status_callback, "status_callback", guard, problems)
    variables = given.get("custom_variables")
    if variables is not None:
        _check_variables(variables, problems)
    if problems or recipient is None or sender is None:
        raise Invalid(problems)
    return Draft(
        account=account,
        dialect="signalwire",
        recipient=recipient,
        sender=sender,
        body=body,
        media_urls=media,
        most_media=MAX_MEDIA,
        as_mms=as_mms is True,
        status_callback=status_callback,
        extras=json.encode({"custom_variables": variables}).decode() if variables else None,
        idempotency=key,
    )


def _unknown(name: str) -> Problem:
    if name in WHATSAPP_PARAMETERS:
        return Problem("feature_not_available", "WhatsApp messages are not offered here", name)
    return unknown_parameter(name)


def _text(given: Mapping[str, Any], name: str, problems: list[Problem]) -> str | None:
    """A required string."""
    value = given.get(name)
    if value is None or value == "":
        problems.append(Problem("missing_required_parameter", f"{name} is required", name))
    elif not isinstance(value, str):
        problems.append(Problem("not_a_string", f"{name} must be a string", name))
    else:
        return value
    return None


def _check_recipient(text: str, problems: list[Problem]) -> None:
    try:
        if parse_recipient(text, SIGNALWIRE).channel == "sms":
            return
    except InvalidAddress:
        if not text.lower().startswith(_WHATSAPP):
            problem = Problem("invalid_to_number", "to must be in E.164 form: + and 5 to 17 digits", "to")
            problems.append(problem)
            return
    problems.append(Problem("feature_not_available", "WhatsApp messages are not offered here", "to"))


def _check_sender(text: str, problems: list[Problem]) -> None:
    if text.lower().startswith(_WHATSAPP):
        problems.append(Problem("feature_not_available", "WhatsApp messages are not offered here", "from"))
        return
    try:
        if is_signalwire_sender(parse_sender(text, SIGNALWIRE)):
            return
    except InvalidAddress:
        pass
    rule = "from must be one of the project's numbers in E.164 form, or a short code of 5 or 6 digits"
    problems.append(Problem("invalid_from_number", rule, "from"))


def _body(value: Any, problems: list[Problem]) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        problems.append(Problem("not_a_string", "body must be a string", "body"))
        return ""
    if len(value) > MAX_BODY:
        problem = Problem("character_limit_exceeded", f"The body is longer than {MAX_BODY} characters", "body")
        problems.append(problem)
    return value


def _media(given: Mapping[str, Any], guard: Guard, problems: list[Problem]) -> tuple[str, ...]:
    media, alias = given.get("media"), given.get("media_urls")
    if media is not None and alias is not None:
        rule = "media and media_urls are two names of one parameter: give one of them"
        problems.append(Problem("incompatible_parameters", rule, "media_urls"))
        return ()
    name = "media" if media is not None else "media_urls"
    urls = media if media is not None else alias
    if urls is None:
        return ()
    if not isinstance(urls, list) or not all(isinstance(url, str) for url in urls):
        problems.append(Problem("not_an_array_of_strings", f"{name} must be an array of strings", name))
        return ()
    if len(urls) > MAX_MEDIA:
        problems.append(Problem("media_limit_exceeded", f"A message holds at most {MAX_MEDIA} media", name))
        return ()
    for url in urls:
        check_url(url, name, guard, problems, "invalid_media_url")
    return tuple(urls)


def _check_variables(variables: Any, problems: list[Problem]) -> None:
    name = "custom_variables"
    if not isinstance(variables, dict):
        problems.append(Problem("must_be_object", f"{name} must be an object", name))
        return
    if len(variables) > MAX_VARIABLES:
        rule = f"A message carries at most {MAX_VARIABLES} custom variables"
        problems.append(Problem("too_many_custom_variables", rule, name))
        return
    for key, value in variables.items():
        shown = f"{name}.{key[:64]}"
        if _NAME.fullmatch(key) is None:
            rule = "A custom variable's name holds letters, digits and underscores, and begins with no digit"
            problems.append(Problem("invalid_custom_variable_name", rule, shown))
        elif key.lower().startswith(_RESERVED):
            rule = f"A custom variable's name may not begin with {', '.join(_RESERVED)}"
            problems.append(Problem("reserved_custom_variable_name", rule, shown))
        if not isinstance(value, str) or not value:
            rule = "A custom variable's value is a string that is not empty"
            problems.append(Problem("invalid_custom_variable_value", rule, shown))
        elif len(value.encode()) > MAX_VARIABLE:
            rule = f"A custom variable's value has at most {MAX_VARIABLE} octets"
            problems.append(Problem("custom_variable_value_too_long", rule, shown))


def idempotency(call: Call) -> IdempotencyKey | None:
    """The key of a request that must be carried out once only, by either of the headers that clients use for it."""
    first, second = (call.headers.get(name) for name in _KEY_HEADERS)
    if first is None and second is None:
        return None
    if first is not None and second is not None and first != second:
        rule = "Idempotency-Key and I-Twilio-Idempotency-Token name two different keys"
        raise Invalid([Problem("incompatible_parameters", rule, "Idempotency-Key")])
    key = (first if first is not None else second or b"").decode("latin-1").strip()
    if not 0 < len(key) <= MAX_KEY or not key.isascii() or not key.isprintable():
        rule = f"An idempotency key is 1 to {MAX_KEY} printable ASCII characters"
        raise Invalid([Problem("invalid_parameter", rule, "Idempotency-Key")])
    # The prefix keeps clients' keys apart from those that the core makes for itself.
    return IdempotencyKey(f"signalwire:{key}", hashlib.blake2b(call.body, digest_size=16).digest())
