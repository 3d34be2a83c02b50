"""Show simulated phones to their API: addresses in the path, what arrived, how they behave."""

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote

import msgspec

from parley.api.admin.text import code
from parley.api.admin.times import iso
from parley.api.http.fault import Fault
from parley.lib import ids
from parley.lib.web_links import links
from parley.model.address import InvalidAddress, parse_recipient
from parley.model.behaviour import Behaviour
from parley.model.phone import Arrival

_WHATSAPP: Final = "whatsapp:"


def phone_of(path: Mapping[str, str]) -> str:
    """The phone that a path names, as `+` and digits; the `+` may be missing, or have become a space.

    Raises Fault(invalid_parameter).
    """
    given = path["phone"].strip().removeprefix(_WHATSAPP)
    if given.isascii() and given.isdigit() and len(given) > 6:
        given = f"+{given}"
    try:
        return parse_recipient(given).value
    except InvalidAddress as error:
        raise Fault("invalid_parameter", f"The path names no phone number ({error.reason})", "phone") from None


def without_channel(address: str) -> str:
    """The phone behind an address of any channel."""
    return address.removeprefix(_WHATSAPP)


def listed(arrival: Arrival, base_url: str) -> dict[str, Any]:
    """A message as its phone shows it."""
    message_id = ids.to_uuid(arrival.message_id)
    media = msgspec.json.decode(arrival.media) if arrival.media else []
    place = f"{base_url}/simulator/phones/{quote(arrival.phone, safe='+')}/messages/{message_id}/media"
    return {
        "message_id": message_id,
        "from": arrival.sender,
        "to": f"{_WHATSAPP}{arrival.phone}" if arrival.sender.startswith(_WHATSAPP) else arrival.phone,
        "body": arrival.body,
        "media": [{**each, "url": f"{place}/{n}"} for n, each in enumerate(media)],
        "received_at": iso(arrival.received_at),
        "code": code(arrival.body),
        "links": links(arrival.body),
    }


def shown(phone: str, behaviour: Behaviour, active_at: int | None) -> dict[str, Any]:
    """A phone, with how it behaves."""
    return {"phone": phone, "last_activity_at": iso(active_at), **msgspec.to_builtins(behaviour)}
