"""Usage: what an account sent and received, counted by day and category. Names of categories are Twilio's."""

from typing import Final

import msgspec

from parley.model.message import Kind

DAY_US: Final = 86_400_000_000
_FAMILY: Final[dict[Kind, str]] = {"sms": "sms", "mms": "mms", "whatsapp": "channels-whatsapp"}


class Amount(msgspec.Struct, frozen=True):
    """How much of something: messages, segments, and millionths of a US dollar."""

    count: int = 0
    units: int = 0
    price: int = 0

    def __add__(self, other: "Amount") -> "Amount":
        return Amount(self.count + other.count, self.units + other.units, self.price + other.price)


class Used(msgspec.Struct, frozen=True):
    """What was used of one leaf of the categories on one day (UTC, counted from 1970-01-01)."""

    day: int
    category: str
    amount: Amount


class Category(msgspec.Struct, frozen=True):
    """A category as it is reported: the sum of its leaves, under which usage is kept."""

    name: str
    description: str
    leaves: frozenset[str]
    unit: str


def leaf(kind: Kind, own: str, *, is_inbound: bool) -> str:
    """The leaf that a message counts under. `own` is its address on our side."""
    way = f"{_FAMILY[kind]}-{'inbound' if is_inbound else 'outbound'}"
    if kind == "whatsapp":
        return way
    return f"{way}-shortcode" if own.isdecimal() else f"{way}-longcode"


def _family(name: str, called: str) -> list[Category]:
    found = []
    every: frozenset[str] = frozenset()
    for way, spoken in (("inbound", "Inbound"), ("outbound", "Outbound")):
        kinds = {f"{name}-{way}-longcode": "Long Code", f"{name}-{way}-shortcode": "Short Code"}
        leaves = frozenset(kinds)
        every |= leaves
        found.append(Category(f"{name}-{way}", f"{spoken} {called}", leaves, "segments"))
        found += [
            Category(one, f"{spoken} {kind} {called}", frozenset({one}), "segments") for one, kind in kinds.items()
        ]
    return [Category(name, called, every, "segments"), *found]


def _categories() -> dict[str, Category]:
    channel = _FAMILY["whatsapp"]
    inbound, outbound = frozenset({f"{channel}-inbound"}), frozenset({f"{channel}-outbound"})
    found = [
        Category("channels", "Channels", inbound | outbound, "messages"),
        Category(channel, "WhatsApp", inbound | outbound, "messages"),
        Category(f"{channel}-inbound", "Inbound WhatsApp Messages", inbound, "messages"),
        Category(f"{channel}-outbound", "Outbound WhatsApp Messages", outbound, "messages"),
        *_family("mms", "MMS"),
        Category("phonenumbers", "Phone Numbers", frozenset(), "numbers"),
        *_family("sms", "SMS"),
    ]
    leaves = frozenset[str]().union(*(category.leaves for category in found))
    found.append(Category(TOTAL, "Total Price", leaves, "usd"))
    return {category.name: category for category in sorted(found, key=lambda category: category.name)}


TOTAL: Final = "totalprice"
CATEGORIES: Final = _categories()
"""Every category that is reported, by name, in the order of the names. Numbers cost nothing here."""
