"""The English names of the countries that have phone numbers."""

from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files
from types import MappingProxyType


@lru_cache(maxsize=1)
def names() -> Mapping[str, str]:
    """Names by their code of ISO 3166-1, in the order of the codes."""
    text = files("parley.lib").joinpath("country_names.tsv").read_text("utf-8")
    return MappingProxyType(dict(line.split("\t") for line in text.splitlines()))
