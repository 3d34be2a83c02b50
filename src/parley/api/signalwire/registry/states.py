"""How SignalWire calls the states of what is at the campaign registry."""

from typing import Any, Final

from parley.lib.ids import to_uuid
from parley.model.registry import Brand, Campaign, Verdict

_BRAND: Final[dict[Verdict, str]] = {"pending": "pending", "approved": "completed", "rejected": "unverified"}
_CAMPAIGN: Final[dict[Verdict, str]] = {"pending": "pending", "approved": "active", "rejected": "inactive"}


def named(id: bytes) -> str | None:
    """The UUID of a brand or a number that a record names; None where it names none: of a campaign that was registered
    elsewhere nobody told the brand, and a number may be released before an order for it begins.
    """
    return to_uuid(id) if id else None


def state_of(value: Any) -> str:
    """The state of a brand, campaign, order or assignment; empty for anything else."""
    match value:
        case Brand():
            return _BRAND[value.verdict]
        case Campaign():
            return _CAMPAIGN[value.verdict]
    return str(getattr(value, "state", ""))
