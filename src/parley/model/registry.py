"""The registry of who may send to North America: brands, their vettings and campaigns, and verified toll-free numbers.

The words are our own: each dialect spells them in its own way. Source of the fields: messaging v1, a2p and Tollfree.
"""

from typing import Annotated, Literal

import msgspec

Verdict = Literal["pending", "approved", "rejected"]
"""pending: not decided yet. What was approved and is changed stays so until it is decided again."""

Flaw = Literal[
    "brand",
    "description",
    "embedded_links",
    "embedded_phone",
    "message_flow",
    "opt_out_language",
    "opt_in_evidence",
    "sample_count",
    "sample_length",
    "told",
]
"""What a reviewer objects to. told: what the operator told the reviewers to say."""

Tier = Literal["low", "medium", "high"]
"""How far a brand is trusted, which its pace follows from."""

MEDIUM_FROM = 50
HIGH_FROM = 75
"""Trust scores (0 to 100) from which on a brand is of that tier. Source: Twilio's article on throughput and scores."""
MOST_UNVETTED = 49
"""The highest score of a brand that nobody vetted."""

LegalEntity = Literal["PRIVATE_PROFIT", "PUBLIC_PROFIT", "NON_PROFIT", "GOVERNMENT"]
Vertical = Literal[
    "AGRICULTURE",
    "COMMUNICATION",
    "CONSTRUCTION",
    "EDUCATION",
    "ENERGY",
    "ENTERTAINMENT",
    "FINANCIAL",
    "GAMBLING",
    "GOVERNMENT",
    "HEALTHCARE",
    "HOSPITALITY",
    "HUMAN_RESOURCES",
    "INSURANCE",
    "LEGAL",
    "MANUFACTURING",
    "NGO",
    "POLITICAL",
    "POSTAL",
    "PROFESSIONAL",
    "REAL_ESTATE",
    "RETAIL",
    "TECHNOLOGY",
    "TRANSPORTATION",
]
"""What a brand's business is."""

EDITABLE_US = 7 * 86_400_000_000
"""A rejected verification can be edited for seven days."""


class Objection(msgspec.Struct, frozen=True):
    """Why something was rejected: the flaw, the field that has it, and a sentence about it."""

    flaw: Flaw
    field: str
    text: str


class Company(msgspec.Struct, frozen=True):
    """A business in its own words. Source of the fields: SignalWire's campaign registry, Brand."""

    name: str
    """What its owner calls the brand."""
    company_name: str = ""
    contact_email: str = ""
    contact_phone: str = ""
    ein_issuing_country: str = ""
    legal_entity_type: str = ""
    ein: str = ""
    company_address: str = ""
    company_vertical: str | None = None
    company_website: str = ""
    csp_brand_reference: str | None = None
    """Its name at the campaign registry, where its owner registered it there."""
    status_callback: str | None = None


class Brand(msgspec.Struct, frozen=True):
    """A business that sends, as the campaign registry knows it."""

    kind: Literal["standard", "sole_proprietor"] = "standard"
    customer_profile: str = ""
    """SID of a bundle that describes the business; Parley keeps none."""
    a2p_profile: str = ""
    vets: bool = True
    """Vetted by a third party along with its registration."""
    is_mock: bool = False
    verdict: Verdict = "pending"
    objections: tuple[Objection, ...] = ()
    score: int | None = None
    """Trust, from 0 to 100; None before it is approved."""
    is_vetted: bool = False
    registry_id: str | None = None
    """Its name at the campaign registry, once approved."""
    company: Company | None = None
    """What SignalWire's API was told of it."""

    @property
    def tier(self) -> Tier:
        """How far it is trusted."""
        score = self.score or 0
        return "high" if score >= HIGH_FROM else "medium" if score >= MEDIUM_FROM else "low"


class Vetting(msgspec.Struct, frozen=True):
    """A third party's look at a brand, which is the resource's parent."""

    provider: Literal["aegis", "campaign-verify"]
    vetting_id: str | None = None
    """The third party's name for it."""
    verdict: Verdict = "pending"
    objections: tuple[Objection, ...] = ()


class Particulars(msgspec.Struct, frozen=True):
    """What only SignalWire asks of a campaign. Source of the fields: its campaign registry, Campaign."""

    name: str
    sub_use_cases: tuple[str, ...] = ()
    campaign_verify_token: str | None = None
    dynamic_messages: str | None = None
    number_pooling_required: bool = False
    number_pooling_per_campaign: str | None = None
    lead_generation: bool = False
    csp_campaign_reference: str | None = None
    """Its name at the campaign registry, where its owner registered it there."""
    message_volume: str | None = None
    """Of the guides."""
    status_callback: str | None = None


class Campaign(msgspec.Struct, frozen=True):
    """What a brand sends, and how recipients agreed to it.

    Its parent is the messaging service whose numbers send. One that SignalWire's API registered has none: numbers are
    assigned to it one by one.
    """

    brand_id: bytes | None
    """None where it was registered elsewhere."""
    usecase: str = ""
    description: str = ""
    message_flow: str = ""
    """How recipients opt in."""
    samples: tuple[str, ...] = ()
    has_embedded_links: bool = False
    has_embedded_phone: bool = False
    subscriber_opt_in: bool = False
    age_gated: bool = False
    direct_lending: bool = False
    opt_in_message: str | None = None
    opt_out_message: str | None = None
    help_message: str | None = None
    opt_in_keywords: tuple[str, ...] = ()
    opt_out_keywords: tuple[str, ...] = ()
    help_keywords: tuple[str, ...] = ()
    privacy_policy_url: str | None = None
    terms_and_conditions_url: str | None = None
    is_mock: bool = False
    verdict: Verdict = "pending"
    objections: tuple[Objection, ...] = ()
    registry_id: str | None = None
    """Its name at the campaign registry, once approved; given where it was registered elsewhere."""
    particulars: Particulars | None = None
    """What SignalWire's API was told of it."""


class Order(msgspec.Struct, frozen=True):
    """Numbers that are to be assigned to a campaign, which is the resource's parent."""

    brand_id: bytes
    numbers: tuple[str, ...]
    state: Literal["pending", "processing", "processed", "failed"] = "pending"
    processed_at: int | None = None
    status_callback: str | None = None


class Assignment(msgspec.Struct, frozen=True):
    """A number's place in a campaign, which is the resource's parent. Its name is the number, unless it failed."""

    brand_id: bytes
    order_id: bytes
    number_id: bytes
    address: str
    state: Literal["pending", "completed", "failed"] = "pending"
    status_callback: str | None = None


class TollFreeVerification(msgspec.Struct, frozen=True):
    """Who sends what from a toll-free number, to be verified before it may. Its name is the number."""

    number_id: bytes
    business_name: str
    business_website: str
    notification_email: str
    use_case_categories: tuple[str, ...]
    use_case_summary: str
    production_message_sample: str
    opt_in_image_urls: tuple[str, ...]
    opt_in_type: str
    message_volume: str
    customer_profile_sid: str | None = None
    business_street_address: str | None = None
    business_street_address2: str | None = None
    business_city: str | None = None
    business_state_province_region: str | None = None
    business_postal_code: str | None = None
    business_country: str | None = None
    additional_information: str | None = None
    business_contact_first_name: str | None = None
    business_contact_last_name: str | None = None
    business_contact_email: str | None = None
    business_contact_phone: str | None = None
    external_reference_id: str | None = None
    business_registration_number: str | None = None
    business_registration_authority: str | None = None
    business_registration_country: str | None = None
    business_type: str | None = None
    business_registration_phone_number: str | None = None
    doing_business_as: str | None = None
    opt_in_confirmation_message: str | None = None
    help_message_sample: str | None = None
    privacy_policy_url: str | None = None
    terms_and_conditions_url: str | None = None
    age_gated_content: bool | None = None
    opt_in_keywords: tuple[str, ...] = ()
    vetting_provider: str | None = None
    vetting_id: str | None = None
    edit_reason: str | None = None
    verdict: Verdict = "pending"
    objections: tuple[Objection, ...] = ()
    editable_until: int | None = None
    """A rejected one can be edited until then."""


class Reviewers(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How the simulator's reviewers decide.

    rules    by what stands in it, in review_rules.py
    approve  whatever it is
    reject   whatever it is, for `reason`
    hold     not at all, until told otherwise
    """

    delay_s: Annotated[float, msgspec.Meta(ge=0, le=2_592_000)] = 2.0
    """Seconds from submission to decision."""
    verdict: Literal["rules", "approve", "reject", "hold"] = "rules"
    reason: Annotated[str, msgspec.Meta(max_length=1000)] = ""
    score: Annotated[int, msgspec.Meta(ge=0, le=100)] = MEDIUM_FROM
    """What vetted brands are trusted with."""
