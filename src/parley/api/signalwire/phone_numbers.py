"""Phone numbers: find and buy them, list them, and say what happens to the messages that reach one."""

from collections.abc import Mapping
from typing import Any, Final

from msgspec import json
from msgspec.structs import replace

from parley.api.http.endpoint import NO_CONTENT, Call, Reply, json_reply
from parley.api.http.fault import Fault
from parley.api.signalwire import pages, shapes
from parley.api.signalwire.fields import Fields
from parley.api.signalwire.laml_application import HANDLER, PARAMETER, read_change
from parley.api.signalwire.number_update import CAMPAIGN
from parley.api.signalwire.problems import Problem
from parley.api.signalwire.registry.orders import unorderable
from parley.core.inventory import Inventory
from parley.core.numbers import Numbers
from parley.core.orders import Orders
from parley.core.refusal import Refused
from parley.core.resources import Resources
from parley.lib import phone
from parley.lib.ids import parse_sid, parse_uuid, to_uuid
from parley.model.application import Application
from parley.model.number import RESOURCE, Number, application_of
from parley.model.registry import Campaign
from parley.model.resource import Resource
from parley.store import Engine, numbers
from parley.webhooks.guard import Guard

PHONE_NUMBERS: Final = "/api/relay/rest/phone_numbers"

PURCHASE: Final = frozenset({"number"})
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
    """`/api/relay/rest/phone_numbers`. A number's id may also be spelled as Twilio's `PN` SID.

    What the inventory has can be bought; with `sells_any` (the dev profile) every number that nobody owns.
    """

    def __init__(
        self,
        owned: Numbers,
        applications: Resources[Application],
        inventory: Inventory,
        orders: Orders,
        engine: Engine,
        guard: Guard,
        *,
        sells_any: bool,
    ) -> None:
        self._numbers = owned
        self._applications = applications
        self._inventory = inventory
        self._orders = orders
        self._campaigns = orders.campaigns
        self._engine = engine
        self._guard = guard
        self._sells_any = sells_any

    async def list(self, call: Call) -> Reply:
        """GET: `{"links","data"}`, newest first; both filters are substrings. Source: list-phone-numbers page."""
        arguments = call.arguments()
        pages.allow(arguments, _LIST)
        name, number = arguments.one("filter_name"), arguments.one("filter_number")
        account_id = call.account.id
        page = await pages.turn(
            PHONE_NUMBERS,
            arguments,
            lambda limit, after, backwards: self._engine.read(
                numbers.page,
                account_id,
                limit,
                after,
                backwards=backwards,
                contains=number or None,
                name_contains=name or None,
                is_short=False,
            ),
        )
        return json_reply(200, {"links": page.links, "data": [await self._shown(number) for number in page.items]})

    async def purchase(self, call: Call) -> Reply:
        """POST: buy a number that is for sale. Source: purchase-phone-number page."""
        fields = Fields(call.json(), PURCHASE)
        address = fields.phone("number")
        fields.check()
        offer = await self._inventory.offer(address)
        if offer is None and not self._sells_any:
            raise Refused("number_unavailable", address)
        blank = self._numbers.blank(call.account.id, address, "signalwire")
        stands = await self._numbers.own(replace(blank, can_mms=int(offer is None or offer.can_mms)))
        if stands.account_id != call.account.id:
            raise Refused("number_taken", address)
        return json_reply(200, await self._shown(stands))

    async def fetch(self, call: Call) -> Reply:
        """GET of one number. Source: retrieve-phone-number page."""
        pages.allow(call.arguments())
        return json_reply(200, await self._shown(await self._number(call)))

    async def update(self, call: Call) -> Reply:
        """PUT: change what is given. Source: update-phone-number page; `messaging_campaign_id` is the guides'."""
        given = call.json()
        number = await self._number(call)
        campaign, problem = await self._campaign(number, given)
        wanted = {name: value for name, value in given.items() if name != CAMPAIGN}
        configured = await read_change(
            number, wanted, self._guard, self._applications, () if problem is None else (problem,)
        )
        changed = await self._numbers.change(number, configured)
        if CAMPAIGN in given:
            await self._orders.move(number, campaign)
        told = await self._shown(changed)
        if campaign is not None:  # its order assigns the number in a moment
            told[CAMPAIGN] = to_uuid(campaign.id)
        return json_reply(200, told)

    async def release(self, call: Call) -> Reply:
        """DELETE: give a number up, however lately it was bought. Source: release-phone-number page."""
        pages.allow(call.arguments())
        await self._numbers.release(await self._number(call))
        return NO_CONTENT

    async def _number(self, call: Call) -> Number:
        given = call.path["id"]
        number_id = parse_uuid(given) or parse_sid(given, ("PN",))
        number = await self._numbers.fetch(call.account.id, number_id) if number_id is not None else None
        if number is None or not number.address.startswith("+"):
            raise Fault("not_found")
        return number

    async def _campaign(
        self, number: Number, given: Mapping[str, Any]
    ) -> tuple[Resource[Campaign] | None, Problem | None]:
        """The campaign that a number is to be assigned to, and what is wrong with it."""
        text = given.get(CAMPAIGN)
        if text in (None, ""):
            return None, None
        id = parse_uuid(text) if isinstance(text, str) else None
        campaign = None if id is None else await self._campaigns.find(number.account_id, id)
        if campaign is None:
            return None, Problem("invalid_parameter", f"{CAMPAIGN} is not a campaign of this project", CAMPAIGN)
        return campaign, unorderable(number, CAMPAIGN)

    async def _shown(self, number: Number) -> dict[str, Any]:
        """A number, the campaign that it is assigned to, and the resource that it was led to while there is one."""
        assignment = await self._orders.assignments.named(number.account_id, number.address)
        told = number_body(number)
        if told[RESOURCE] is not None and not await self._numbers.has_handler(number):
            told[RESOURCE] = None
        if assignment is not None and assignment.parent_id is not None:
            told[CAMPAIGN] = to_uuid(assignment.parent_id)
        return told


def number_body(number: Number) -> dict[str, Any]:
    """A number in SignalWire's shape. Calls are not carried here: what was set for them is echoed.

    Source: retrieve-phone-number page; `json_webhook` beside SignalWire's own handlers is ours.
    """
    kept = json.decode(number.extras) if number.extras else {}
    has_url, has_fallback = number.request_url is not None, number.fallback_url is not None
    application_id = application_of(number)
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
        "message_handler": handler(number) if application_id is None else HANDLER,
        PARAMETER: None if application_id is None else to_uuid(application_id),
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
