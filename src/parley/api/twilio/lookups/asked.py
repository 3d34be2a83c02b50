"""What both versions of Lookups read of a request alike: the number, and which kind of line it has."""

from typing import Final

from parley.api.http.decode import Form
from parley.api.http.endpoint import Call
from parley.api.http.fault import Fault
from parley.lib.countries import names
from parley.lib.number_facts import NumberFacts, number_facts

_MOST: Final = 100
"""Characters of a number that are looked at."""


def number(call: Call, form: Form) -> NumberFacts:
    """The number in the path, in E.164 or as people of CountryCode write it. Raises Fault(invalid_parameter)."""
    country = (form.one("CountryCode") or "US").upper()
    if country not in names():
        raise Fault("invalid_parameter", "CountryCode must be a country's code of ISO 3166-1", "CountryCode")
    return number_facts(call.path["PhoneNumber"][:_MOST], country)


def words(form: Form, name: str) -> list[str]:
    """A parameter of several words, repeated or with commas between them."""
    return [word.strip() for text in form.many(name) for word in text.split(",") if word.strip()]
