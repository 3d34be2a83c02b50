"""Read a change of a phone number's configuration: every parameter checked, all that is wrong told at once."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, cast

from msgspec import json
from msgspec.structs import replace

from parley.api.signalwire.draft import check_url
from parley.api.signalwire.problems import Invalid, Problem, unknown_parameter
from parley.lib.ids import parse_sid, parse_uuid
from parley.model.laml import marked
from parley.model.number import Handler, Number
from parley.webhooks.guard import Guard

MAX_NAME: Final = 255
MAX_KEPT: Final = 2048
"""Characters of a call setting, which is kept and echoed."""

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

_HANDLING: Final = frozenset({"message_handler", "message_request_url", *RELAY_HANDLERS.values()})
"""Who gives one of these configures the number itself, and not by a resource that stands for it."""
_METHODS: Final = ("GET", "POST")
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

    A request URL without a handler keeps the handler that the number has, and means json_webhook when it has none.
    laml_webhooks gives the number Twilio's ways (STOP is honoured for the app), json_webhook SignalWire's.
    Source: update-phone-number page; aliases and json_webhook: see docs/compat/signalwire.csv.
    """
    problems: list[Problem] = []
    wanted = _without_aliases(given, problems)
    for name, value in wanted.items():
        _check(number, name, value, guard, problems)
    handler = _handler(number, wanted, problems)
    if problems:
        raise Invalid(problems)

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


def _without_aliases(given: Mapping[str, Any], problems: list[Problem]) -> dict[str, Any]:
    wanted: dict[str, Any] = {}
    for name, value in given.items():
        meant = ALIASES.get(name, name)
        if meant in wanted:
            rule = f"{name} and {meant} are two names of one parameter: give one of them"
            problems.append(Problem("incompatible_parameters", rule, name))
        wanted[meant] = value
    return wanted


def _check(number: Number, name: str, value: Any, guard: Guard, problems: list[Problem]) -> None:
    if name not in ACTED_ON and name not in KEPT:
        problems.append(unknown_parameter(name))
    elif value is None or value == "":
        return
    elif not isinstance(value, str):
        problems.append(Problem("not_a_string", f"{name} must be a string", name))
    elif name == "name" or name in RELAY_HANDLERS.values():
        if len(value) > MAX_NAME:
            problems.append(Problem("invalid_parameter", f"{name} has at most {MAX_NAME} characters", name))
    elif name == "number_sid":
        if (parse_uuid(value) or parse_sid(value, ("PN",))) != number.id:
            rule = "number_sid is not the id of the number in the path"
            problems.append(Problem("incompatible_parameters", rule, name))
    elif name.endswith("_method"):
        if value.upper() not in _METHODS:
            problems.append(Problem("invalid_parameter", f"{name} must be GET or POST", name))
    elif name in ("message_request_url", "message_fallback_url"):
        check_url(value, name, guard, problems)
    elif name in KEPT:
        _check_kept(name, value, problems)


def _check_kept(name: str, value: str, problems: list[Problem]) -> None:
    choices = _CHOICES.get(name)
    if choices is not None and value not in choices:
        problems.append(Problem("invalid_parameter", f"{name} must be one of {', '.join(sorted(choices))}", name))
    elif name in _UUIDS and parse_uuid(value) is None:
        problems.append(Problem("invalid_parameter", f"{name} must be a UUID", name))
    elif len(value) > MAX_KEPT:
        problems.append(Problem("invalid_parameter", f"{name} has at most {MAX_KEPT} characters", name))


def _handler(number: Number, wanted: Mapping[str, Any], problems: list[Problem]) -> Handler | None:
    """The handler that the number has afterwards; None for none."""
    url = wanted.get("message_request_url") or None
    relayed = [handler for handler, name in RELAY_HANDLERS.items() if wanted.get(name)]
    if "message_handler" not in wanted and relayed and number.handler in (None, *RELAY_HANDLERS) and url is None:
        return _relay_handler(number, wanted, relayed[0], relayed, problems)
    if wanted.get("message_handler") in RELAY_HANDLERS:
        return _relay_handler(number, wanted, wanted["message_handler"], relayed, problems)
    for handler in relayed:
        named = RELAY_HANDLERS[handler]
        problems.append(Problem("incompatible_parameters", f"{named} needs message_handler {handler}", named))
    if "message_handler" not in wanted and url is not None and number.handler in RELAY_HANDLERS:
        rule = "message_request_url needs a message_handler that uses it"
        problems.append(Problem("incompatible_parameters", rule, "message_request_url"))
        return None
    if "message_handler" not in wanted:
        return "json_webhook" if url is not None and number.handler is None else number.handler
    name = wanted["message_handler"] or None
    if name is None:
        if url is not None:
            rule = "message_request_url needs a message_handler that uses it"
            problems.append(Problem("incompatible_parameters", rule, "message_request_url"))
        return None
    if not isinstance(name, str):
        return None  # noted already
    if name not in HANDLERS:
        rule = f"message_handler must be one of {', '.join(sorted({'laml_application', *HANDLERS, *RELAY_HANDLERS}))}"
        problems.append(Problem("invalid_parameter", rule, "message_handler"))
        return None
    if url is None and ("message_request_url" in wanted or number.request_url is None):
        rule = f"message_request_url is required with message_handler {name}"
        problems.append(Problem("missing_required_parameter", rule, "message_request_url"))
    return cast("Handler", name)


def _relay_handler(
    number: Number, wanted: Mapping[str, Any], handler: str, relayed: Sequence[str], problems: list[Problem]
) -> Handler:
    """A handler that tells Relay's clients, with the parameter that says which."""
    needed = RELAY_HANDLERS[handler]
    for other in relayed:
        if other != handler:
            rule = f"{RELAY_HANDLERS[other]} needs message_handler {other}"
            problems.append(Problem("incompatible_parameters", rule, RELAY_HANDLERS[other]))
    if not wanted.get(needed) and (needed in wanted or number.handler != handler):
        rule = f"{needed} is required with message_handler {handler}"
        problems.append(Problem("missing_required_parameter", rule, needed))
    for name in ("message_request_url", "message_fallback_url"):
        if wanted.get(name):
            rule = f"{name} cannot be given with message_handler {handler}"
            problems.append(Problem("incompatible_parameters", rule, name))
    return cast("Handler", handler)


def _extras(number: Number, handler: Handler | None, wanted: Mapping[str, Any]) -> str | None:
    """Settings that are kept beside what is kept already, which may be another API's."""
    kept: dict[str, Any] = json.decode(number.extras) if number.extras else {}
    if _HANDLING & wanted.keys():
        kept.pop("messaging_handler_resource_id", None)
    for name in KEPT & wanted.keys():
        value = wanted[name]
        if value in (None, ""):
            kept.pop(name, None)
        else:
            kept[name] = value.upper() if name.endswith("_method") else value
    after = json.encode(kept).decode() if kept else None
    return marked(after, is_so=handler == "laml_webhooks") if _HANDLING & wanted.keys() else after
