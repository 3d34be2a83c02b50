"""Lookups v1: a number's forms and its kind of line. Source: twilio.com/docs/lookup/v1-api."""

from typing import Any, Final
from urllib.parse import quote

from parley.api.http.endpoint import Call, Reply, json_reply
from parley.api.http.fault import Fault
from parley.api.twilio.collection import url_of
from parley.api.twilio.lookups.asked import number, words
from parley.api.twilio.problems import Invalid
from parley.lib.phone import line_type

_NO_DATA: Final = 60600
"""Twilio's code of a number that its providers have nothing on."""
_PARAMETERS: Final = frozenset({"CountryCode", "Type", "AddOns"})
_TYPES: Final = {"fixed_or_mobile": "mobile", "mobile": "mobile", "landline": "landline", "voip": "voip"}


async def fetch(call: Call) -> Reply:
    """One number, with the packages that Type names. Raises Fault(not_found) for what is no valid number."""
    form = call.arguments()
    if any(name.startswith("AddOns") for name in form):
        raise Invalid(20001, "Add-ons are not served", "AddOns")
    form.allow(_PARAMETERS)
    asked = words(form, "Type")
    for name in asked:
        if name not in ("carrier", "caller-name"):
            raise Fault("invalid_parameter", "Type must be carrier or caller-name", "Type")
    found = number(call, form)
    if found.e164 is None or found.problem is not None:
        raise Fault("not_found")
    return json_reply(
        200,
        {
            "caller_name": _nobody() if "caller-name" in asked else None,
            "country_code": found.country,
            "phone_number": found.e164,
            "national_format": found.national,
            "carrier": _carrier(found.e164) if "carrier" in asked else None,
            "add_ons": None,
            "url": url_of(call, f"/v1/PhoneNumbers/{quote(found.e164)}"),
        },
    )


def _nobody() -> dict[str, Any]:
    return {"caller_name": None, "caller_type": None, "error_code": _NO_DATA}


def _carrier(e164: str) -> dict[str, Any]:
    kind = _TYPES.get(line_type(e164))
    return {
        "mobile_country_code": None,
        "mobile_network_code": None,
        "name": None,
        "type": kind,
        "error_code": None if kind else _NO_DATA,
    }
