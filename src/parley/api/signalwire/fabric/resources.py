"""Fabric resources for messages, and the numbers that are led to them. Source: SignalWire's fabric pages."""

from collections.abc import Awaitable, Callable
from typing import Any, Final

from msgspec import json
from msgspec.structs import replace

from parley.api.http.endpoint import NO_CONTENT, Call, Reply, json_reply
from parley.api.signalwire import pages, shapes
from parley.api.signalwire.fabric.kinds import RESOURCES, Kind
from parley.api.signalwire.fields import Fields
from parley.api.signalwire.paths import path_id
from parley.core.numbers import Numbers
from parley.core.refusal import Refused
from parley.core.resources import Resources
from parley.lib.ids import to_uuid
from parley.model.handler import HandlerKind, MessageHandler
from parley.model.number import RESOURCE, Number
from parley.model.resource import Resource

PHONE_ROUTE: Final = frozenset({"phone_route_id", "handler"})
_HANDLERS: Final = ("calling", "messaging")


class FabricResources:
    """The operations on resources of any kind."""

    def __init__(self, kept: Resources[MessageHandler], numbers: Numbers, kinds: dict[HandlerKind, Kind]) -> None:
        self._kept = kept
        self._numbers = numbers
        self._kinds = kinds

    async def list(self, call: Call) -> Reply:
        """GET: those of every kind, newest first."""
        return await self._list(call, None)

    async def fetch(self, call: Call) -> Reply:
        """GET of one, whatever its kind."""
        pages.allow(call.arguments())
        return json_reply(200, self._body(await self._kept.fetch(call.account.id, path_id(call))))

    async def delete(self, call: Call) -> Reply:
        """DELETE of one, whatever its kind. The numbers that were led to it have their own handlers again, if any."""
        pages.allow(call.arguments())
        await self._kept.drop(call.account.id, path_id(call))
        return NO_CONTENT

    async def assign_phone_route(self, call: Call) -> Reply:
        """POST: lead a number's messages to a resource."""
        resource = await self._kept.fetch(call.account.id, path_id(call))
        fields = Fields(call.json(), PHONE_ROUTE)
        number_id = fields.id("phone_route_id", is_required=True)
        handler = fields.choice("handler", _HANDLERS)
        number = None if number_id is None else await self._numbers.fetch(call.account.id, number_id)
        if number_id is not None and number is None:
            fields.refuse("invalid_parameter", "phone_route_id is not a number of this project", "phone_route_id")
        if handler == "messaging":
            if resource.value.used_for != "messaging":
                fields.refuse("incompatible_parameters", "The resource is one for calls", "handler")
        elif handler == "calling" or not fields.given("handler"):  # which means the same
            fields.refuse("feature_not_available", "Calls are not served here: handler must be messaging", "handler")
        fields.check()
        assert number is not None
        return json_reply(200, _address(await self._numbers.change(number, _led(number, resource)), resource))

    def of(self, kind: Kind) -> "OfKind":
        """The operations on resources of one kind."""
        return OfKind(self._kept, kind, self._list, self._body)

    async def _list(self, call: Call, kind: Kind | None) -> Reply:
        arguments = call.arguments()
        pages.allow(arguments, pages.PARAMETERS)
        every = await self._kept.family(call.account.id)
        found = [each for each in every if kind is None or each.value.kind == kind.name]
        path = RESOURCES if kind is None else kind.path
        page = await pages.turn(path, arguments, pages.among(found))
        return json_reply(200, {"links": page.links, "data": [self._body(each) for each in page.items]})

    def _body(self, resource: Resource[MessageHandler]) -> dict[str, Any]:
        kind = self._kinds[resource.value.kind]
        return {
            "id": to_uuid(resource.id),
            "project_id": to_uuid(resource.account_id),
            "display_name": resource.value.name,
            "type": kind.name,
            "created_at": shapes.at(resource.created_at),
            "updated_at": shapes.at(resource.updated_at),
            kind.name: kind.body(resource),
        }


class OfKind:
    """The operations on resources of one kind."""

    def __init__(
        self,
        kept: Resources[MessageHandler],
        kind: Kind,
        list_: Callable[[Call, Kind], Awaitable[Reply]],
        body: Callable[[Resource[MessageHandler]], dict[str, Any]],
    ) -> None:
        self._kept = kept
        self._kind = kind
        self._list = list_
        self._body = body

    async def list(self, call: Call) -> Reply:
        """GET: newest first."""
        return await self._list(call, self._kind)

    async def create(self, call: Call) -> Reply:
        """POST: keep one."""
        fields = Fields(call.json(), self._kind.parameters)
        value = self._kind.read(fields, None)
        fields.check()
        return json_reply(self._kind.created, self._body(await self._kept.add(call.account.id, value)))

    async def fetch(self, call: Call) -> Reply:
        """GET of one."""
        pages.allow(call.arguments())
        return json_reply(200, self._body(await self._one(call)))

    async def update(self, call: Call) -> Reply:
        """PUT or PATCH: change what is given. The numbers that are led to it follow within a second."""
        given, found = call.json(), await self._one(call)

        def changed(before: Resource[MessageHandler]) -> Resource[MessageHandler]:
            fields = Fields(given, self._kind.changes)
            value = self._kind.read(fields, before.value)
            fields.check()
            return replace(before, value=value)

        return json_reply(200, self._body(await self._kept.change(call.account.id, found.id, changed)))

    async def delete(self, call: Call) -> Reply:
        """DELETE of one."""
        pages.allow(call.arguments())
        await self._kept.drop(call.account.id, (await self._one(call)).id)
        return NO_CONTENT

    async def _one(self, call: Call) -> Resource[MessageHandler]:
        found = await self._kept.fetch(call.account.id, path_id(call))
        if found.value.kind != self._kind.name:
            raise Refused("not_found")
        return found


def _led(number: Number, resource: Resource[MessageHandler]) -> Number:
    kept: dict[str, Any] = json.decode(number.extras) if number.extras else {}
    kept[RESOURCE] = to_uuid(resource.id)
    return replace(number, application_id=resource.id, extras=json.encode(kept).decode())


def _address(number: Number, resource: Resource[MessageHandler]) -> dict[str, Any]:
    """A fabric address: where the resource can be reached now."""
    return {
        "id": to_uuid(number.id),
        "resource_id": to_uuid(resource.id),
        "name": number.address,
        "display_name": number.name,
        "type": "app",
        "cover_url": None,
        "preview_url": None,
        "locked": False,
        "channels": {"messaging": f"/external/{number.address}?channel=messaging"},
        "created_at": shapes.at(number.created_at),
    }
