"""Lookups v2: a number's forms, what is wrong with it, and its kind of line. Source: twilio.com/docs/lookup/v2-api."""

from typing import Any, Final
from urllib.parse import quote

from parley.api.http.endpoint import Call, Reply, json_reply
from parley.api.http.fault import Fault
from parley.api.twilio.collection import url_of
from parley.api.twilio.lookups.asked import number, words
from parley.lib.number_facts import NumberFacts
from parley.lib.phone import LineType, line_type

_NOBODY_KNOWS: Final = 60607
"""Twilio's code of a package that no provider has anything on."""
_PACKAGES: Final[dict[str, tuple[str, ...]]] = {
    "caller_name": ("caller_name", "caller_type"),
    "sim_swap": ("last_sim_swap", "carrier_name", "mobile_country_code", "mobile_network_code"),
    "call_forwarding": ("call_forwarding_enabled",),
    "line_status": ("status",),
    "identity_match": (
        "first_name_match",
        "last_name_match",
        "address_lines_match",
        "city_match",
        "state_match",
        "postal_code_match",
        "address_country_match",
        "national_id_match",
        "date_of_birth_match",
        "summary_score",
        "error_message",
    ),
    "reassigned_number": ("last_verified_date", "is_number_reassigned"),
    "sms_pumping_risk": (
        "carrier_risk_category",
        "number_blocked",
        "number_blocked_date",
        "number_blocked_last_3_months",
        "sms_pumping_risk_score",
    ),
    "phone_number_quality_score": (),
    "pre_fill": (),
}
"""What each package that nobody has data for would tell."""
_TEXT_CODES: Final = frozenset({"reassigned_number"})
"""Packages whose error code is text."""
_LINE_TYPE: Final = "line_type_intelligence"
_PARAMETERS: Final = frozenset(
    {
        "Fields",
        "CountryCode",
        "FirstName",
        "LastName",
        "AddressLine1",
        "AddressLine2",
        "City",
        "State",
        "PostalCode",
        "AddressCountryCode",
        "NationalId",
        "DateOfBirth",
        "LastVerifiedDate",
        "VerificationSid",
        "PartnerSubId",
    }
)
_TYPES: Final[dict[LineType, str]] = {
    "fixed_or_mobile": "mobile",
    "toll_free": "tollFree",
    "shared_cost": "sharedCost",
    "voip": "nonFixedVoip",
}
"""Twilio's words where they are not ours. What may be a mobile phone counts as one, as it does when we send to it."""


async def fetch(call: Call) -> Reply:
    """One number, with the packages that Fields names. A text that is no number is answered too, as not valid."""
    form = call.arguments()
    form.allow(_PARAMETERS)
    asked = words(form, "Fields")
    for name in asked:
        if name not in _PACKAGES and name not in ("validation", _LINE_TYPE):
            raise Fault("invalid_parameter", f"{name[:100]} is not among the Fields of a lookup", "Fields")
    found = number(call, form)
    shown = found.e164 or call.path["PhoneNumber"]
    return json_reply(
        200,
        {
            "calling_country_code": found.calling_code,
            "country_code": found.country,
            "phone_number": shown,
            "national_format": found.national,
            "valid": found.problem is None,
            "validation_errors": [found.problem] if found.problem else [],
            **{name: _nothing(name, fields) if name in asked else None for name, fields in _PACKAGES.items()},
            _LINE_TYPE: _line(found) if _LINE_TYPE in asked else None,
            "url": url_of(call, f"/v2/PhoneNumbers/{quote(shown)}"),
        },
    )


def _nothing(name: str, fields: tuple[str, ...]) -> dict[str, Any]:
    code = str(_NOBODY_KNOWS) if name in _TEXT_CODES else _NOBODY_KNOWS
    return {**dict.fromkeys(fields), "error_code": code}


def _line(found: NumberFacts) -> dict[str, Any]:
    kind = line_type(found.e164 or "")
    return {
        "mobile_country_code": None,
        "mobile_network_code": None,
        "carrier_name": None,
        "type": _TYPES.get(kind, kind),
        "error_code": None,
    }
