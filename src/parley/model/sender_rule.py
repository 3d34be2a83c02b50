"""Which kinds of sender a country's networks take: a table of ours, whose rows an operator may replace."""

from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files
from typing import Final

import msgspec

from parley.lib import countries, tables

ANYWHERE: Final = "*"
"""The row of every country that has none of its own."""


class SenderRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One country's row."""

    country: str
    """ISO 3166-1, or `*`."""
    long_code: bool
    short_code: bool
    alphanumeric: bool
    foreign_long_code: bool = True
    """Whether long codes of other calling codes are taken, where long codes are."""
    source: str = ""
    """Who says so."""

    def __post_init__(self) -> None:
        if self.country != ANYWHERE:
            countries.check(self.country)


def read(text: str | None) -> Mapping[str, SenderRule]:
    """The built-in rows, replaced by those of a table of the same columns (`foreign_long_code` and `source` may be
    missing), if one is given.

    Raises tables.TableError.
    """
    if text is None:
        return built_in()
    return {**built_in(), **tables.read(text, SenderRule, _key)}


@lru_cache(maxsize=1)
def built_in() -> Mapping[str, SenderRule]:
    """The rows that come with Parley, by country."""
    text = files("parley.model").joinpath("sender_rules.tsv").read_text("utf-8")
    return tables.read(text, SenderRule, _key)


def _key(rule: SenderRule) -> str:
    return rule.country
