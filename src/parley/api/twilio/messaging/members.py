"""What each kind of sender is to its messaging service, and how it gets there."""

from typing import Any, Final

from parley.api.http.decode import Form
from parley.api.http.endpoint import Call, Reply, json_reply
from parley.api.http.fault import Fault
from parley.api.twilio import pages
from parley.api.twilio.messaging.pool import Member, Members, Part, Pools
from parley.api.twilio.problems import Invalid
from parley.core.numbers import Numbers
from parley.core.resources import Resources
from parley.lib import ids
from parley.lib.countries import names
from parley.lib.phone import region
from parley.model.address import InvalidAddress, parse_sender, read
from parley.model.channel import ChannelSender
from parley.model.service import PoolSender

PHONE_NUMBERS: Final = Part("phone_number", "PhoneNumbers", "phone_numbers", "PN")
SHORT_CODES: Final = Part("short_code", "ShortCodes", "short_codes", "SC")
ALPHA_SENDERS: Final = Part("alpha", "AlphaSenders", "alpha_senders", "AI")
DESTINATION_ALPHA_SENDERS: Final = Part("destination_alpha", "DestinationAlphaSenders", "alpha_senders", "AI")
CHANNEL_SENDERS: Final = Part(
    "channel", "ChannelSenders", "senders", "XE", "MessagingServiceSid", "messaging_service_sid"
)

_KINDS: Final = {"phone_number": "e164", "short_code": "short_code"}
_OF_SHORT_CODES: Final = "US"
"""Short codes are of one country, which their digits do not tell."""


class OwnedNumbers(Members):
    """Phone numbers, or short codes, that the account owns. Their SIDs are those of the numbers themselves."""

    def __init__(self, pools: Pools, part: Part, numbers: Numbers, parameter: str) -> None:
        super().__init__(pools, part)
        self._numbers = numbers
        self._parameter = parameter

    async def create(self, call: Call) -> Reply:
        """Put a number into the service. Raises Invalid: 21421 (not one of the account's), 21715 (takes no messages),
        and as Pools.add does.
        """
        service_id = await self.pools.service(call, self.part)
        form = call.form()
        form.allow(frozenset({self._parameter}))
        sid = form.one(self._parameter) or ""
        number_id = ids.parse_sid(sid, (self.part.prefix,))
        number = await self._numbers.fetch(call.account.id, number_id) if number_id is not None else None
        if number is None or read(number.address).kind != _KINDS[self.part.kind]:
            raise Invalid(21421, f"{self._parameter} {sid[:40]} is invalid", self._parameter)
        if not (number.can_sms or number.can_mms):
            raise Invalid(21715, f"{number.address} can neither send SMS nor MMS", self._parameter)
        country = _OF_SHORT_CODES if self.part.kind == "short_code" else region(number.address) or ""
        sender = PoolSender(self.part.kind, number.address, country)
        member = await self.pools.add(
            call.account.id, service_id, sender, number.address, number.id, number=number.address
        )
        return json_reply(201, await self.shown(call, member))

    async def particulars(self, member: Member) -> dict[str, Any]:
        """Address, country, and what the number can do."""
        number = await self._numbers.by_address(member.value.address)
        can = {} if number is None else {"MMS": number.can_mms, "SMS": number.can_sms}
        return {
            self.part.kind: member.value.address,
            "country_code": member.value.country,
            "capabilities": [name for name, holds in can.items() if holds],
        }


class AlphaSenders(Members):
    """Names: one for wherever names are allowed, or (destination) one for each country and one for all others."""

    async def create(self, call: Call) -> Reply:
        """Give the service a name. Raises Invalid: 21708 without one, 21709 for what is none; and Fault when the
        service has one for the country.
        """
        service_id = await self.pools.service(call, self.part)
        form = call.form()
        has_country = self.part.kind == "destination_alpha"
        form.allow(frozenset({"AlphaSender", "IsoCountryCode"} if has_country else {"AlphaSender"}))
        name, country = _name(form), _country(form) if has_country else ""
        for other in await self.pools.members(call, self.part):
            if other.value.country == country and other.value.address != name:
                detail = f"The Messaging Service has the name {other.value.address} there: delete that first"
                raise Fault("invalid_parameter", detail, "AlphaSender")
        key = f"{service_id.hex()}:{self.part.kind}:{country}"
        sender = PoolSender(self.part.kind, name, country)
        member = await self.pools.add(call.account.id, service_id, sender, key)
        return json_reply(201, await self.shown(call, member))

    async def list(self, call: Call) -> Reply:
        """A page of the service's names; of one country, where that is asked for."""
        if self.part.kind == "alpha":
            return await super().list(call)
        form = call.arguments()
        form.allow(pages.PARAMETERS | {"IsoCountryCode"})
        country = _country(form)
        members = [
            member
            for member in await self.pools.members(call, self.part)
            if not country or member.value.country == country
        ]
        return await self.listed(call, form, members)

    async def particulars(self, member: Member) -> dict[str, Any]:
        """The name, and the country that it is for."""
        told: dict[str, Any] = {"alpha_sender": member.value.address, "capabilities": ["SMS"]}
        if self.part.kind == "destination_alpha":
            told["iso_country_code"] = member.value.country or None
        return told


class ChannelMembers(Members):
    """Addresses on WhatsApp. Their SIDs are those of the channel senders themselves."""

    def __init__(self, pools: Pools, part: Part, channel_senders: Resources[ChannelSender]) -> None:
        super().__init__(pools, part)
        self._channel_senders = channel_senders

    async def create(self, call: Call) -> Reply:
        """Put a channel sender into the service. Raises Fault(invalid_parameter) when the account has none of that
        SID, and as Pools.add does.
        """
        service_id = await self.pools.service(call, self.part)
        form = call.form()
        form.allow(frozenset({"Sid"}))
        found = ids.parse_sid(form.one("Sid") or "", (self.part.prefix,))
        channel = await self._channel_senders.find(call.account.id, found) if found is not None else None
        if channel is None:
            raise Fault("invalid_parameter", "Sid is not the SID of a channel sender of this account", "Sid")
        address = channel.value.address
        number = read(address).value
        sender = PoolSender("channel", address, region(number) or "")
        member = await self.pools.add(call.account.id, service_id, sender, address, number=number)
        return json_reply(201, await self.shown(call, member))

    async def id_of(self, member: Member) -> bytes:
        """The id of the channel sender."""
        channel = await self._channel_senders.named(member.account_id, member.value.address)
        return member.id if channel is None else channel.id

    async def particulars(self, member: Member) -> dict[str, Any]:
        """Address, channel and country."""
        return {
            "sender": member.value.address,
            "sender_type": "WhatsApp",
            "country_code": member.value.country or None,
        }


def _name(form: Form) -> str:
    text = form.one("AlphaSender")
    if not text:
        raise Invalid(21708, "AlphaSender is required", "AlphaSender")
    try:
        address = parse_sender(text)
    except InvalidAddress:
        address = None
    if address is None or address.kind != "alphanumeric":
        detail = "AlphaSender must be 1 to 11 letters, digits, spaces and -+_&, with a letter among them"
        raise Invalid(21709, detail, "AlphaSender")
    return address.value


def _country(form: Form) -> str:
    country = (form.one("IsoCountryCode") or "").upper()
    if country and country not in names():
        raise Fault("invalid_parameter", "IsoCountryCode must be a country's code of ISO 3166-1", "IsoCountryCode")
    return country
