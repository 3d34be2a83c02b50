"""Who sends for a messaging service: phone numbers, short codes, names and channels' addresses, each kind a list.

Source: messaging v1, Service's PhoneNumbers, ShortCodes, AlphaSenders, DestinationAlphaSenders and ChannelSenders.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, Final

import msgspec

from parley.api.http.decode import Form
from parley.api.http.endpoint import NO_CONTENT, Call, Reply, json_reply
from parley.api.twilio import collection, pages
from parley.api.twilio.messaging.services import SERVICE
from parley.api.twilio.paths import check_nothing_asked, resource_id
from parley.api.twilio.problems import Invalid
from parley.core.refusal import Refused
from parley.core.resources import Resources
from parley.lib import ids
from parley.model.resource import Resource
from parley.model.service import PoolSender, SenderKind, Service

MOST_SENDERS: Final = 400
"""Senders of one service. Source: error 21714."""

Member = Resource[PoolSender]


class Part(msgspec.Struct, frozen=True):
    """One of a service's lists: what it holds, its place in the path, and the key of its pages."""

    kind: SenderKind
    path: str
    key: str
    prefix: str
    """Of its senders' SIDs."""
    service: str = "ServiceSid"
    """What the path calls the service."""
    service_field: str = "service_sid"
    """What answers call it."""


class Pools:
    """The senders of all services."""

    def __init__(self, services: Resources[Service], senders: Resources[PoolSender]) -> None:
        self._services = services
        self._senders = senders

    async def service(self, call: Call, part: Part) -> bytes:
        """The id of the service that the path names. Raises Fault(not_found), Refused(not_found)."""
        service = await self._services.fetch(call.account.id, resource_id(call, SERVICE, part.service))
        return service.id

    async def members(self, call: Call, part: Part) -> tuple[Member, ...]:
        """A service's senders of one kind, the oldest first."""
        found = await self._senders.family(call.account.id, await self.service(call, part))
        return tuple(each for each in found if each.value.kind == part.kind)

    async def add(
        self,
        account_id: bytes,
        service_id: bytes,
        sender: PoolSender,
        name: str,
        id: bytes | None = None,
        *,
        number: str | None = None,
    ) -> Member:
        """Put a sender into a service; `number` is the account's that it sends from, if it is no name.

        Raises Invalid: 21710 when the service has the sender, 21712 when another service has; and Refused: pool_full,
        and not_found or sender_not_owned when service or number went meanwhile.
        """
        try:
            return await self._senders.add(
                account_id, sender, parent_id=service_id, name=name, id=id, number=number, most=MOST_SENDERS
            )
        except Refused as refused:
            if refused.reason != "name_taken":
                raise
        other = await self._senders.named(account_id, name)
        if other is None or other.parent_id == service_id:
            raise Invalid(21710, f"{sender.address} is in this Messaging Service already", status=409)
        raise Invalid(21712, f"{sender.address} is in another Messaging Service", status=409)

    async def drop(self, member: Member) -> None:
        """Take a sender out of its service."""
        await self._senders.drop(member.account_id, member.id)


class Members(ABC):
    """The operations on one of a service's lists, but for adding to it, which members.py has for each kind."""

    def __init__(self, pools: Pools, part: Part) -> None:
        self.pools = pools
        self.part = part

    @abstractmethod
    async def particulars(self, member: Member) -> dict[str, Any]:
        """The fields that only senders of this kind have."""

    async def id_of(self, member: Member) -> bytes:
        """The id that the sender's SID spells."""
        return member.id

    async def list(self, call: Call) -> Reply:
        """A page of the service's senders of this kind, newest first."""
        form = call.arguments()
        form.allow(pages.PARAMETERS)
        return await self.listed(call, form, await self.pools.members(call, self.part))

    async def listed(self, call: Call, form: Form, members: Sequence[Member]) -> Reply:
        """The page of `members` that is asked for."""
        page = pages.page_of(form)
        told = [(member.id, await self.shown(call, member)) for member in pages.cut(page, members[::-1], _id_of)]
        return collection.list_reply(call, self.part.key, form, page, told, lambda each: each[0], lambda each: each[1])

    async def fetch(self, call: Call) -> Reply:
        """One of the service's senders."""
        return json_reply(200, await self.shown(call, await self._member(call)))

    async def delete(self, call: Call) -> Reply:
        """Take a sender out of the service. A number stays the account's."""
        await self.pools.drop(await self._member(call))
        return NO_CONTENT

    async def shown(self, call: Call, member: Member) -> dict[str, Any]:
        """A sender as its resource."""
        assert member.parent_id is not None
        sid, service = ids.sid(self.part.prefix, await self.id_of(member)), ids.sid("MG", member.parent_id)
        return {
            "sid": sid,
            "account_sid": ids.sid("AC", member.account_id),
            self.part.service_field: service,
            **await self.particulars(member),
            "date_created": collection.iso(member.created_at),
            "date_updated": collection.iso(member.updated_at),
            "url": collection.url_of(call, f"/v1/Services/{service}/{self.part.path}/{sid}"),
        }

    async def _member(self, call: Call) -> Member:
        check_nothing_asked(call)
        wanted = resource_id(call, (self.part.prefix,))
        for member in await self.pools.members(call, self.part):
            if await self.id_of(member) == wanted:
                return member
        raise Invalid(21711, "The sender is not in this Messaging Service", status=404)


def _id_of(member: Member) -> bytes:
    return member.id
