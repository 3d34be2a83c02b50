"""What a messaging service may be for. Source: messaging v1, Usecase."""

from typing import Final

from parley.api.http.endpoint import Call, Reply, json_reply
from parley.api.twilio.messaging.services import USECASES
from parley.api.twilio.paths import check_nothing_asked

_TOLD: Final = {
    "notifications": ("Notify my users", "News about something that the recipient has: orders, deliveries, alarms"),
    "marketing": ("Market my services", "Offers, events and news about products"),
    "verification": ("Verify my users", "One-time codes and confirmations of sign-ins"),
    "discussion": ("Talk with my users", "Conversations between people"),
    "poll": ("Ask my users", "Questions, surveys and votes"),
    "undeclared": ("Something else", "No purpose was given"),
}


async def fetch(call: Call) -> Reply:
    """All of them, each with its purpose."""
    check_nothing_asked(call)
    told = [{"usecase": word, "purpose": _TOLD[word][0], "description": _TOLD[word][1]} for word in USECASES]
    return json_reply(200, {"usecases": told})
