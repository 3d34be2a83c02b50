"""Read a change of a phone number's configuration: every parameter checked, all that is wrong told at once."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, cast

from msgspec import json
from msgspec.structs import replace

from parley.api.signalwire.fields import MOST, Fields
from parley.api.signalwire.problems import Problem
from parley.lib.ids import parse_sid, parse_uuid
from parley.model.laml import marked
from parley.model.number import RESOURCE, Handler, Number
from parley.webhooks.guard import Guard

MAX_NAME: Final = 255

HANDLERS: Final = frozenset({"laml_webhooks", "json_webhook"})
RELAY_HANDLERS: Final = {
    "relay_context": "message_relay_context",
    "relay_topic": "message_relay_topic",
    "relay_application": "message_relay_application",
}
"""And the parameter that names whose clients are told: three names of one thing."""
ALIASES: Final = {"sms_url": "message_request_url", "sms_method": "message_request_method"}
"""The guides' names. `number_sid` is another: the number's id once more."""
CAMPAIGN: Final = "messaging_campaign_id"
"""The guides' way to order that a number be assigned to a campaign, which the operation itself reads."""
KEPT: Final = frozenset(
    {
        "call_handler",
        "call_receive_mode",
        "call_request_url",
        "call_request_method",
        "call_fallback_url",
        "call_fallback_method",
        "call_status_callback_url",
        "call_status_callback_method",
        "call_laml_application_id",
        "call_dialogflow_agent_id",
        "call_relay_topic",
        "call_relay_topic_status_callback_url",
        "call_relay_script_url",
        "call_relay_context",
        "call_relay_context_status_callback_url",
        "call_relay_application",
        "call_relay_connector_id",
        "call_sip_endpoint_id",
        "call_verto_resource",
        "call_video_room_id",
    }
)
"""Settings of calls, which Parley does not carry."""
ACTED_ON: Final = frozenset(
    {
        "name",
        "message_handler",
        "message_request_url",
        "message_request_method",
        "message_fallback_url",
        "message_fallback_method",
        "message_relay_context",
        "message_relay_topic",
        "message_relay_application",
        "number_sid",
    }
)

_KNOWN: Final = ACTED_ON | KEPT
_OFFERED: Final = frozenset({*HANDLERS, *RELAY_HANDLERS})
_HANDLING: Final = frozenset({"message_handler", "message_request_url", *RELAY_HANDLERS.values()})
"""Who gives one of these configures the number itself, and not by a resource that stands for it."""
_CALL_HANDLERS: Final = frozenset(
    {
        "relay_context",
        "relay_topic",
        "relay_script",
        "relay_application",
        "relay_connector",
        "relay_sip_endpoint",
        "relay_verto_endpoint",
        "laml_webhooks",
        "laml_application",
        "dialogflow",
        "video_room",
    }
)
_CHOICES: Final = {"call_handler": _CALL_HANDLERS, "call_receive_mode": frozenset({"voice", "fax"})}
_UUIDS: Final = frozenset({"call_sip_endpoint_id", "call_video_room_id"})


def read_update(number: Number, given: Mapping[str, Any], guard: Guard) -> Number:
    """The number as `given` changes it; what is not given stays. Raises Invalid with all that is wrong.

    A request URL without a handler keeps the handler that the number has, and means json_webhook when it has none; an
    empty one ends a handler that needs it.
    laml_webhooks gives the number Twilio's ways (STOP is honoured for the app), json_webhook SignalWire's.
    Source: update-phone-number page; aliases and json_webhook: see docs/compat/signalwire.csv.
    """
    wanted, repeated = _without_aliases(given)
    fields = Fields(wanted, _KNOWN)
    fields.problems += repeated
    for name in wanted:
        if name in _KNOWN:
            _check(number, name, fields, guard)
    handler = _handler(number, wanted, fields.problems)
    fields.check()

    request_url, fallback_url = number.request_url, number.fallback_url
    if "message_request_url" in wanted:
        request_url = wanted["message_request_url"] or None
    if "message_fallback_url" in wanted:
        fallback_url = wanted["message_fallback_url"] or None
    dialect = number.dialect
    if handler is not None:
        dialect = "twilio" if handler == "laml_webhooks" else "signalwire"
    elif "message_handler" in wanted:
        request_url = fallback_url = None
    relay_context = None
    if handler in RELAY_HANDLERS:
        request_url = fallback_url = None
        relay_context = wanted.get(RELAY_HANDLERS[handler]) or number.relay_context
    return replace(
        number,
        name=(wanted["name"] or number.address) if "name" in wanted else number.name,
        dialect=dialect,
        handler=handler,
        request_url=request_url,
        request_method=(wanted.get("message_request_method") or number.request_method).upper(),
        fallback_url=fallback_url,
        fallback_method=(wanted.get("message_fallback_method") or number.fallback_method).upper(),
        extras=_extras(number, handler, wanted),
        relay_context=relay_context,
        application_id=None if _HANDLING & wanted.keys() else number.application_id,
    )


def _without_aliases(given: Mapping[str, Any]) -> tuple[dict[str, Any], list[Problem]]:
    """What is given by our own names, and what is given by two."""
    wanted = {ALIASES.get(name, name): value for name, value in given.items()}
    problems = [
        Problem("incompatible_parameters", f"{alias} and {name} are two names of one parameter: give one", alias)
        for alias, name in ALIASES.items()
        if alias in given and name in given
    ]
    return wanted, problems


def _check(number: Number, name: str, fields: Fields, guard: Guard) -> None:
    if name in ("message_request_url", "message_fallback_url"):
        fields.url(name, guard)
    elif name.endswith("_method"):
        fields.method(name)
    elif name in _CHOICES:
        fields.choice(name, _CHOICES[name])
    elif name in _UUIDS:
        fields.id(name)
    elif name == "message_handler":
        if fields.text(name) not in (None, *_OFFERED):
            rule = f"message_handler must be one of {', '.join(sorted({'laml_application', *_OFFERED}))}"
            fields.refuse("invalid_parameter", rule, name)
    elif name == "number_sid":
        text = fields.text(name)
        if text is not None and (parse_uuid(text) or parse_sid(text, ("PN",))) != number.id:
            fields.refuse("incompatible_parameters", "number_sid is not the id of the number in the path", name)
    else:
        fields.text(name, most=MOST if name in KEPT else MAX_NAME)


def _handler(number: Number, wanted: Mapping[str, Any], problems: list[Problem]) -> Handler | None:
    """The handler that the number has afterwards, None for none. What it misses, or has no use for, is noted."""
    is_named = "message_handler" in wanted
    contexts = [handler for handler, name in RELAY_HANDLERS.items() if wanted.get(name)]
    named: Any = wanted.get("message_handler") or None
    if named is not None and not (isinstance(named, str) and named in _OFFERED):
        return None  # noted already
    handler = cast("Handler | None", named) if is_named else _implied(number, wanted, contexts)
    for other in contexts:
        if other != handler:
            rule = f"{RELAY_HANDLERS[other]} needs message_handler {other}"
            problems.append(Problem("incompatible_parameters", rule, RELAY_HANDLERS[other]))
    if handler in RELAY_HANDLERS:
        needed, has = RELAY_HANDLERS[handler], number.handler == handler
    else:
        needed, has = "message_request_url", number.request_url is not None or not is_named
    if handler is not None and not wanted.get(needed) and (needed in wanted or not has):
        rule = f"{needed} is required with message_handler {handler}"
        problems.append(Problem("missing_required_parameter", rule, needed))
    is_led = number.application_id is not None and not _HANDLING & wanted.keys()
    if not is_led and (handler in HANDLERS or (handler is None and not is_named)):
        return handler
    for name in ("message_request_url", "message_fallback_url"):
        if wanted.get(name):
            rule = f"{name} needs a message_handler that uses it"
            problems.append(Problem("incompatible_parameters", rule, name))
    return handler


def _implied(number: Number, wanted: Mapping[str, Any], contexts: Sequence[str]) -> Handler | None:
    """The handler where none is named: the number's own, unless it is its first, or its webhook is taken away."""
    has_url = bool(wanted.get("message_request_url"))
    if contexts and number.handler in (None, *RELAY_HANDLERS) and not has_url:
        return cast("Handler", contexts[0])
    if number.handler is None and has_url:
        return "json_webhook"
    if number.handler in HANDLERS and "message_request_url" in wanted and not has_url:
        return None
    return number.handler


def _extras(number: Number, handler: Handler | None, wanted: Mapping[str, Any]) -> str | None:
    """Settings that are kept beside what is kept already, which may be another API's."""
    kept: dict[str, Any] = json.decode(number.extras) if number.extras else {}
    if _HANDLING & wanted.keys():
        kept.pop(RESOURCE, None)
    for name in KEPT & wanted.keys():
        value = wanted[name]
        if value in (None, ""):
            kept.pop(name, None)
        else:
            kept[name] = value.upper() if name.endswith("_method") else value
    after = json.encode(kept).decode() if kept else None
    return marked(after, is_so=handler == "laml_webhooks") if _HANDLING & wanted.keys() else after
