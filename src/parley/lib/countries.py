"""The English names of the countries that have phone numbers."""

from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files
from types import MappingProxyType


def check(country: str) -> None:
    """Raise ValueError unless it is the code of a country that has phone numbers: GB is, and UK is none."""
    if country not in names():
        raise ValueError(f"{country!r} is no code of ISO 3166-1 of a country that has phone numbers")


@lru_cache(maxsize=1)
def names() -> Mapping[str, str]:
    """Names by their code of ISO 3166-1, in the order of the codes."""
    text = files("parley.lib").joinpath("country_names.tsv").read_text("utf-8")
    return MappingProxyType(dict(line.split("\t") for line in text.splitlines()))
