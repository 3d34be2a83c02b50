"""Read what is told of a toll-free number's business and its messages. Source: messaging v1, Tollfree/Verifications."""

import re
from typing import Any, Final

from parley.api.http.decode import Form
from parley.api.http.fault import Fault
from parley.api.twilio.messaging import registry_fields as fields
from parley.api.twilio.parameters import boolean, choice
from parley.api.twilio.urls import Urls
from parley.model.address import InvalidAddress, parse_recipient

_TEXTS: Final = (
    "BusinessName",
    "BusinessWebsite",
    "NotificationEmail",
    "UseCaseSummary",
    "ProductionMessageSample",
    "MessageVolume",
    "BusinessStreetAddress",
    "BusinessStreetAddress2",
    "BusinessCity",
    "BusinessStateProvinceRegion",
    "BusinessPostalCode",
    "BusinessCountry",
    "AdditionalInformation",
    "BusinessContactFirstName",
    "BusinessContactLastName",
    "BusinessContactEmail",
    "BusinessRegistrationNumber",
    "BusinessRegistrationCountry",
    "DoingBusinessAs",
    "OptInConfirmationMessage",
    "HelpMessageSample",
    "VettingId",
)
_PHONES: Final = ("BusinessContactPhone", "BusinessRegistrationPhoneNumber")
_URLS: Final = ("PrivacyPolicyUrl", "TermsAndConditionsUrl")
_CHOICES: Final = {
    "OptInType": (
        *("VERBAL", "WEB_FORM", "PAPER_FORM", "VIA_TEXT", "MOBILE_QR_CODE", "IMPORT", "IMPORT_PLEASE_REPLACE"),
    ),
    "BusinessRegistrationAuthority": (
        *("EIN", "CBN", "CRN", "PROVINCIAL_NUMBER", "VAT", "ACN", "ABN", "BRN", "SIREN", "SIRET", "NZBN", "USt-IdNr"),
        *("CIF", "NIF", "CNPJ", "UID", "NEQ", "OTHER"),
    ),
    "BusinessType": ("PRIVATE_PROFIT", "PUBLIC_PROFIT", "SOLE_PROPRIETOR", "NON_PROFIT", "GOVERNMENT"),
    "VettingProvider": ("CAMPAIGN_VERIFY",),
}
_CATEGORIES: Final = frozenset(
    {
        "TWO_FACTOR_AUTHENTICATION",
        "ACCOUNT_NOTIFICATIONS",
        "CUSTOMER_CARE",
        "CHARITY_NONPROFIT",
        "DELIVERY_NOTIFICATIONS",
        "FRAUD_ALERT_MESSAGING",
        "EVENTS",
        "HIGHER_EDUCATION",
        "K12",
        "MARKETING",
        "POLLING_AND_VOTING_NON_POLITICAL",
        "POLITICAL_ELECTION_CAMPAIGNS",
        "PUBLIC_SERVICE_ANNOUNCEMENT",
        "SECURITY_ALERT",
    }
)
_SEVERAL: Final = ("UseCaseCategories", "OptInImageUrls", "OptInKeywords")
_FORM: Final = frozenset({*_TEXTS, *_PHONES, *_URLS, *_CHOICES, *_SEVERAL, "AgeGatedContent"})
SUBMISSION: Final = _FORM | {"TollfreePhoneNumberSid", "CustomerProfileSid", "ExternalReferenceId"}
CHANGE: Final = _FORM | {"EditReason"}
_REQUIRED: Final = (
    "BusinessName",
    "BusinessWebsite",
    "NotificationEmail",
    "UseCaseCategories",
    "UseCaseSummary",
    "ProductionMessageSample",
    "OptInImageUrls",
    "OptInType",
    "MessageVolume",
)
MOST: Final = 2000
"""Characters of a text."""
_MOST_SEVERAL: Final = 50


def submitted(form: Form, urls: Urls) -> dict[str, Any]:
    """What a submission says, by field. Raises Fault(invalid_parameter), also for what is missing."""
    found = given(form, urls)
    if missing := next((name for name in _REQUIRED if not found.get(_field(name))), None):
        raise Fault("invalid_parameter", f"{missing} is required", missing)
    return found


def given(form: Form, urls: Urls) -> dict[str, Any]:
    """What a request says, by field. Raises Fault(invalid_parameter)."""
    values: dict[str, Any] = {}
    for name in _TEXTS:
        values[name] = fields.optional(form, name, MOST)
    for name in _PHONES:
        values[name] = _phone(form, name)
    for name in _URLS:
        values[name] = fields.url(form.one(name), name, urls)
    for name, allowed in _CHOICES.items():
        values[name] = choice(form, name, allowed)
    for name in _SEVERAL:
        values[name] = fields.several(form, name, _MOST_SEVERAL, MOST)
    values["AgeGatedContent"] = boolean(form, "AgeGatedContent")
    for url in values["OptInImageUrls"] or ():
        fields.url(url, "OptInImageUrls", urls)
    if unknown := next((word for word in values["UseCaseCategories"] or () if word not in _CATEGORIES), None):
        raise Fault("invalid_parameter", f"{unknown[:100]} is no use case category", "UseCaseCategories")
    return {_field(name): value for name, value in values.items() if value not in (None, ())}


def _field(name: str) -> str:
    """The field that a parameter sets: `business_name` for `BusinessName`."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


def _phone(form: Form, name: str) -> str | None:
    text = form.one(name)
    if not text:
        return None
    try:
        address = parse_recipient(text)
    except InvalidAddress:
        address = None
    if address is None or address.kind != "e164":
        raise Fault("invalid_parameter", f"{name} must be a phone number of E.164", name)
    return address.value
