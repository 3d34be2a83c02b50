"""Campaigns of messaging services: submit, list, fetch, change, drop. Source: messaging v1, Compliance/Usa2p."""

from typing import Any, Final

from parley.api.http.decode import Form
from parley.api.http.endpoint import NO_CONTENT, Call, Reply, json_reply
from parley.api.http.fault import Fault
from parley.api.twilio import collection, pages
from parley.api.twilio.messaging import registry_fields as fields
from parley.api.twilio.messaging.campaign_form import (
    CHANGE,
    SUBMISSION,
    described,
    missing,
    required,
    required_flag,
    worded,
)
from parley.api.twilio.messaging.campaign_usecases import SOLE_PROPRIETOR, USECASES
from parley.api.twilio.parameters import boolean
from parley.api.twilio.paths import check_nothing_asked, resource_id
from parley.api.twilio.problems import Invalid
from parley.api.twilio.urls import Urls
from parley.core.refusal import Refused
from parley.core.registration import Terms
from parley.core.resources import Resources
from parley.core.review import Registry, Reviewing
from parley.lib import ids
from parley.model.consent import Replies
from parley.model.registry import Brand, Campaign, Flaw, Verdict
from parley.model.resource import Resource
from parley.model.service import Service

CAMPAIGN: Final = ("QE",)
_SERVICE: Final = ("MG",)
_EXTERNAL: Final = frozenset({"CampaignId", "MessagingServiceSid", "CnpMigration"})
_STATUS: Final[dict[Verdict, str]] = {"pending": "PENDING", "approved": "VERIFIED", "rejected": "FAILED"}
_CODES: Final[dict[Flaw, int]] = {
    "embedded_links": 30893,
    "embedded_phone": 30893,
    "message_flow": 30909,
    "opt_out_language": 30893,
    "sample_count": 30893,
    "sample_length": 30893,
}
"""Source: twilio.com/docs/api/errors. The others have the code of rejections by carriers."""
_REJECTED: Final = 30899
_EXTENDED: Final = "v1.2"
"""The X-Twilio-Api-Version whose campaigns tell the URLs of their policies."""
_MOST_ID: Final = 255
_NOT_FOR_BRAND: Final = 21717


class Campaigns:
    """The operations on campaigns. `replies` are the platform's own, which a campaign without its own has."""

    def __init__(
        self,
        services: Resources[Service],
        registry: Registry,
        reviewing: Reviewing,
        terms: Terms,
        replies: Replies,
        urls: Urls,
    ) -> None:
        self._services = services
        self._registry = registry
        self._campaigns = registry.campaigns
        self._reviewing = reviewing
        self._terms = terms
        self._replies = replies
        self._urls = urls

    async def create(self, call: Call) -> Reply:
        """Submit a campaign for a service that has none yet."""
        service = await self._service(call)
        form = call.form()
        form.allow(SUBMISSION)
        brand = await self._brand(call, form)
        campaign = Campaign(brand.id, usecase=await self._usecase(brand, form), is_mock=brand.value.is_mock)
        campaign = described(worded(campaign, form, self._replies), form, self._urls)
        made = await self._submit(call, service.id, campaign)
        return json_reply(201, await self._shown(call, made))

    async def list(self, call: Call) -> Reply:
        """The campaign of a service, if it has one."""
        service = await self._service(call)
        form = call.arguments()
        form.allow(pages.PARAMETERS)
        page = pages.page_of(form)
        found = await self._campaigns.page(
            call.account.id,
            page.limit,
            page.after,
            parent_id=service.id,
            backwards=page.backwards,
            skip=page.skip,
        )
        shown = {campaign.id: await self._shown(call, campaign) for campaign in found}
        return collection.list_reply(
            call, "compliance", form, page, found, lambda campaign: campaign.id, lambda campaign: shown[campaign.id]
        )

    async def fetch(self, call: Call) -> Reply:
        """One campaign."""
        check_nothing_asked(call)
        return json_reply(200, await self._shown(call, await self._named(call)))

    async def update(self, call: Call) -> Reply:
        """Describe a campaign anew, and submit it again. One that was approved stays so until it is decided."""
        campaign = await self._named(call)
        form = call.form()
        form.allow(CHANGE)
        for name in ("AgeGated", "DirectLending"):
            required_flag(form, name)
        changed = await self._reviewing.resubmit(
            self._campaigns, call.account.id, campaign.id, lambda before: described(before.value, form, self._urls)
        )
        return json_reply(200, await self._shown(call, changed))

    async def delete(self, call: Call) -> Reply:
        """Drop a campaign: the service's numbers are unregistered from then on."""
        check_nothing_asked(call)
        await self._campaigns.drop(call.account.id, (await self._named(call)).id)
        return NO_CONTENT

    async def create_external(self, call: Call) -> Reply:
        """Submit a campaign that was registered elsewhere, under its name there."""
        form = call.form()
        form.allow(_EXTERNAL)
        campaign = Campaign(None, registry_id=required(form, "CampaignId", _MOST_ID))
        boolean(form, "CnpMigration")
        service = await self._services.find(call.account.id, fields.named(form, "MessagingServiceSid", "MG"))
        if service is None:
            raise Fault("invalid_parameter", "MessagingServiceSid names no service of this account")
        made = await self._submit(call, service.id, campaign)
        return json_reply(
            201,
            {
                "sid": ids.sid("QE", made.id),
                "account_sid": ids.sid("AC", made.account_id),
                "campaign_id": made.value.registry_id,
                "messaging_service_sid": ids.sid("MG", service.id),
                "date_created": collection.iso(made.created_at),
            },
        )

    async def _service(self, call: Call) -> Resource[Service]:
        return await self._services.fetch(call.account.id, resource_id(call, _SERVICE, "MessagingServiceSid"))

    async def _named(self, call: Call) -> Resource[Campaign]:
        service = await self._service(call)
        campaign = await self._campaigns.fetch(call.account.id, resource_id(call, CAMPAIGN))
        if campaign.parent_id != service.id:
            raise Fault("not_found")
        return campaign

    async def _submit(self, call: Call, service_id: bytes, campaign: Campaign) -> Resource[Campaign]:
        try:
            return await self._reviewing.submit(
                self._campaigns, call.account.id, campaign, parent_id=service_id, name=service_id.hex()
            )
        except Refused as refused:
            if refused.reason != "name_taken":
                raise
            raise Invalid(20001, "The messaging service has a campaign already", "MessagingServiceSid") from None

    async def _brand(self, call: Call, form: Form) -> Resource[Brand]:
        name = "BrandRegistrationSid"
        sid = form.one(name)
        if not sid:
            raise missing(name)
        brand_id = ids.parse_sid(sid, ("BN",))
        brand = None if brand_id is None else await self._registry.brands.find(call.account.id, brand_id)
        if brand is None:
            raise Invalid(_NOT_FOR_BRAND, f"{name} names no brand of this account", name)
        if brand.value.verdict != "approved":
            raise Invalid(_NOT_FOR_BRAND, "The brand is not approved: wait for it, or submit it again", name)
        return brand

    async def _usecase(self, brand: Resource[Brand], form: Form) -> str:
        name = "UsAppToPersonUsecase"
        usecase = form.one(name)
        if not usecase:
            raise missing(name)
        if usecase != SOLE_PROPRIETOR and usecase not in {each["code"] for each in USECASES}:
            raise Invalid(21720, f"{name} must be one of those that Usecases tells", name)
        if (usecase == SOLE_PROPRIETOR) != (brand.value.kind == "sole_proprietor"):
            raise Invalid(_NOT_FOR_BRAND, f"A {brand.value.kind} brand has no campaign of this use case", name)
        if usecase == SOLE_PROPRIETOR and any(
            campaign.value.brand_id == brand.id for campaign in await self._campaigns.family(brand.account_id)
        ):
            raise Invalid(21732, "A sole_proprietor brand has one campaign at most", name)
        return usecase

    async def _shown(self, call: Call, campaign: Resource[Campaign]) -> dict[str, Any]:
        value, account_id = campaign.value, campaign.account_id
        brand = None if value.brand_id is None else await self._registry.brands.find(account_id, value.brand_id)
        sid, service = ids.sid("QE", campaign.id), ids.sid("MG", campaign.parent_id or b"")
        shown = {
            "sid": sid,
            "account_sid": ids.sid("AC", account_id),
            "brand_registration_sid": None if brand is None else ids.sid("BN", brand.id),
            "messaging_service_sid": service,
            "description": value.description,
            "message_samples": list(value.samples),
            "us_app_to_person_usecase": value.usecase,
            "has_embedded_links": value.has_embedded_links,
            "has_embedded_phone": value.has_embedded_phone,
            "subscriber_opt_in": value.subscriber_opt_in,
            "age_gated": value.age_gated,
            "direct_lending": value.direct_lending,
            "campaign_status": _STATUS[value.verdict],
            "campaign_id": value.registry_id,
            "is_externally_registered": value.brand_id is None,
            "rate_limits": self._limits(value, brand),
            "message_flow": value.message_flow,
            "opt_in_message": value.opt_in_message,
            "opt_out_message": value.opt_out_message,
            "help_message": value.help_message,
            "opt_in_keywords": list(value.opt_in_keywords),
            "opt_out_keywords": list(value.opt_out_keywords),
            "help_keywords": list(value.help_keywords),
            "date_created": collection.iso(campaign.created_at),
            "date_updated": collection.iso(campaign.updated_at),
            "url": collection.url_of(call, f"/v1/Services/{service}/Compliance/Usa2p/{sid}"),
            "mock": value.is_mock,
            "errors": fields.errors(value.objections, _CODES, _REJECTED),
        }
        if call.header(b"x-twilio-api-version") == _EXTENDED:
            shown["privacy_policy_url"] = value.privacy_policy_url
            shown["terms_and_conditions_url"] = value.terms_and_conditions_url
        return shown

    def _limits(self, campaign: Campaign, brand: Resource[Brand] | None) -> dict[str, Any] | None:
        """What the campaign may send: segments a second, and its brand's tier."""
        if brand is None or campaign.verdict != "approved":
            return None
        tier = brand.value.tier
        return {"att": {"mps": self._terms.rate(tier)}, "tmobile": {"brand_tier": tier.upper()}}
