"""Orders: which numbers send for a campaign. Source: SignalWire's campaign registry, orders and number assignments."""

from collections.abc import Sequence
from typing import Any, Final, TypeVar

from parley.api.http.endpoint import NO_CONTENT, Call, Reply, json_reply
from parley.api.signalwire import pages, shapes
from parley.api.signalwire.fields import Fields
from parley.api.signalwire.paths import path_id
from parley.api.signalwire.problems import Invalid, Problem
from parley.api.signalwire.registry.campaigns import CAMPAIGNS
from parley.api.signalwire.registry.states import named, state_of
from parley.core.numbers import Numbers
from parley.core.orders import Orders
from parley.core.refusal import Refused
from parley.core.resources import Resources
from parley.lib.ids import to_uuid
from parley.lib.phone import is_toll_free
from parley.model.number import Number
from parley.model.registry import Assignment, Order
from parley.model.resource import Resource
from parley.webhooks.guard import Guard

T = TypeVar("T")

PARAMETERS: Final = frozenset({"phone_numbers", "status_callback_url"})
FILTERS: Final = pages.PARAMETERS | {"filter_state"}


class OrdersApi:
    """The operations on orders, and on the assignments that they lead to."""

    def __init__(self, orders: Orders, numbers: Numbers, guard: Guard) -> None:
        self._orders = orders
        self._campaigns = orders.campaigns
        self._numbers = numbers
        self._guard = guard

    async def create(self, call: Call) -> Reply:
        """POST: order that numbers of the project be assigned to a campaign."""
        campaign = await self._campaigns.fetch(call.account.id, path_id(call))
        fields = Fields(call.json(), PARAMETERS)
        addresses = dict.fromkeys(fields.texts("phone_numbers", is_required=True))
        callback = fields.url("status_callback_url", self._guard)
        fields.check()
        found = [await self._orderable(call.account.id, address) for address in addresses]
        try:
            placed = await self._orders.place(campaign, found, callback)
        except Refused as refused:
            if refused.reason != "number_taken":
                raise
            rule = f"{refused.value} is in a campaign already"
            raise Invalid([Problem("already_assigned", rule, "phone_numbers")]) from None
        return json_reply(200, order_body(placed))

    async def _orderable(self, account_id: bytes, address: str) -> Number:
        """The long code of that address. Raises Invalid when the account has none."""
        number = await self._numbers.by_address(address)
        if number is None or number.account_id != account_id:
            raise Invalid([Problem("invalid_parameter", f"{address[:20]} is not the project's", "phone_numbers")])
        if (problem := unorderable(number, "phone_numbers")) is not None:
            raise Invalid([problem])
        return number

    async def list(self, call: Call) -> Reply:
        """GET: a campaign's orders, newest first."""
        every, page = await self._page(call, self._orders.orders, "orders")
        return json_reply(200, {"links": page.links, "data": [order_body(each) for each in every]})

    async def fetch(self, call: Call) -> Reply:
        """GET of one order."""
        pages.allow(call.arguments())
        return json_reply(200, order_body(await self._orders.orders.fetch(call.account.id, path_id(call))))

    async def list_assignments(self, call: Call) -> Reply:
        """GET: the numbers of a campaign, newest first."""
        every, page = await self._page(call, self._orders.assignments, "numbers")
        numbers = [await self._numbers.by_address(each.value.address) for each in every]
        data = [
            assignment_body(each, number.name if number else None) for each, number in zip(every, numbers, strict=True)
        ]
        return json_reply(200, {"links": page.links, "data": data})

    async def delete_assignment(self, call: Call) -> Reply:
        """DELETE: take a number out of its campaign. The number stays the project's."""
        pages.allow(call.arguments())
        await self._orders.assignments.drop(call.account.id, path_id(call))
        return NO_CONTENT

    async def _page(self, call: Call, kind: Resources[T], word: str) -> tuple[Sequence[Resource[T]], pages.Page]:
        """What a campaign has of a kind, as far as the query asks for it."""
        arguments = call.arguments()
        pages.allow(arguments, FILTERS)
        campaign = await self._campaigns.fetch(call.account.id, path_id(call))
        state = arguments.one("filter_state")
        every = await kind.family(call.account.id, campaign.id)
        found = [each for each in every if state in (None, "", state_of(each.value))]
        path = f"{CAMPAIGNS}/{to_uuid(campaign.id)}/{word}"
        page = await pages.turn(path, arguments, pages.among(found))
        return page.items, page


def unorderable(number: Number, parameter: str) -> Problem | None:
    """What is wrong with a parameter that names a number which is no long code, and so is in no campaign."""
    if number.address.startswith("+") and not is_toll_free(number.address):
        return None
    return Problem("invalid_parameter", f"{number.address} needs no campaign: only long codes do", parameter)


def order_body(order: Resource[Order]) -> dict[str, Any]:
    """An order in SignalWire's shape."""
    processed_at = order.value.processed_at
    return {
        "id": to_uuid(order.id),
        "state": order.value.state,
        "processed_at": None if processed_at is None else shapes.at(processed_at),
        "created_at": shapes.at(order.created_at),
        "updated_at": shapes.at(order.updated_at),
        "status_callback_url": order.value.status_callback,
    }


def assignment_body(assignment: Resource[Assignment], name: str | None) -> dict[str, Any]:
    """A number's place in a campaign in SignalWire's shape; `name` is the number's."""
    value = assignment.value
    return {
        "id": to_uuid(assignment.id),
        "state": value.state,
        "campaign_id": None if assignment.parent_id is None else to_uuid(assignment.parent_id),
        "phone_number": {
            "id": named(value.number_id),
            "name": name,
            "number": value.address,
            "status_callback_url": value.status_callback,
        },
        "created_at": shapes.at(assignment.created_at),
        "updated_at": shapes.at(assignment.updated_at),
    }
