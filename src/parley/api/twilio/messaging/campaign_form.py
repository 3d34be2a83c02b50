"""Read what is told of a campaign. Source: messaging v1, Compliance/Usa2p."""

from typing import Final

from msgspec.structs import replace

from parley.api.http.decode import Form
from parley.api.http.fault import Fault
from parley.api.twilio.messaging import registry_fields as fields
from parley.api.twilio.parameters import boolean
from parley.api.twilio.problems import Invalid
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
_MISSING: Final = 21727
_LENGTH: Final = 21728
_SAMPLES: Final = 5
_LEAST_WORDS: Final = 20
_MOST_WORDS: Final = 320
_MOST_KEYWORDS: Final = 255


def required(form: Form, name: str, most: int) -> str:
    """A text that has to be given, of so many characters. Raises Invalid: 21727, 21728."""
    text = fields.optional(form, name, most, code=_LENGTH)
    if text is None:
        raise missing(name)
    return text


def required_flag(form: Form, name: str) -> bool:
    """A boolean that has to be given. Raises Invalid 21727."""
    flag = boolean(form, name)
    if flag is None:
        raise missing(name)
    return flag


def missing(name: str) -> Invalid:
    """What is wrong without a parameter that has to be given."""
    return Invalid(_MISSING, f"{name} is required", name)


def worded(campaign: Campaign, form: Form, replies: Replies) -> Campaign:
    """A campaign with its keywords and their answers, or the platform's own. Raises Fault, Invalid 21728."""
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
    """A campaign with what both its submission and its change say of it. Raises Fault, Invalid: 21727, 21728."""
    samples = fields.several(form, "MessageSamples", _SAMPLES, 1024, _LENGTH)
    if not samples:
        raise missing("MessageSamples")
    return replace(
        campaign,
        description=required(form, "Description", 4096),
        message_flow=required(form, "MessageFlow", 2048),
        samples=samples,
        has_embedded_links=required_flag(form, "HasEmbeddedLinks"),
        has_embedded_phone=required_flag(form, "HasEmbeddedPhone"),
        age_gated=bool(boolean(form, "AgeGated")),
        direct_lending=bool(boolean(form, "DirectLending")),
        **{field: fields.url(form.one(name), name, urls) for name, field in _URLS if name in form},
    )


def _words(form: Form, name: str) -> str | None:
    return fields.optional(form, name, _MOST_WORDS, _LEAST_WORDS, _LENGTH)


def _keywords(form: Form, name: str) -> tuple[str, ...] | None:
    words = fields.several(form, name, _MOST_KEYWORDS, _MOST_KEYWORDS, _LENGTH)
    if words and len(",".join(words)) > _MOST_KEYWORDS:
        raise Invalid(_LENGTH, f"{name} may have {_MOST_KEYWORDS} characters together", name)
    if words and not all(word.isalnum() for word in words):
        raise Fault("invalid_parameter", f"{name} must be letters and digits", name)
    return words


def _own(kind: OptOutType) -> tuple[str, ...]:
    return tuple(word for word, of in KEYWORDS.items() if of == kind)
