"""What a message costs, as it is noted with it when it is taken."""

from collections.abc import Mapping
from typing import Final

from parley.lib.phone import market
from parley.model.address import Address
from parley.model.message import Kind
from parley.model.price import ANYWHERE, Key, Price, Way

_UNKNOWN: Final = "?"
"""The country of who has none: a short code, a name, a satellite phone."""


class Prices:
    """The table's prices."""

    def __init__(self, table: Mapping[Key, Price]) -> None:
        self._table = table
        self._known: dict[Key, int | None] = {}

    def of(self, kind: Kind, recipient: Address, segments: int) -> int | None:
        """What it costs to send a message, in millionths of a US dollar; None when nothing is charged.

        `segments` counts for an SMS only.
        """
        return self._cost(kind, "outbound", recipient, segments)

    def inbound(self, kind: Kind, number: Address, segments: int) -> int | None:
        """What it costs to receive a message on a number of ours, in the same unit."""
        return self._cost(kind, "inbound", number, segments)

    def each(self, country: str, kind: Kind, way: Way) -> int | None:
        """What one segment of an SMS, or one other message, costs in a country; None when nothing is charged."""
        key: Key = (country, kind, way)
        try:
            return self._known[key]
        except KeyError:
            price = self._table.get(key) or self._table.get((ANYWHERE, kind, way))
            each = self._known[key] = price.micro_usd if price is not None and price.micro_usd else None
            return each

    def _cost(self, kind: Kind, way: Way, address: Address, segments: int) -> int | None:
        country = market(address.value) if address.kind == "e164" else None
        each = self.each(country or _UNKNOWN, kind, way)
        return each * segments if each is not None and kind == "sms" else each
