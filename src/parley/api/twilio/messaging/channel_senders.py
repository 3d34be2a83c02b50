"""Senders on WhatsApp: register, list, fetch, change, drop. Bodies are JSON. Source: messaging v2, Channels/Senders."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeVar

import msgspec
from msgspec.structs import fields, replace

from parley.api.http.endpoint import NO_CONTENT, Call, Reply, json_reply
from parley.api.http.fault import Fault
from parley.api.twilio import collection, pages
from parley.api.twilio.parameters import choice
from parley.api.twilio.paths import check_nothing_asked, resource_id
from parley.api.twilio.urls import Urls
from parley.core.numbers import Numbers
from parley.core.resources import Resources
from parley.core.review import Reviewing
from parley.lib import ids
from parley.model.address import Address, InvalidAddress, parse_sender
from parley.model.channel import ChannelSender, Configuration, Profile, Webhook
from parley.model.registry import Verdict
from parley.model.resource import Resource
from parley.model.service import PoolSender

_CHANNEL: Final = ("XE",)
_PARTS: Final[dict[str, type[msgspec.Struct]]] = {
    "configuration": Configuration,
    "webhook": Webhook,
    "profile": Profile,
}
_CALLED: Final = ("callback_url", "fallback_url", "status_callback_url")
_SHOWN_URLS: Final = ("logo_url", "banner_url", "privacy_url", "terms_of_service_url")
_STATUS: Final[Mapping[Verdict, str]] = {"pending": "CREATING", "approved": "ONLINE", "rejected": "OFFLINE"}

S = TypeVar("S", bound=msgspec.Struct)


class ChannelSenders:
    """The operations on channel senders, which the reviewers approve of, or do not."""

    def __init__(self, reviewing: Reviewing, pool_senders: Resources[PoolSender], numbers: Numbers, urls: Urls) -> None:
        self._reviewing = reviewing
        self._senders = reviewing.registry.channel_senders
        self._pool = pool_senders
        self._numbers = numbers
        self._urls = urls

    async def create(self, call: Call) -> Reply:
        """Register an address of the account's on WhatsApp; 202, since it is looked at first.

        Raises Fault, and Refused: sender_not_owned, sender_of_another_account, name_taken (registered already).
        """
        given = _given(call, {"sender_id", "friendly_name", *_PARTS})
        address = _address(given.pop("sender_id", None))
        value = self._changed(ChannelSender(address.text), given)
        if not value.profile.name:
            raise Fault("invalid_parameter", "profile.name is required", "profile")
        await self._numbers.sender(call.account.id, address, "twilio")
        made = await self._reviewing.submit(
            self._senders, call.account.id, value, name=address.text, number=address.value
        )
        return json_reply(202, _shown(call, made))

    async def list(self, call: Call) -> Reply:
        """A page of the account's senders on a channel, newest first."""
        form = call.arguments()
        form.allow(pages.PARAMETERS | {"Channel"})
        channel = choice(form, "Channel", ("whatsapp", "rcs"))
        if channel is None:
            raise Fault("invalid_parameter", "Channel is required: whatsapp or rcs", "Channel")
        page = pages.page_of(form)
        found: Sequence[Resource[ChannelSender]] = []
        if channel == "whatsapp":
            found = await self._senders.page(
                call.account.id, page.limit, page.after, backwards=page.backwards, skip=page.skip
            )
        return collection.list_reply(
            call, "senders", form, page, found, lambda sender: sender.id, lambda sender: _shown(call, sender)
        )

    async def fetch(self, call: Call) -> Reply:
        """One sender."""
        check_nothing_asked(call)
        return json_reply(200, _shown(call, await self._senders.fetch(call.account.id, _id(call))))

    async def update(self, call: Call) -> Reply:
        """Change what is given and not null; 202. One that was rejected is looked at again."""
        given = _given(call, set(_PARTS))

        def changed(before: Resource[ChannelSender]) -> ChannelSender:
            return self._changed(before.value, given)

        sender = await self._senders.fetch(call.account.id, _id(call))
        if sender.value.verdict == "rejected":
            sender = await self._reviewing.resubmit(self._senders, call.account.id, sender.id, changed)
        else:
            sender = await self._senders.change(
                call.account.id, sender.id, lambda before: replace(before, value=changed(before))
            )
        return json_reply(202, _shown(call, sender))

    async def delete(self, call: Call) -> Reply:
        """Drop a sender, and take it out of its service."""
        check_nothing_asked(call)
        sender = await self._senders.fetch(call.account.id, _id(call))
        member = await self._pool.named(call.account.id, sender.value.address)
        if member is not None:
            await self._pool.drop(call.account.id, member.id)
        await self._senders.drop(call.account.id, sender.id)
        return NO_CONTENT

    def _changed(self, sender: ChannelSender, given: Mapping[str, Any]) -> ChannelSender:
        changed = replace(
            sender,
            configuration=_merged(sender.configuration, given.get("configuration"), "configuration"),
            webhook=_merged(sender.webhook, given.get("webhook"), "webhook"),
            profile=_merged(sender.profile, given.get("profile"), "profile"),
        )
        urls = [(changed.webhook, name) for name in _CALLED] + [(changed.profile, name) for name in _SHOWN_URLS]
        for part, name in urls:
            if (url := getattr(part, name)) and (fault := self._urls.callback_fault(url)):
                raise Fault("invalid_parameter", f"{name} {fault}", name)
        return changed


def _shown(call: Call, sender: Resource[ChannelSender]) -> dict[str, Any]:
    value = sender.value
    sid = ids.sid("XE", sender.id)
    reasons = [{"code": None, "message": objection.text, "more_info": None} for objection in value.objections]
    return {
        "sid": sid,
        "status": _STATUS[value.verdict],
        "sender_id": value.address,
        "configuration": {
            **msgspec.to_builtins(value.configuration),
            "account_type": value.configuration.account_type or None,
            "verification_code": None,
        },
        "webhook": value.webhook,
        "profile": value.profile,
        "properties": {"quality_rating": None, "messaging_limit": None},
        "offline_reasons": reasons or None,
        "compliance": None,
        "url": collection.url_of(call, f"/v2/Channels/Senders/{sid}"),
    }


def _id(call: Call) -> bytes:
    return resource_id(call, _CHANNEL)


def _given(call: Call, allowed: set[str]) -> dict[str, Any]:
    """The body without what is null, which the official clients send for what their callers leave out."""
    given = {name: value for name, value in call.json().items() if value is not None}
    if unknown := given.keys() - allowed:
        raise Fault("invalid_parameter", f"{min(unknown)[:100]} is not a parameter of this operation")
    for name in _PARTS:
        if not isinstance(given.get(name, {}), dict):
            raise Fault("invalid_parameter", f"{name} must be an object", name)
    if "friendly_name" in given:
        raise Fault("invalid_parameter", "friendly_name is not supported", "friendly_name")
    return given


def _merged(before: S, given: Mapping[str, Any] | None, name: str) -> S:
    """`before` with what is given and not null in its place. A verification code is taken, and there is nothing that
    it would have to match.
    """
    if given is None:
        return before
    new = {key: value for key, value in given.items() if value is not None}
    if isinstance(before, Configuration):
        new.pop("verification_code", None)
    known = {field.name: getattr(before, field.name) for field in fields(before)}
    try:
        return msgspec.convert({**known, **new}, type(before))
    except msgspec.ValidationError as error:
        raise Fault("invalid_parameter", f"{name}: {error}", name) from None


def _address(text: Any) -> Address:
    try:
        address = parse_sender(text) if isinstance(text, str) else None
    except InvalidAddress:
        address = None
    if address is None or address.channel != "whatsapp":
        raise Fault("invalid_parameter", "sender_id must be whatsapp: and a number in E.164 form", "sender_id")
    return address
