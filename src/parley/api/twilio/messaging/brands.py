"""Brands and their vettings: submit, list, fetch, submit again. Source: messaging v1, a2p BrandRegistrations."""

from typing import Any, Final, Literal

from parley.api.http.endpoint import Call, Reply, json_reply
from parley.api.http.fault import Fault
from parley.api.twilio import collection, pages
from parley.api.twilio.messaging import registry_fields as fields
from parley.api.twilio.parameters import boolean, choice
from parley.api.twilio.paths import check_nothing_asked, resource_id
from parley.api.twilio.problems import Invalid
from parley.core.review import Registry, Reviewing
from parley.lib import ids
from parley.model.registry import Brand, Verdict, Vetting
from parley.model.resource import Resource

BRAND: Final = ("BN",)
_VETTING: Final = ("VT",)
_SUBMISSION: Final = frozenset(
    {"CustomerProfileBundleSid", "A2PProfileBundleSid", "BrandType", "Mock", "SkipAutomaticSecVet"}
)
_VETTING_SUBMISSION: Final = frozenset({"VettingProvider", "VettingId"})
_VETTING_FILTERS: Final = pages.PARAMETERS | {"VettingProvider"}
_PROVIDERS: Final = ("campaign-verify", "aegis")
_CLASSES: Final = {"campaign-verify": "POLITICAL", "aegis": "STANDARD"}
_STATUS: Final[dict[Verdict, str]] = {"pending": "PENDING", "approved": "APPROVED", "rejected": "FAILED"}
_VETTING_STATUS: Final[dict[Verdict, str]] = {"pending": "PENDING", "approved": "SUCCESS", "rejected": "FAILED"}
_REJECTED: Final = 30792
"""Of a brand's registration in general."""
_MOST_ID: Final = 500


class Brands:
    """The operations on brands and on their vettings."""

    def __init__(self, registry: Registry, reviewing: Reviewing) -> None:
        self._brands = registry.brands
        self._vettings = registry.vettings
        self._reviewing = reviewing

    async def create(self, call: Call) -> Reply:
        """Submit a brand."""
        form = call.form()
        form.allow(_SUBMISSION)
        for name in ("CustomerProfileBundleSid", "A2PProfileBundleSid"):
            fields.named(form, name, "BU")
        is_sole = choice(form, "BrandType", ("STANDARD", "SOLE_PROPRIETOR")) == "SOLE_PROPRIETOR"
        brand = Brand(
            kind="sole_proprietor" if is_sole else "standard",
            customer_profile=form.one("CustomerProfileBundleSid") or "",
            a2p_profile=form.one("A2PProfileBundleSid") or "",
            vets=not boolean(form, "SkipAutomaticSecVet"),
            is_mock=bool(boolean(form, "Mock")),
        )
        made = await self._reviewing.submit(self._brands, call.account.id, brand)
        return json_reply(201, _shown(call, made))

    async def list(self, call: Call) -> Reply:
        """A page of the account's brands, newest first."""
        form = call.arguments()
        form.allow(pages.PARAMETERS)
        page = pages.page_of(form)
        found = await self._brands.page(
            call.account.id, page.limit, page.after, backwards=page.backwards, skip=page.skip
        )
        return collection.list_reply(
            call, "data", form, page, found, lambda brand: brand.id, lambda brand: _shown(call, brand)
        )

    async def fetch(self, call: Call) -> Reply:
        """One brand."""
        check_nothing_asked(call)
        return json_reply(200, _shown(call, await self._brands.fetch(call.account.id, resource_id(call, BRAND))))

    async def update(self, call: Call) -> Reply:
        """Submit a brand that was rejected again, as it is: what it consists of stands in its bundles."""
        call.form().allow(frozenset())
        brand = await self._reviewing.resubmit(self._brands, call.account.id, resource_id(call, BRAND), _rejected)
        return json_reply(202, _shown(call, brand))

    async def create_vetting(self, call: Call) -> Reply:
        """Submit a third party's vetting of a brand."""
        brand = await self._parent(call)
        form = call.form()
        form.allow(_VETTING_SUBMISSION)
        provider = choice(form, "VettingProvider", _PROVIDERS)
        if provider is None:
            raise Fault("invalid_parameter", "VettingProvider is required", "VettingProvider")
        by: Literal["aegis", "campaign-verify"] = "aegis" if provider == "aegis" else "campaign-verify"
        vetting = Vetting(by, fields.optional(form, "VettingId", _MOST_ID))
        made = await self._reviewing.submit(self._vettings, call.account.id, vetting, parent_id=brand.id)
        return json_reply(201, _shown_vetting(call, made))

    async def list_vettings(self, call: Call) -> Reply:
        """A page of a brand's vettings, newest first."""
        brand = await self._parent(call)
        form = call.arguments()
        form.allow(_VETTING_FILTERS)
        page = pages.page_of(form)
        provider = choice(form, "VettingProvider", _PROVIDERS)
        family = await self._vettings.family(call.account.id, brand.id)
        found = [vetting for vetting in reversed(family) if provider in (None, vetting.value.provider)]
        return collection.list_reply(
            call,
            "data",
            form,
            page,
            pages.cut(page, found, lambda vetting: vetting.id),
            lambda vetting: vetting.id,
            lambda vetting: _shown_vetting(call, vetting),
        )

    async def fetch_vetting(self, call: Call) -> Reply:
        """One vetting."""
        check_nothing_asked(call)
        brand = await self._parent(call)
        vetting = await self._vettings.fetch(call.account.id, resource_id(call, _VETTING, "BrandVettingSid"))
        if vetting.parent_id != brand.id:
            raise Fault("not_found")
        return json_reply(200, _shown_vetting(call, vetting))

    async def _parent(self, call: Call) -> Resource[Brand]:
        return await self._brands.fetch(call.account.id, resource_id(call, BRAND, "BrandSid"))


def _rejected(brand: Resource[Brand]) -> Brand:
    if brand.value.verdict != "rejected":
        raise Invalid(21725, "Only a brand that was rejected can be submitted again")
    return brand.value


def _shown(call: Call, brand: Resource[Brand]) -> dict[str, Any]:
    value, sid = brand.value, ids.sid("BN", brand.id)
    url = collection.url_of(call, f"/v1/a2p/BrandRegistrations/{sid}")
    return {
        "sid": sid,
        "account_sid": ids.sid("AC", brand.account_id),
        "customer_profile_bundle_sid": value.customer_profile,
        "a2p_profile_bundle_sid": value.a2p_profile,
        "date_created": collection.iso(brand.created_at),
        "date_updated": collection.iso(brand.updated_at),
        "brand_type": value.kind.upper(),
        "status": _STATUS[value.verdict],
        "tcr_id": value.registry_id,
        "failure_reason": " ".join(objection.text for objection in value.objections) or None,
        "errors": fields.errors(value.objections, {}, _REJECTED),
        "url": url,
        "brand_score": value.score,
        "brand_feedback": None,
        "identity_status": _identity(value),
        "russell_3000": False,
        "government_entity": False,
        "tax_exempt_status": None,
        "skip_automatic_sec_vet": not value.vets,
        "mock": value.is_mock,
        "links": {"brand_vettings": f"{url}/Vettings", "brand_registration_otps": f"{url}/SmsOtp"},
    }


def _identity(brand: Brand) -> str:
    if brand.verdict == "pending":
        return "SELF_DECLARED"
    if brand.verdict == "rejected":
        return "UNVERIFIED"
    return "VETTED_VERIFIED" if brand.is_vetted else "VERIFIED"


def _shown_vetting(call: Call, vetting: Resource[Vetting]) -> dict[str, Any]:
    value, sid = vetting.value, ids.sid("VT", vetting.id)
    brand = ids.sid("BN", vetting.parent_id or b"")
    return {
        "account_sid": ids.sid("AC", vetting.account_id),
        "brand_sid": brand,
        "brand_vetting_sid": sid,
        "date_updated": collection.iso(vetting.updated_at),
        "date_created": collection.iso(vetting.created_at),
        "vetting_id": value.vetting_id,
        "vetting_class": _CLASSES[value.provider],
        "vetting_status": _VETTING_STATUS[value.verdict],
        "vetting_provider": value.provider,
        "url": collection.url_of(call, f"/v1/a2p/BrandRegistrations/{brand}/Vettings/{sid}"),
    }
