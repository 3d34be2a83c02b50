"""Number groups: what LaML calls a messaging service, and who is in it. Source: SignalWire's number groups pages."""

from typing import Any, Final

from msgspec.structs import replace

from parley.api.http.endpoint import NO_CONTENT, Call, Reply, json_reply
from parley.api.signalwire import pages, shapes
from parley.api.signalwire.fields import Fields
from parley.api.signalwire.paths import path_id
from parley.api.signalwire.problems import Invalid, Problem
from parley.core.numbers import Numbers
from parley.core.refusal import Refused
from parley.core.resources import Resources
from parley.lib.ids import to_uuid
from parley.lib.phone import region
from parley.model.address import read
from parley.model.resource import Resource
from parley.model.service import PoolSender, Service

GROUPS: Final = "/api/relay/rest/number_groups"
MEMBERSHIPS: Final = "/api/relay/rest/number_group_memberships"
PARAMETERS: Final = frozenset({"name", "sticky_sender"})
MEMBERSHIP: Final = frozenset({"phone_number_id"})
FILTERS: Final = pages.PARAMETERS | {"filter_name"}
MOST: Final = 400
"""Members of one group, as of one messaging service."""
_MOST_NAME: Final = 255


class NumberGroups:
    """The operations on number groups, which are the messaging services of Twilio's API."""

    def __init__(self, services: Resources[Service], senders: Resources[PoolSender], numbers: Numbers) -> None:
        self._services = services
        self._senders = senders
        self._numbers = numbers

    async def list(self, call: Call) -> Reply:
        """GET: newest first; `filter_name` is a part of the name."""
        arguments = call.arguments()
        pages.allow(arguments, FILTERS)
        name = (arguments.one("filter_name") or "").lower()
        every = await self._services.family(call.account.id)
        found = [group for group in every if name in group.value.friendly_name.lower()]
        page = await pages.turn(GROUPS, arguments, pages.among(found))
        return json_reply(200, {"links": page.links, "data": [await self._group(group) for group in page.items]})

    async def create(self, call: Call) -> Reply:
        """POST: a group without members. The answer is 200."""
        fields = Fields(call.json(), PARAMETERS)
        name, is_sticky = fields.required("name", most=_MOST_NAME), fields.boolean("sticky_sender") or False
        fields.check()
        made = await self._services.add(call.account.id, Service(friendly_name=name, sticky_sender=is_sticky))
        return json_reply(200, await self._group(made))

    async def fetch(self, call: Call) -> Reply:
        """GET of one group."""
        pages.allow(call.arguments())
        return json_reply(200, await self._group(await self._services.fetch(call.account.id, path_id(call))))

    async def update(self, call: Call) -> Reply:
        """PUT: another name, or whether recipients keep their sender."""
        fields = Fields(call.json(), PARAMETERS)
        name, is_sticky = fields.required("name", most=_MOST_NAME), fields.boolean("sticky_sender")
        fields.check()

        def changed(group: Resource[Service]) -> Resource[Service]:
            sticky = group.value.sticky_sender if is_sticky is None else is_sticky
            return replace(group, value=replace(group.value, friendly_name=name, sticky_sender=sticky))

        return json_reply(200, await self._group(await self._services.change(call.account.id, path_id(call), changed)))

    async def delete(self, call: Call) -> Reply:
        """DELETE of a group. Its numbers stay the project's."""
        pages.allow(call.arguments())
        await self._services.drop(call.account.id, path_id(call))
        return NO_CONTENT

    async def list_members(self, call: Call) -> Reply:
        """GET: a group's numbers, newest first."""
        arguments = call.arguments()
        pages.allow(arguments, pages.PARAMETERS)
        group = await self._services.fetch(call.account.id, path_id(call))
        path = f"{GROUPS}/{to_uuid(group.id)}/number_group_memberships"
        page = await pages.turn(
            path,
            arguments,
            lambda limit, after, backwards: self._senders.page(
                group.account_id, limit, after, parent_id=group.id, backwards=backwards
            ),
        )
        return json_reply(200, {"links": page.links, "data": [await self._member(member) for member in page.items]})

    async def add_member(self, call: Call) -> Reply:
        """POST: put a number of the project into a group. A number is in one group at most."""
        group = await self._services.fetch(call.account.id, path_id(call))
        fields = Fields(call.json(), MEMBERSHIP)
        number_id = fields.id("phone_number_id", is_required=True)
        number = None if number_id is None else await self._numbers.fetch(call.account.id, number_id)
        if number_id is not None and (number is None or read(number.address).kind != "e164"):
            fields.refuse("invalid_parameter", "phone_number_id is not a number of this project", "phone_number_id")
        fields.check()
        assert number is not None
        sender = PoolSender("phone_number", number.address, region(number.address) or "")
        try:
            made = await self._senders.add(
                call.account.id,
                sender,
                parent_id=group.id,
                name=number.address,
                id=number.id,
                number=number.address,
                most=MOST,
            )
        except Refused as refused:
            if refused.reason != "name_taken":
                raise
            problem = Problem("already_assigned", "The number is in a group already", "phone_number_id")
            raise Invalid([problem]) from None
        return json_reply(200, await self._member(made))

    async def fetch_member(self, call: Call) -> Reply:
        """GET of one membership, whose id is its number's."""
        pages.allow(call.arguments())
        return json_reply(200, await self._member(await self._senders.fetch(call.account.id, path_id(call))))

    async def delete_member(self, call: Call) -> Reply:
        """DELETE: take a number out of its group."""
        pages.allow(call.arguments())
        await self._senders.drop(call.account.id, path_id(call))
        return NO_CONTENT

    async def _group(self, group: Resource[Service]) -> dict[str, Any]:
        return {
            "id": to_uuid(group.id),
            "name": group.value.friendly_name,
            "sticky_sender": group.value.sticky_sender,
            "phone_number_count": await self._senders.count(group.account_id, group.id),
        }

    async def _member(self, member: Resource[PoolSender]) -> dict[str, Any]:
        number = await self._numbers.by_address(member.value.address)
        assert member.parent_id is not None
        can = () if number is None else (("sms", number.can_sms), ("mms", number.can_mms))
        return {
            "id": to_uuid(member.id),
            "number_group_id": to_uuid(member.parent_id),
            "phone_number": {
                "id": to_uuid(member.id),
                "name": member.value.address if number is None else number.name,
                "number": member.value.address,
                "capabilities": [name for name, holds in can if holds],
            },
            "created_at": shapes.at(member.created_at),
            "updated_at": shapes.at(member.updated_at),
        }
