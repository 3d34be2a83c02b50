"""The campaign registry in the words of SignalWire's messaging guide: other paths and names, the same things.

`/api/messaging/brands` and `/api/messaging/campaigns` are not in SignalWire's API; apps that follow the guide ask them.
"""

from typing import Any, Final, get_args

from parley.api.http.endpoint import Call, Reply, json_reply
from parley.api.signalwire import pages
from parley.api.signalwire.fields import Fields
from parley.api.signalwire.paths import path_id
from parley.api.signalwire.registry.brands import brand_body
from parley.api.signalwire.registry.campaigns import campaign_body, particulars, split_keywords
from parley.core.registration import Registration
from parley.core.review import Reviewing
from parley.lib.ids import to_uuid
from parley.model.registry import Brand, Campaign, Company, LegalEntity, Particulars, Vertical
from parley.model.resource import Resource
from parley.webhooks.guard import Guard

BRANDS: Final = "/api/messaging/brands"
CAMPAIGNS: Final = "/api/messaging/campaigns"
BRAND: Final = frozenset(
    {"legal_name", "ein", "business_type", "email", "phone", "address", "website", "vertical", "status_callback_url"}
)
CAMPAIGN: Final = frozenset(
    {
        "brand_id",
        "name",
        "use_case",
        "description",
        "sample_messages",
        "message_volume",
        "opt_in_workflow",
        "opt_out_keywords",
        "status_callback_url",
    }
)
_ENTITIES: Final[dict[str, LegalEntity]] = {
    "corporation": "PRIVATE_PROFIT",
    "llc": "PRIVATE_PROFIT",
    "partnership": "PRIVATE_PROFIT",
    "sole_proprietor": "PRIVATE_PROFIT",
    "private": "PRIVATE_PROFIT",
    "public": "PUBLIC_PROFIT",
    "non_profit": "NON_PROFIT",
    "nonprofit": "NON_PROFIT",
    "government": "GOVERNMENT",
}
_ADDRESS: Final = ("street", "city", "state", "postal_code", "country")


class Guide:
    """The guide's operations."""

    def __init__(self, reviewing: Reviewing, registration: Registration, guard: Guard) -> None:
        self._reviewing = reviewing
        self._registration = registration
        self._brands = reviewing.registry.brands
        self._campaigns = reviewing.registry.campaigns
        self._guard = guard

    async def create_brand(self, call: Call) -> Reply:
        """POST: register a brand."""
        fields = Fields(call.json(), BRAND)
        name, address = fields.required("legal_name"), _address(fields)
        company = Company(
            name=name,
            company_name=name,
            contact_email=fields.required("email"),
            contact_phone=fields.text("phone") or "",
            ein_issuing_country=address.get("country", "US"),
            legal_entity_type=_ENTITIES[fields.choice("business_type", _ENTITIES) or "corporation"],
            ein=fields.required("ein"),
            company_address=", ".join(address.values()),
            company_vertical=fields.choice("vertical", get_args(Vertical)),
            company_website=fields.text("website") or "",
            status_callback=fields.url("status_callback_url", self._guard),
        )
        fields.check()
        made = await self._reviewing.submit(self._brands, call.account.id, Brand(company=company))
        return json_reply(201, _brand(made))

    async def create_campaign(self, call: Call) -> Reply:
        """POST: register a campaign. Its texts may be shorter than the registry's own API has them."""
        fields = Fields(call.json(), CAMPAIGN)
        brand = fields.id("brand_id", is_required=True)
        usecase = fields.required("use_case")
        campaign = Campaign(
            brand_id=brand,
            usecase=usecase,
            description=fields.required("description"),
            message_flow=fields.text("opt_in_workflow") or "",
            samples=fields.texts("sample_messages", is_required=True, most=5),
            opt_out_keywords=split_keywords(fields, "opt_out_keywords", ",".join(fields.texts("opt_out_keywords"))),
            particulars=Particulars(
                name=fields.text("name") or usecase,
                message_volume=fields.text("message_volume"),
                status_callback=fields.url("status_callback_url", self._guard),
            ),
        )
        if brand is not None and await self._brands.find(call.account.id, brand) is None:
            fields.refuse("invalid_parameter", "brand_id is not a brand of this project", "brand_id")
        fields.check()
        made = await self._reviewing.submit(self._campaigns, call.account.id, campaign)
        return json_reply(201, await self._campaign(made))

    async def fetch_brand(self, call: Call) -> Reply:
        """GET of one brand."""
        pages.allow(call.arguments())
        return json_reply(200, _brand(await self._brands.fetch(call.account.id, path_id(call))))

    async def fetch_campaign(self, call: Call) -> Reply:
        """GET of one campaign, with its `throughput` in segments a second."""
        pages.allow(call.arguments())
        return json_reply(200, await self._campaign(await self._campaigns.fetch(call.account.id, path_id(call))))

    async def _campaign(self, campaign: Resource[Campaign]) -> dict[str, Any]:
        value, told = campaign.value, campaign_body(campaign)
        brand = None if value.brand_id is None else await self._brands.find(campaign.account_id, value.brand_id)
        return {
            **told,
            "status": told["state"],
            "brand_id": None if value.brand_id is None else to_uuid(value.brand_id),
            "use_case": value.usecase,
            "sample_messages": value.samples,
            "message_volume": particulars(value).message_volume,
            "opt_in_workflow": value.message_flow,
            "opt_out_keywords": value.opt_out_keywords,
            "throughput": None if brand is None else self._registration.terms.rate(brand.value.tier),
        }


def _brand(brand: Resource[Brand]) -> dict[str, Any]:
    told = brand_body(brand)
    return {**told, "status": told["state"], "legal_name": told["company_name"]}


def _address(fields: Fields) -> dict[str, str]:
    """What was given of an address, in the order in which it is written."""
    given = fields.given("address")
    if given is not None and not isinstance(given, dict):
        fields.refuse("must_be_object", "address must be an object", "address")
    parts = Fields(given if isinstance(given, dict) else {}, _ADDRESS)
    texts = {name: text for name in _ADDRESS if (text := parts.text(name)) is not None}
    for problem in parts.problems:
        fields.refuse(problem.code, problem.message, f"address.{problem.attribute}")
    return texts
