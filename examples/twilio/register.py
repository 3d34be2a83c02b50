"""Register US long codes (A2P 10DLC): a brand, a campaign of a service, and the service's numbers come with it.

python register.py MG... BU... BU..., the SIDs of the service, of the customer profile and of the A2P profile.
"""

import time
from collections.abc import Callable
from typing import Any

from arguments import arguments
from parley_twilio import connect
from twilio.rest import Client

CAMPAIGN = {
    "us_app_to_person_usecase": "ACCOUNT_NOTIFICATION",
    "description": "Reminders of appointments, for customers who asked for them when they booked.",
    "message_flow": "Customers tick a box when they book at https://example.com, which says what they will get.",
    "message_samples": [
        "Example Clinic: see you tomorrow at 9:30. Reply STOP to opt out.",
        "Example Clinic: your appointment was moved to Friday at 14:00.",
    ],
    "has_embedded_links": False,
    "has_embedded_phone": False,
}


def register(
    client: Client, service: str, customer_profile: str, a2p_profile: str, wait: Callable[[], None]
) -> tuple[str, str]:
    """Submit a brand and, once it is approved, a campaign of a service; returns their SIDs. Reviews take their time."""
    brands = client.messaging.v1.brand_registrations
    brand = brands.create(customer_profile_bundle_sid=customer_profile, a2p_profile_bundle_sid=a2p_profile)
    while (reviewed := brands(brand.sid).fetch()).status == "PENDING":
        wait()
    if reviewed.status != "APPROVED":
        raise SystemExit(f"{brand.sid} is {reviewed.status}: {reviewed.failure_reason}")
    campaigns = client.messaging.v1.services(service).us_app_to_person
    return str(brand.sid), str(campaigns.create(brand_registration_sid=brand.sid, **CAMPAIGN).sid)


def state(client: Client, service: str, campaign: str) -> tuple[str, list[Any]]:
    """Tell how far the review is (`PENDING`, `VERIFIED`, `FAILED`...), and what was found wrong."""
    found = client.messaging.v1.services(service).us_app_to_person(campaign).fetch()
    return found.campaign_status, found.errors


if __name__ == "__main__":
    given = arguments(__doc__, service=str, customer_profile=str, a2p_profile=str)
    print(*register(connect(), *given, wait=lambda: time.sleep(5)))
