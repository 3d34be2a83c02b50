"""Phone numbers: list them, and say what happens to the messages that reach one."""

from typing import Any, Final

from msgspec import json

from parley.api.http.endpoint import Call, Reply, json_reply
from parley.api.http.fault import Fault
from parley.api.signalwire import pages, shapes
from parley.api.signalwire.number_update import read_update
from parley.core.numbers import Numbers
from parley.lib import phone
from parley.lib.ids import parse_sid, parse_uuid, to_uuid
from parley.model.number import Number
from parley.store import Engine, numbers
from parley.webhooks.guard import Guard

PHONE_NUMBERS: Final = "/api/relay/rest/phone_numbers"

_LIST: Final = pages.PARAMETERS | {"filter_name", "filter_number"}
_BARE: Final[dict[str, Any]] = {
    "e911_address_id": None,
    "e911_status": None,
    "next_billed_at": None,
    "call_handler": None,
    "calling_handler_resource_id": None,
    "call_receive_mode": "voice",
    "call_request_url": None,
    "call_request_method": None,
    "call_fallback_url": None,
    "call_fallback_method": None,
    "call_status_callback_url": None,
    "call_status_callback_method": None,
    "call_laml_application_id": None,
    "call_dialogflow_agent_id": None,
    "call_relay_topic": None,
    "call_relay_topic_status_callback_url": None,
    "call_relay_script_url": None,
    "call_relay_context": None,
    "call_relay_context_status_callback_url": None,
    "call_relay_application": None,
    "call_relay_connector_id": None,
    "call_sip_endpoint_id": None,
    "call_verto_resource": None,
    "call_video_room_id": None,
    "messaging_handler_resource_id": None,
    "message_laml_application_id": None,
    "message_relay_topic": None,
    "message_relay_context": None,
}
"""What a number has that nobody configured."""


class PhoneNumbers:
    """`/api/relay/rest/phone_numbers`. A number's id may also be spelled as Twilio's `PN` SID."""

    def __init__(self, owned: Numbers, engine: Engine, guard: Guard) -> None:
        self._numbers = owned
        self._engine = engine
        self._guard = guard

    async def list(self, call: Call) -> Reply:
        """GET: `{"links","data"}`, newest first; both filters are substrings. Source: list-phone-numbers page."""
        arguments = call.arguments()
        pages.allow(arguments, _LIST)
        window = pages.read_window(arguments)
        name, number = arguments.one("filter_name"), arguments.one("filter_number")
        account_id = call.account.id
        page = await pages.turn(
            PHONE_NUMBERS,
            arguments,
            window,
            lambda limit, after, backwards: self._engine.read(
                numbers.page,
                account_id,
                limit,
                after,
                backwards=backwards,
                contains=number or None,
                name_contains=name or None,
            ),
        )
        return json_reply(200, {"links": page.links, "data": [number_body(number) for number in page.items]})

    async def fetch(self, call: Call) -> Reply:
        """GET of one number. Source: retrieve-phone-number page."""
        pages.allow(call.arguments(), frozenset())
        return json_reply(200, number_body(await self._number(call)))

    async def update(self, call: Call) -> Reply:
        """PUT: change what is given. Source: update-phone-number page."""
        given = call.json()
        number = await self._number(call)
        return json_reply(200, number_body(await self._numbers.change(read_update(number, given, self._guard))))

    async def _number(self, call: Call) -> Number:
        given = call.path["id"]
        number_id = parse_uuid(given) or parse_sid(given, ("PN",))
        number = await self._numbers.fetch(call.account.id, number_id) if number_id is not None else None
        if number is None:
            raise Fault("not_found")
        return number


def number_body(number: Number) -> dict[str, Any]:
    """A number in SignalWire's shape. Calls are not carried here: what was set for them is echoed.

    Source: retrieve-phone-number page; `json_webhook` beside SignalWire's own handlers is ours.
    """
    kept = json.decode(number.extras) if number.extras else {}
    has_url, has_fallback = number.request_url is not None, number.fallback_url is not None
    return {
        "id": to_uuid(number.id),
        "number": number.address,
        "name": number.name,
        "capabilities": [name for name, can in (("sms", number.can_sms), ("mms", number.can_mms)) if can],
        "number_type": "toll-free" if phone.line_type(number.address) == "toll_free" else "longcode",
        "created_at": shapes.at(number.created_at),
        "updated_at": shapes.at(number.updated_at),
        **_BARE,
        **{name: value for name, value in kept.items() if name in _BARE},
        "message_handler": handler(number),
        "message_relay_context": number.relay_context if number.handler == "relay_context" else None,
        "message_relay_topic": number.relay_context if number.handler == "relay_topic" else None,
        "message_request_url": number.request_url,
        "message_request_method": number.request_method if has_url else None,
        "message_fallback_url": number.fallback_url,
        "message_fallback_method": number.fallback_method if has_fallback else None,
        "country_code": phone.region(number.address),
    }


def handler(number: Number) -> str | None:
    """What becomes of a number's messages. One that Twilio's API configured has Twilio's webhook."""
    if number.handler is not None or number.request_url is None:
        return number.handler
    return "laml_webhooks" if number.dialect == "twilio" else "json_webhook"
