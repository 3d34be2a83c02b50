"""Twilio's magic test numbers: addresses that are refused in a known way, whatever the account.

Source: Twilio's test credentials page (sending an SMS, buying a number).
"""

from typing import Final

from parley.core.refusal import Reason

PREFIX: Final = "+1500555"

SENDERS: Final[dict[str, Reason]] = {
    "+15005550001": "sender_invalid",
    "+15005550007": "sender_not_owned",
    "+15005550008": "queue_full",
}
GOOD: Final = "+15005550006"
"""Sends and can be bought by everyone."""
GOOD_AREA: Final = "500"
"""The area code in which test credentials find a number to buy."""
RECIPIENTS: Final[dict[str, Reason]] = {
    "+15005550001": "recipient_invalid",
    "+15005550002": "recipient_unroutable",
    "+15005550003": "country_not_enabled",
    "+15005550004": "opted_out",
    "+15005550009": "recipient_not_mobile",
}
PURCHASES: Final[dict[str, Reason]] = {
    "+15005550000": "number_unavailable",
    "+15005550001": "number_invalid",
}


def of_sender(address: str) -> Reason | None:
    """Why this sender is refused; None for every other address and for the good one."""
    if not address.startswith(PREFIX) or address == GOOD:
        return None
    return SENDERS.get(address, "sender_cannot_sms")


def of_recipient(address: str) -> Reason | None:
    """Why this recipient is refused, or None."""
    return RECIPIENTS.get(address) if address.startswith(PREFIX) else None
