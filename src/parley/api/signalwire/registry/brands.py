"""Brands: who sends. Source: SignalWire's campaign registry, brands; the guides' `/api/messaging/brands`."""

from typing import Any, Final, get_args

from parley.api.http.endpoint import Call, Reply, json_reply
from parley.api.signalwire import pages, shapes
from parley.api.signalwire.fields import Fields
from parley.api.signalwire.paths import path_id
from parley.api.signalwire.registry.states import state_of
from parley.core.review import Reviewing
from parley.lib.ids import to_uuid
from parley.model.registry import Brand, Company, LegalEntity, Vertical
from parley.model.resource import Resource
from parley.webhooks.guard import Guard

BRANDS: Final = "/api/relay/rest/registry/beta/brands"
MANAGED: Final = frozenset(
    {
        "name",
        "company_name",
        "contact_email",
        "contact_phone",
        "ein_issuing_country",
        "legal_entity_type",
        "ein",
        "company_address",
        "company_vertical",
        "company_website",
        "status_callback_url",
    }
)
SELF_REGISTERED: Final = frozenset({"csp_self_registered", "name", "csp_brand_reference", "status_callback_url"})
FILTERS: Final = pages.PARAMETERS | {"filter_name", "filter_state"}
_LEAST, _MOST = 3, 64
"""Characters of the short texts."""


class Brands:
    """The operations on brands."""

    def __init__(self, reviewing: Reviewing, guard: Guard) -> None:
        self._reviewing = reviewing
        self._brands = reviewing.registry.brands
        self._guard = guard

    async def list(self, call: Call) -> Reply:
        """GET: those that this API or Twilio's registered, newest first. `filter_name` is a part of the name."""
        arguments = call.arguments()
        pages.allow(arguments, FILTERS)
        name, state = arguments.one("filter_name") or "", arguments.one("filter_state")
        found = [
            brand
            for brand in await self._brands.family(call.account.id)
            if name.lower() in _name(brand.value).lower() and state in (None, "", state_of(brand.value))
        ]
        page = await pages.turn(BRANDS, arguments, pages.among(found))
        return json_reply(200, {"links": page.links, "data": [brand_body(brand) for brand in page.items]})

    async def create(self, call: Call) -> Reply:
        """POST: register a brand, which is decided after a while; or name one that was registered elsewhere."""
        given = call.json()
        is_elsewhere = given.get("csp_self_registered") is True
        fields = Fields(given, SELF_REGISTERED if is_elsewhere else MANAGED | {"csp_self_registered"})
        fields.boolean("csp_self_registered")
        company = self._elsewhere(fields) if is_elsewhere else self._managed(fields)
        fields.check()
        brand = Brand(company=company, registry_id=company.csp_brand_reference)
        return json_reply(201, brand_body(await self._reviewing.submit(self._brands, call.account.id, brand)))

    async def fetch(self, call: Call) -> Reply:
        """GET of one brand."""
        pages.allow(call.arguments())
        return json_reply(200, brand_body(await self._brands.fetch(call.account.id, path_id(call))))

    def _elsewhere(self, fields: Fields) -> Company:
        return Company(
            name=fields.required("name", least=_LEAST, most=_MOST),
            csp_brand_reference=fields.required("csp_brand_reference"),
            status_callback=fields.url("status_callback_url", self._guard),
        )

    def _managed(self, fields: Fields) -> Company:
        return Company(
            name=fields.required("name", least=_LEAST, most=_MOST),
            company_name=fields.required("company_name", least=_LEAST, most=_MOST),
            contact_email=fields.required("contact_email", least=_LEAST, most=_MOST),
            contact_phone=fields.required("contact_phone", least=_LEAST, most=_MOST),
            ein_issuing_country=fields.required("ein_issuing_country"),
            legal_entity_type=fields.choice("legal_entity_type", get_args(LegalEntity), is_required=True) or "",
            ein=fields.required("ein"),
            company_address=fields.required("company_address"),
            company_vertical=fields.choice("company_vertical", get_args(Vertical)),
            company_website=fields.required("company_website"),
            status_callback=fields.url("status_callback_url", self._guard),
        )


def brand_body(brand: Resource[Brand]) -> dict[str, Any]:
    """A brand in SignalWire's shape. What Twilio's API registered has no particulars."""
    company = brand.value.company or Company(name="")
    return {
        "id": to_uuid(brand.id),
        "state": state_of(brand.value),
        "name": company.name,
        "company_name": company.company_name,
        "contact_email": company.contact_email,
        "contact_phone": company.contact_phone,
        "ein_issuing_country": company.ein_issuing_country,
        "legal_entity_type": company.legal_entity_type,
        "ein": company.ein,
        "company_address": company.company_address,
        "company_vertical": company.company_vertical,
        "company_website": company.company_website,
        "csp_brand_reference": company.csp_brand_reference,
        "csp_self_registered": company.csp_brand_reference is not None,
        "status_callback_url": company.status_callback,
        "created_at": shapes.at(brand.created_at),
        "updated_at": shapes.at(brand.updated_at),
    }


def _name(brand: Brand) -> str:
    return "" if brand.company is None else brand.company.name
