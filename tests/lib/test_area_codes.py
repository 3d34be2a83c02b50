"""Which area codes serve the same region."""

from importlib.resources import files

import pytest

from parley.lib.area_codes import overlays
from parley.lib.phone import region

TABLE = files("parley.lib").joinpath("nanp_overlays.txt").read_text("utf-8").splitlines()


@pytest.mark.parametrize(
    ("area_code", "others"),
    [
        ("415", {"628"}),
        ("628", {"415"}),
        ("404", {"470", "678", "943"}),
        ("678", {"404", "470", "770", "943"}),  # it serves two regions, each of which has a code of its own
        ("770", {"470", "678", "943"}),
        ("906", set()),
        ("", set()),
    ],
)
def test_overlays(area_code: str, others: set[str]) -> None:
    assert overlays(area_code) == others


def test_a_region_is_of_one_country_and_whom_it_overlays_overlays_it() -> None:
    assert len(set(TABLE)) == len(TABLE)
    for line in TABLE:
        codes = line.split(" ")
        assert codes == sorted(set(codes))
        assert len({region(f"+1{code}2345678") for code in codes} & {"US", "CA"}) == 1
        assert all(set(codes) - {code} <= overlays(code) for code in codes)
