"""The simulator's control API: read what phones received, send from them, and say how they and the carrier behave."""

import asyncio
from typing import Any, Final, Literal

import msgspec

from parley.api.admin import inbound, named
from parley.api.admin.phones import listed, phone_of, shown, without_channel
from parley.api.admin.problems import checked, merged
from parley.api.admin.times import iso, moment, seconds
from parley.api.http.endpoint import NO_CONTENT, Call, Reply, json_reply
from parley.api.http.fault import Fault
from parley.api.http.paging import whole_number
from parley.core.carrier import Inbound
from parley.core.media import Fetch
from parley.core.numbers import Numbers
from parley.core.phones import Phones
from parley.core.receive import Receiving
from parley.core.record import Record
from parley.lib import ids
from parley.lib.clock import Clock
from parley.model.address import InvalidAddress, parse_sender
from parley.model.behaviour import Behaviour, Faults
from parley.model.message import MAX_BODY, Message
from parley.model.phone import CARRIER
from parley.model.receipt import Receipt
from parley.store import media, messages

_MESSAGES: Final = 10_000
_MOST_MESSAGES: Final = 50_000
_PHONES: Final = 1000
_MANY: Final = 200
"""Beyond so many, reading codes and links out of messages would hold up everybody else's requests."""

_LISTING: Final = frozenset({"wait", "contains", "since", "limit"})
_CODES: Final[dict[str, int]] = {"undelivered": 30005, "failed": 30008}


class _Sent(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    to: str
    body: str | msgspec.UnsetType = msgspec.UNSET
    media: list[str | inbound.Enclosed] | None = None


class _Said(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    message_id: str
    status: Literal["sent", "delivered", "undelivered", "failed", "read"]
    error_code: Any = None


class SimulatorApi:
    """Handlers of the paths under /simulator."""

    def __init__(
        self, phones: Phones, record: Record, receiving: Receiving, numbers: Numbers, fetch: Fetch, clock: Clock
    ) -> None:
        self._phones = phones
        self._record = record
        self._receiving = receiving
        self._numbers = numbers
        self._fetch = fetch
        self._clock = clock

    async def list_phones(self, call: Call) -> Reply:
        """GET /simulator/phones: those that the account talked with, the last active first."""
        call.arguments().allow(frozenset())
        active: dict[str, int] = {}
        for each in await self._phones.active(call.account.id, _PHONES):
            phone = without_channel(each.address)
            active[phone] = max(each.active_at, active.get(phone, 0))
        latest = sorted(active.items(), key=lambda item: -item[1])
        return json_reply(200, {"phones": [shown(phone, self._phones.behaviour(phone), at) for phone, at in latest]})

    async def show(self, call: Call) -> Reply:
        """GET /simulator/phones/{phone}: how it behaves, and when it was last active."""
        call.arguments().allow(frozenset())
        return await self._shown(call, phone_of(call.path))

    async def tell(self, call: Call) -> Reply:
        """PUT /simulator/phones/{phone}: behave so from now on; what is left out stays as it is."""
        call.arguments().allow(frozenset())
        phone = phone_of(call.path)
        behaviour = checked(merged(call.json(), self._phones.behaviour(phone)), Behaviour)
        await self._phones.tell(phone, behaviour)
        return await self._shown(call, phone)

    async def _shown(self, call: Call, phone: str) -> Reply:
        active = await self._phones.active(call.account.id, _PHONES)
        at = max((each.active_at for each in active if without_channel(each.address) == phone), default=None)
        return json_reply(200, shown(phone, self._phones.behaviour(phone), at))

    async def list_messages(self, call: Call) -> Reply:
        """GET /simulator/phones/{phone}/messages: what arrived, newest first; `wait` waits for the first match."""
        asked = call.arguments()
        asked.allow(_LISTING)
        phone = phone_of(call.path)
        found = await self._phones.inbox(
            call.account.id,
            phone,
            whole_number(asked.one("limit"), "limit", _MESSAGES, 1, _MOST_MESSAGES),
            moment(asked.one("since"), "since"),
            asked.one("contains") or None,
            seconds(asked.one("wait")),
        )

        def reply() -> Reply:
            return json_reply(200, {"messages": [listed(arrival, call.base_url) for arrival in found]})

        return await asyncio.to_thread(reply) if len(found) > _MANY else reply()

    async def fetch_media(self, call: Call) -> Reply:
        """GET /simulator/phones/{phone}/messages/{message}/media/{position}: the octets, as the phone got them."""
        call.arguments().allow(frozenset())
        message = await self._message(call, phone_of(call.path), call.path["message"])
        position = whole_number(call.path["position"], "position", 0, 0, 1000)
        found = (await self._record.engine.read(media.of_messages, [message.id])).get(message.id, [])
        item = next((each for each in found if each.position == position), None)
        if item is None or item.content_hash is None:
            raise Fault("not_found", "This message has no such media")
        octets = await self._record.engine.read(media.content, item.content_hash)
        if octets is None:
            raise Fault("not_found", "This message has no such media")
        # It may be anything that somebody put on the web: a browser must neither guess its type nor run it.
        safe = ((b"x-content-type-options", b"nosniff"), (b"content-security-policy", b"sandbox"))
        return Reply(200, octets, (item.content_type or "application/octet-stream").encode("latin-1", "ignore"), safe)

    async def send(self, call: Call) -> Reply:
        """POST /simulator/phones/{phone}/messages: the phone sends a message to one of the account's numbers."""
        call.arguments().allow(frozenset())
        phone = phone_of(call.path)
        sent = checked(call.json(), _Sent)
        try:
            to = parse_sender(sent.to)
        except InvalidAddress as error:
            raise Fault("invalid_parameter", f"to is not a number ({error.reason})", "to") from None
        if to.kind == "alphanumeric":
            raise Fault("invalid_parameter", "to is a name, and a name receives nothing", "to")
        body = sent.body or ""
        if len(body) > MAX_BODY:
            raise Fault("invalid_parameter", f"body exceeds {MAX_BODY} characters", "body")
        if sent.body is msgspec.UNSET and not sent.media:
            raise Fault("invalid_parameter", "A message has a body, media or both", "body")
        await self._numbers.sender(call.account.id, to, "twilio")
        parts = await inbound.read(sent.media or (), self._fetch)
        sender = phone if to.channel == "sms" else f"{to.channel}:{phone}"
        message_id = await self._receiving.receive(Inbound(CARRIER, sender, to.text, body, parts))
        return json_reply(201, {"message_id": ids.to_uuid(message_id)})

    async def force_receipt(self, call: Call) -> Reply:
        """POST /simulator/phones/{phone}/receipts: a receipt for a message to this phone, as a carrier brings it.

        Answers the state that the message has then, which is another where the receipt came too late for it.
        """
        call.arguments().allow(frozenset())
        said = checked(call.json(), _Said)
        error_code = checked({"error_code": said.error_code}, Behaviour).error_code
        message = await self._message(call, phone_of(call.path), said.message_id)
        if said.status in _CODES:
            error_code = error_code or _CODES[said.status]
        elif error_code is not None:
            raise Fault("invalid_parameter", f"A message that is {said.status} has no error_code", "error_code")
        key = (message.account_id, message.id)
        await self._record.receive([Receipt(CARRIER, said.status, self._clock.now(), key=key, error_code=error_code)])
        after = await self._record.engine.read(messages.fetch, *key) or message
        return json_reply(
            200,
            {
                "message_id": ids.to_uuid(after.id),
                "status": after.status,
                "error_code": after.error_code,
                "updated_at": iso(after.updated_at),
            },
        )

    async def _message(self, call: Call, phone: str, given: str) -> Message:
        """One of the account's messages to a phone. Raises Fault(not_found)."""
        message = await self._record.engine.read(messages.fetch, call.account.id, named.message_id(given))
        if message is None or not message.is_outbound or without_channel(message.recipient) != phone:
            raise Fault("not_found", "No such message was sent to this phone")
        return message

    async def show_faults(self, call: Call) -> Reply:
        """GET /simulator/faults."""
        call.arguments().allow(frozenset())
        return json_reply(200, self._phones.faults)

    async def disturb(self, call: Call) -> Reply:
        """PUT /simulator/faults: behave so from now on; what is left out stays as it is."""
        call.arguments().allow(frozenset())
        faults = checked(merged(call.json(), self._phones.faults), Faults)
        await self._phones.disturb(faults)
        return json_reply(200, faults)

    async def forget(self, call: Call) -> Reply:
        """DELETE /simulator: forget all phones and calls, of all accounts, and all faults. The messages stay."""
        call.arguments().allow(frozenset())
        await self._phones.forget()
        return NO_CONTENT
