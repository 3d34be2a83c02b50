"""Word what happened at the campaign registry for the URLs that are to hear of it.

Source: SignalWire's 10DLC status callback page.
"""

from typing import Any, Final

import msgspec
from msgspec.structs import replace

from parley.api.signalwire import shapes
from parley.api.signalwire.registry.states import named, state_of
from parley.lib.ids import Ids, to_uuid
from parley.model.callback import Callback
from parley.model.registry import Assignment, Brand, Campaign, Order
from parley.model.resource import Resource

_EVENTS: Final = {
    ("brand", "completed"): "brand_activated",
    ("brand", "unverified"): "brand_unverified",
    ("campaign", "active"): "campaign_activated",
    ("campaign", "inactive"): "campaign_deactivated",
    ("number_assignment_order", "processed"): "number_assignment_order_processed",
    ("number_assignment", "pending"): "number_assignment_pending",
    ("number_assignment", "completed"): "number_assignment_activated",
    ("number_assignment", "failed"): "number_assignment_failed",
}
"""What a state that something has come to is called. Of others nobody is told."""


class Events:
    """Makes the callbacks that are owed for a change."""

    def __init__(self, ids: Ids) -> None:
        self._ids = ids

    def owed(self, changed: Resource[Any]) -> tuple[Callback, ...]:
        """What is owed for a resource as it has become: nothing, or one request."""
        category, url, about = _about(changed)
        state = state_of(changed.value)
        event = _EVENTS.get((category, state))
        if url is None or event is None:
            return ()
        told = {
            "project_id": to_uuid(changed.account_id),
            "event_at": shapes.at(changed.updated_at),
            "event_category": category,
            "event_type": event,
            "state": state,
            **about,
        }
        plain = Callback.owed(
            self._ids.new(),
            (changed.account_id, changed.id),
            "signalwire",
            url,
            "sent",
            at=changed.updated_at,
            node=None,
        )
        return (replace(plain, kind="notice", data=msgspec.json.encode(told).decode()),)


def _about(changed: Resource[Any]) -> tuple[str, str | None, dict[str, str | None]]:
    """The category of an event, its URL, and the ids that it names."""
    value, id = changed.value, to_uuid(changed.id)
    parent: dict[str, str | None] = {} if changed.parent_id is None else {"campaign_id": to_uuid(changed.parent_id)}
    match value:
        case Brand(company=company) if company is not None:
            return "brand", company.status_callback, {"brand_id": id}
        case Campaign(particulars=particulars, brand_id=brand_id) if particulars is not None and brand_id is not None:
            return "campaign", particulars.status_callback, {"brand_id": to_uuid(brand_id), "campaign_id": id}
        case Order():
            about = {"brand_id": named(value.brand_id), **parent, "number_assignment_order_id": id}
            return "number_assignment_order", value.status_callback, about
        case Assignment():
            about = {
                "brand_id": named(value.brand_id),
                **parent,
                "number_assignment_order_id": to_uuid(value.order_id),
                "number_assignment_id": id,
                "phone_number_id": named(value.number_id),
                "phone_number": value.address,
            }
            return "number_assignment", value.status_callback, about
    return "", None, {}
