"""What messages cost: a table of ours, whose rows an operator may replace."""

from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files
from typing import Annotated, Final, Literal

import msgspec

from parley.lib import countries, tables
from parley.model.message import Kind

ANYWHERE: Final = "*"
"""The rows of every country that has none of its own."""

Way = Literal["outbound", "inbound"]
Key = tuple[str, Kind, Way]


class Price(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a segment of an SMS, or a whole MMS or WhatsApp message, costs to send to a country or to receive in it."""

    country: str
    """ISO 3166-1, or `*`."""
    kind: Kind
    direction: Way
    micro_usd: Annotated[int, msgspec.Meta(ge=0)]
    """Millionths of a US dollar."""
    source: str = ""
    """Who says so."""

    def __post_init__(self) -> None:
        if self.country != ANYWHERE:
            countries.check(self.country)


def read(text: str | None) -> Mapping[Key, Price]:
    """The built-in rows, replaced by those of a table of the same columns (`source` may be missing), if one is given.

    Raises tables.TableError.
    """
    if text is None:
        return built_in()
    return {**built_in(), **tables.read(text, Price, _key)}


@lru_cache(maxsize=1)
def built_in() -> Mapping[Key, Price]:
    """The rows that come with Parley."""
    text = files("parley.model").joinpath("prices.tsv").read_text("utf-8")
    return tables.read(text, Price, _key)


def _key(price: Price) -> Key:
    return price.country, price.kind, price.direction
