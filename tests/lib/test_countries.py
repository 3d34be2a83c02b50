"""Every country that has phone numbers has a name."""

import phonenumbers

from parley.lib.countries import names


def test_every_country_has_its_name() -> None:
    assert names().keys() == phonenumbers.SUPPORTED_REGIONS
    assert (names()["US"], names()["GB"], names()["CI"]) == ("United States", "United Kingdom", "Côte d'Ivoire")
    assert list(names()) == sorted(names())
