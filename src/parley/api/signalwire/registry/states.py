"""How SignalWire calls the states of what is at the campaign registry."""

from typing import Any, Final

from parley.model.registry import Brand, Campaign, Verdict

_BRAND: Final[dict[Verdict, str]] = {"pending": "pending", "approved": "completed", "rejected": "unverified"}
_CAMPAIGN: Final[dict[Verdict, str]] = {"pending": "pending", "approved": "active", "rejected": "inactive"}


def state_of(value: Any) -> str:
    """The state of a brand, campaign, order or assignment; empty for anything else."""
    match value:
        case Brand():
            return _BRAND[value.verdict]
        case Campaign():
            return _CAMPAIGN[value.verdict]
    return str(getattr(value, "state", ""))
