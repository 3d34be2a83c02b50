"""Campaigns: what a brand sends, and how recipients agreed. Source: SignalWire's campaign registry, campaigns."""

import re
from typing import Any, Final

from msgspec.structs import replace

from parley.api.http.endpoint import Call, Reply, json_reply
from parley.api.signalwire import pages, shapes
from parley.api.signalwire.fields import Fields
from parley.api.signalwire.paths import path_id
from parley.api.signalwire.registry.brands import BRANDS, FILTERS
from parley.api.signalwire.registry.states import state_of
from parley.core.review import Reviewing
from parley.lib.ids import to_uuid
from parley.model.registry import Brand, Campaign, Particulars
from parley.model.resource import Resource
from parley.webhooks.guard import Guard

CAMPAIGNS: Final = "/api/relay/rest/registry/beta/campaigns"
PARTNER: Final = frozenset({"name", "brand_id", "csp_campaign_reference", "status_callback_url"})
SAMPLES: Final = tuple(f"sample{n}" for n in range(1, 6))
FLAGS: Final = (
    "number_pooling_required",
    "direct_lending",
    "embedded_link",
    "embedded_phone",
    "age_gated_content",
    "lead_generation",
    "terms_and_conditions",
)
KEYWORDS: Final = {"opt_in_keywords": "START", "opt_out_keywords": "STOP", "help_keywords": "HELP"}
MANAGED: Final = frozenset(
    {
        "name",
        "brand_id",
        "sms_use_case",
        "sub_use_cases",
        "campaign_verify_token",
        "description",
        *SAMPLES,
        "dynamic_messages",
        "message_flow",
        "opt_in_message",
        "opt_out_message",
        "help_message",
        *KEYWORDS,
        "number_pooling_per_campaign",
        *FLAGS,
        "status_callback_url",
    }
)
_NAME: Final = (3, 64)
_LEAST_PROSE, _LEAST_MESSAGE = 40, 20
_REQUIRED_SAMPLES: Final = ("sample1", "sample2")
_MOST_SUB_USE_CASES: Final = 5
_SUB_USE_CASES: Final = {"MIXED": 2, "LOW_VOLUME_MIXED": 1}
"""The use cases that name others, and how many at least."""
_KEYWORDS: Final = re.compile(r"[^\s,]+(?:,[^\s,]+)*")


class Campaigns:
    """The operations on campaigns."""

    def __init__(self, reviewing: Reviewing, guard: Guard) -> None:
        self._reviewing = reviewing
        self._brands = reviewing.registry.brands
        self._campaigns = reviewing.registry.campaigns
        self._guard = guard

    async def list(self, call: Call) -> Reply:
        """GET: a brand's campaigns, newest first."""
        arguments = call.arguments()
        pages.allow(arguments, FILTERS)
        brand = await self._brands.fetch(call.account.id, path_id(call))
        name, state = arguments.one("filter_name") or "", arguments.one("filter_state")
        found = [
            campaign
            for campaign in await self._campaigns.family(call.account.id)
            if campaign.value.brand_id == brand.id
            and name.lower() in particulars(campaign.value).name.lower()
            and state in (None, "", state_of(campaign.value))
        ]
        path = f"{BRANDS}/{to_uuid(brand.id)}/campaigns"
        page = await pages.turn(path, arguments, pages.among(found))
        return json_reply(200, {"links": page.links, "data": [campaign_body(campaign) for campaign in page.items]})

    async def create(self, call: Call) -> Reply:
        """POST: register a campaign, which is decided after a while; or name one that was registered elsewhere."""
        given = call.json()
        brand = await self._brands.fetch(call.account.id, path_id(call))
        is_partner = bool(given.get("csp_campaign_reference"))
        fields = Fields(given, PARTNER if is_partner else MANAGED | {"csp_campaign_reference"})
        named = fields.id("brand_id", is_required=True)
        if named is not None and named != brand.id:
            fields.refuse("incompatible_parameters", "brand_id is not the brand in the path", "brand_id")
        campaign = self._partner(brand, fields) if is_partner else self._managed(brand, fields)
        fields.check()
        made = await self._reviewing.submit(self._campaigns, call.account.id, campaign)
        return json_reply(201, campaign_body(made))

    async def fetch(self, call: Call) -> Reply:
        """GET of one campaign."""
        pages.allow(call.arguments())
        return json_reply(200, campaign_body(await self._campaigns.fetch(call.account.id, path_id(call))))

    async def update(self, call: Call) -> Reply:
        """PUT: give a campaign another name, which is all of it that can change."""
        fields = Fields(call.json(), {"name"})
        name = fields.text("name", least=_NAME[0], most=_NAME[1])
        fields.check()

        def renamed(before: Resource[Campaign]) -> Resource[Campaign]:
            if name is None:
                return before
            known = replace(particulars(before.value), name=name)
            return replace(before, value=replace(before.value, particulars=known))

        return json_reply(200, campaign_body(await self._campaigns.change(call.account.id, path_id(call), renamed)))

    def _partner(self, brand: Resource[Brand], fields: Fields) -> Campaign:
        reference = fields.required("csp_campaign_reference")
        known = Particulars(
            name=fields.required("name", least=_NAME[0], most=_NAME[1]),
            csp_campaign_reference=reference,
            status_callback=fields.url("status_callback_url", self._guard),
        )
        return Campaign(brand_id=brand.id, registry_id=reference, particulars=known)

    def _managed(self, brand: Resource[Brand], fields: Fields) -> Campaign:
        usecase = fields.required("sms_use_case")
        flags = {name: fields.boolean(name, is_required=True) or False for name in FLAGS}
        if fields.given("terms_and_conditions") is False:
            rule = "terms_and_conditions must be true: the terms of the registry are agreed to by it"
            fields.refuse("invalid_parameter", rule, "terms_and_conditions")
        samples = [fields.text(name, is_required=name in _REQUIRED_SAMPLES, least=_LEAST_MESSAGE) for name in SAMPLES]
        return Campaign(
            brand_id=brand.id,
            usecase=usecase,
            description=fields.required("description", least=_LEAST_PROSE),
            message_flow=fields.required("message_flow", least=_LEAST_PROSE),
            samples=tuple(sample for sample in samples if sample is not None),
            has_embedded_links=flags["embedded_link"],
            has_embedded_phone=flags["embedded_phone"],
            age_gated=flags["age_gated_content"],
            direct_lending=flags["direct_lending"],
            opt_in_message=fields.text("opt_in_message", least=_LEAST_MESSAGE),
            opt_out_message=fields.required("opt_out_message", least=_LEAST_MESSAGE),
            help_message=fields.required("help_message", least=_LEAST_MESSAGE),
            opt_in_keywords=split_keywords(fields, "opt_in_keywords", fields.text("opt_in_keywords")),
            opt_out_keywords=split_keywords(fields, "opt_out_keywords", fields.text("opt_out_keywords")),
            help_keywords=split_keywords(fields, "help_keywords", fields.text("help_keywords")),
            particulars=Particulars(
                name=fields.required("name", least=_NAME[0], most=_NAME[1]),
                sub_use_cases=_sub_use_cases(fields, usecase),
                campaign_verify_token=fields.text("campaign_verify_token"),
                dynamic_messages=fields.text("dynamic_messages"),
                number_pooling_required=flags["number_pooling_required"],
                number_pooling_per_campaign=fields.text("number_pooling_per_campaign"),
                lead_generation=flags["lead_generation"],
                status_callback=fields.url("status_callback_url", self._guard),
            ),
        )


def particulars(campaign: Campaign) -> Particulars:
    """What only SignalWire asks of a campaign; of one that Twilio's API registered nobody was asked it."""
    return campaign.particulars or Particulars(name="")


def campaign_body(campaign: Resource[Campaign]) -> dict[str, Any]:
    """A campaign in SignalWire's shape."""
    value, known = campaign.value, particulars(campaign.value)
    samples = dict(zip(SAMPLES, (*value.samples, *[None] * len(SAMPLES)), strict=False))
    return {
        "id": to_uuid(campaign.id),
        "name": known.name,
        "state": state_of(value),
        "sms_use_case": value.usecase,
        "sub_use_cases": known.sub_use_cases,
        "campaign_verify_token": known.campaign_verify_token,
        "description": value.description,
        **samples,
        "dynamic_templates": known.dynamic_messages,
        "message_flow": value.message_flow,
        "opt_in_message": value.opt_in_message,
        "opt_out_message": value.opt_out_message,
        "help_message": value.help_message,
        **{name: ",".join(getattr(value, name)) or usual for name, usual in KEYWORDS.items()},
        "number_pooling_required": known.number_pooling_required,
        "number_pooling_per_campaign": known.number_pooling_per_campaign,
        "direct_lending": value.direct_lending,
        "embedded_link": value.has_embedded_links,
        "embedded_phone": value.has_embedded_phone,
        "age_gated_content": value.age_gated,
        "lead_generation": known.lead_generation,
        "csp_campaign_reference": known.csp_campaign_reference,
        "status_callback_url": known.status_callback,
        "created_at": shapes.at(campaign.created_at),
        "updated_at": shapes.at(campaign.updated_at),
    }


def split_keywords(fields: Fields, name: str, text: str | None) -> tuple[str, ...]:
    """The words of a text that has commas between them; none of none."""
    if not text:
        return ()
    if _KEYWORDS.fullmatch(text) is None:
        fields.refuse("incorrect_keyword_format", f"{name} must be words with commas between, and no spaces", name)
    return tuple(text.split(","))


def _sub_use_cases(fields: Fields, usecase: str) -> tuple[str, ...]:
    given, least = fields.texts("sub_use_cases"), _SUB_USE_CASES.get(usecase)
    if least is None and given:
        rule = f"sub_use_cases are for {' and '.join(_SUB_USE_CASES)}"
        fields.refuse("incompatible_parameters", rule, "sub_use_cases")
    elif least is not None and not least <= len(given) <= _MOST_SUB_USE_CASES:
        rule = f"{usecase} names {least} to {_MOST_SUB_USE_CASES} sub_use_cases"
        fields.refuse("invalid_parameter", rule, "sub_use_cases")
    return given
