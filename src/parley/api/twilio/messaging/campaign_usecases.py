"""What campaigns may be for. Codes and who has to be asked: messaging v1, Usa2p/Usecases; the rest is our wording."""

from typing import Any, Final

from parley.api.http.endpoint import Call, Reply, json_reply
from parley.api.http.fault import Fault
from parley.api.twilio.messaging import registry_fields as fields
from parley.api.twilio.paths import resource_id
from parley.core.resources import Resources
from parley.lib import ids
from parley.model.registry import Brand
from parley.model.service import Service

SOLE_PROPRIETOR: Final = "SOLE_PROPRIETOR"

_TOLD: Final = (
    ("2FA", "Two-Factor authentication (2FA)", "One-time codes, and resets of passwords", False),
    ("ACCOUNT_NOTIFICATION", "Account Notification", "Reminders and news about an account or a booking", False),
    ("AGENTS_FRANCHISES", "Agents and Franchises", "Agents or branches of one brand, each with its own number", True),
    ("CHARITY", "Charity", "Registered charities, but no religious organizations", False),
    ("PROXY", "Proxy", "People who talk through pooled numbers without seeing each other's", True),
    ("CUSTOMER_CARE", "Customer Care", "Support, and the care of accounts", False),
    ("DELIVERY_NOTIFICATION", "Delivery Notification", "Where a delivery is", False),
    ("EMERGENCY", "Emergency", "Public safety and health in disasters and other emergencies", True),
    ("FRAUD_ALERT", "Fraud Alert Messaging", "Warnings of fraud", False),
    ("HIGHER_EDUCATION", "Higher Education", "Colleges, universities and school districts", False),
    ("K12_EDUCATION", "K-12 Education", "Platforms for schools up to the twelfth grade", True),
    ("LOW_VOLUME", "Low Volume Mixed", "A little of several of these", False),
    ("MARKETING", "Marketing", "Offers and promotions", False),
    ("MIXED", "Mixed", "Several of these", False),
    ("POLITICAL", "Political", "Election campaigns of organizations that were verified", False),
    ("POLLING_VOTING", "Polling and voting", "Surveys and votes that are not political", False),
    ("PUBLIC_SERVICE_ANNOUNCEMENT", "Public Service Announcement", "News that the public should have", False),
    ("SECURITY_ALERT", "Security Alert", "Warnings that a system may have been broken into", False),
    ("SOCIAL", "Social", "Communities of influencers and their followers", True),
    ("SWEEPSTAKE", "Sweepstake", "Sweepstakes and contests", True),
)
USECASES: Final[tuple[dict[str, Any], ...]] = tuple(
    {"code": code, "name": name, "description": text, "post_approval_required": needs}
    for code, name, text, needs in _TOLD
)
_OF_SOLE_PROPRIETORS: Final = {
    "code": SOLE_PROPRIETOR,
    "name": "Sole Proprietor",
    "description": "The few messages of a business of one person",
    "post_approval_required": False,
}


class CampaignUsecases:
    """The operation that lists them."""

    def __init__(self, services: Resources[Service], brands: Resources[Brand]) -> None:
        self._services = services
        self._brands = brands

    async def fetch(self, call: Call) -> Reply:
        """Those that a brand may choose from, or a standard brand when none is named."""
        await self._services.fetch(call.account.id, resource_id(call, ("MG",), "MessagingServiceSid"))
        form = call.arguments()
        form.allow(frozenset({"BrandRegistrationSid"}))
        sid, found = fields.sid(form, "BrandRegistrationSid", "BN"), USECASES
        if sid is not None:
            brand = await self._brands.find(call.account.id, ids.parse_sid(sid, ("BN",)) or b"")
            if brand is None:
                raise Fault("invalid_parameter", "BrandRegistrationSid names no brand of this account")
            if brand.value.kind == "sole_proprietor":
                found = (_OF_SOLE_PROPRIETORS,)
        return json_reply(200, {"us_app_to_person_usecases": found})
