"""A server of the strict profile, whose reviewers decide at once, and what is right to submit to them."""

from typing import Any, Final

import requests
from twilio.rest import Client

from tests.server import Server

BUNDLES: Final = {"customer_profile_bundle_sid": "BU" + "1" * 32, "a2p_profile_bundle_sid": "BU" + "2" * 32}
CAMPAIGN: Final[dict[str, Any]] = {
    "us_app_to_person_usecase": "DELIVERY_NOTIFICATION",
    "description": "News about orders, for customers who asked for them when they ordered.",
    "message_flow": "Customers tick a box at the checkout of https://acme.example to get news of their order by text.",
    "message_samples": [
        "Acme: your order 1234 was sent today. Reply STOP to opt out.",
        "Acme: your order 1234 has arrived. Thank you!",
    ],
    "has_embedded_links": False,
    "has_embedded_phone": False,
}
CHANGE: Final = {
    **{name: value for name, value in CAMPAIGN.items() if name != "us_app_to_person_usecase"},
    "age_gated": False,
    "direct_lending": False,
}


def tell(server: Server, **reviewers: Any) -> dict[str, Any]:
    """Tell the reviewers how to decide; returns how they do then."""
    answer = requests.put(f"{server.base_url}/simulator/reviewers", json=reviewers, auth=server.auth, timeout=30)
    answer.raise_for_status()
    told: dict[str, Any] = answer.json()
    return told


def decide(server: Server) -> None:
    """Have everything decided that is due."""
    server.run(server.app.reviewing.turn())


def own(server: Server, address: str) -> str:
    """Give the account a number; returns its SID."""
    numbers = server.app.numbers
    return "PN" + server.run(numbers.own(numbers.blank(server.account_id, address, "twilio"))).id.hex()


def approved_brand(server: Server, client: Client, **values: Any) -> str:
    """Return the SID of a brand that was approved."""
    brand = client.messaging.v1.brand_registrations.create(**BUNDLES, **values)
    decide(server)
    return str(brand.sid)


def outcome(server: Server, message: Any) -> tuple[str, int | None]:
    """Wait for what becomes of a message: its last status and its error code."""
    for _ in range(100):
        found = message.fetch()
        if found.status in ("delivered", "undelivered", "failed"):
            return found.status, found.error_code
        server.run(server.app.engine.wait_for_change(0.2))
    raise AssertionError(f"nothing became of it: {found.status}")
