"""What a delivery code means: every code that Parley itself ends messages with has words of its own."""

import pytest

from parley.api.twilio.delivery_errors import text_of
from parley.core import release

REGISTRY_AND_LIMITS = (30001, 30002, 30003, 30005, 30006, 30007, 30008, 30023, 30032, 30034, 30036)


FETCHING = (11200, 11205, 11206, 11210, 11215, 11217, 11220, 11235, 11236, 11237, 11321, 11750, 11751, 12300)
ANSWERS = (11100, 12100, 12102, 12200, 13710, *range(14101, 14108), 14109)


@pytest.mark.parametrize("code", sorted({*release.CODES.values(), *REGISTRY_AND_LIMITS, *FETCHING, *ANSWERS}))
def test_a_code_of_ours_has_words(code: int) -> None:
    assert str(code) not in text_of(code)


def test_a_carriers_own_code_is_told_as_such() -> None:
    assert text_of(99999) == "The carrier reported error 99999"
