"""What a delivery code means: every code that Parley itself ends messages with has words of its own."""

import pytest

from parley.api.twilio.delivery_errors import text_of
from parley.core import release

REGISTRY_AND_LIMITS = (30001, 30002, 30003, 30005, 30006, 30007, 30008, 30023, 30032, 30034, 30036)


@pytest.mark.parametrize("code", sorted({*release.CODES.values(), *REGISTRY_AND_LIMITS}))
def test_a_code_of_ours_has_words(code: int) -> None:
    assert str(code) not in text_of(code)


def test_a_carriers_own_code_is_told_as_such() -> None:
    assert text_of(99999) == "The carrier reported error 99999"
