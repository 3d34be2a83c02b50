"""Read what is told of a campaign. Source: messaging v1, Compliance/Usa2p."""

from typing import Final

from msgspec.structs import replace

from parley.api.http.decode import Form
from parley.api.http.fault import Fault
from parley.api.twilio.messaging import registry_fields as fields
from parley.api.twilio.parameters import boolean
from parley.api.twilio.urls import Urls
from parley.model.consent import KEYWORDS, OptOutType, Replies
from parley.model.registry import Campaign

CHANGE: Final = frozenset(
    {
        "HasEmbeddedLinks",
        "HasEmbeddedPhone",
        "MessageSamples",
        "MessageFlow",
        "Description",
        "AgeGated",
        "DirectLending",
        "PrivacyPolicyUrl",
        "TermsAndConditionsUrl",
    }
)
SUBMISSION: Final = CHANGE | {
    "BrandRegistrationSid",
    "UsAppToPersonUsecase",
    "OptInMessage",
    "OptOutMessage",
    "HelpMessage",
    "OptInKeywords",
    "OptOutKeywords",
    "HelpKeywords",
    "SubscriberOptIn",
}
_URLS: Final = (
    ("PrivacyPolicyUrl", "privacy_policy_url"),
    ("TermsAndConditionsUrl", "terms_and_conditions_url"),
)
_SAMPLES: Final = 5
_LEAST_WORDS: Final = 20
_MOST_WORDS: Final = 320
_MOST_KEYWORDS: Final = 255


def worded(campaign: Campaign, form: Form, replies: Replies) -> Campaign:
    """A campaign with its keywords and their answers, or the platform's own. Raises Fault(invalid_parameter)."""
    return replace(
        campaign,
        subscriber_opt_in=bool(boolean(form, "SubscriberOptIn")),
        opt_in_message=_words(form, "OptInMessage"),
        opt_out_message=_words(form, "OptOutMessage") or replies.stop or None,
        help_message=_words(form, "HelpMessage") or replies.help or None,
        opt_in_keywords=_keywords(form, "OptInKeywords") or (),
        opt_out_keywords=_keywords(form, "OptOutKeywords") or _own("STOP"),
        help_keywords=_keywords(form, "HelpKeywords") or _own("HELP"),
    )


def described(campaign: Campaign, form: Form, urls: Urls) -> Campaign:
    """A campaign with what both its submission and its change say of it. Raises Fault(invalid_parameter)."""
    samples = fields.several(form, "MessageSamples", _SAMPLES, 1024)
    if not samples:
        raise Fault("invalid_parameter", "MessageSamples is required", "MessageSamples")
    return replace(
        campaign,
        description=fields.required(form, "Description", 4096),
        message_flow=fields.required(form, "MessageFlow", 2048),
        samples=samples,
        has_embedded_links=fields.required_flag(form, "HasEmbeddedLinks"),
        has_embedded_phone=fields.required_flag(form, "HasEmbeddedPhone"),
        age_gated=bool(boolean(form, "AgeGated")),
        direct_lending=bool(boolean(form, "DirectLending")),
        **{field: fields.url(form.one(name), name, urls) for name, field in _URLS if name in form},
    )


def _words(form: Form, name: str) -> str | None:
    return fields.optional(form, name, _MOST_WORDS, _LEAST_WORDS)


def _keywords(form: Form, name: str) -> tuple[str, ...] | None:
    words = fields.several(form, name, _MOST_KEYWORDS, _MOST_KEYWORDS)
    if words and not (all(word.isalnum() for word in words) and len(",".join(words)) <= _MOST_KEYWORDS):
        raise Fault("invalid_parameter", f"{name} must be letters and digits, {_MOST_KEYWORDS} at most", name)
    return words


def _own(kind: OptOutType) -> tuple[str, ...]:
    return tuple(word for word, of in KEYWORDS.items() if of == kind)
