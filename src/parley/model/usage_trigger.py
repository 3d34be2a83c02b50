"""A usage trigger: an URL that is told once usage reaches a value."""

from typing import Literal

import msgspec

from parley.model.usage import Amount

Field = Literal["count", "usage", "price"]
"""count: messages. usage: billed units. price: US dollars."""
Recurring = Literal["daily", "monthly", "yearly", "alltime"]
"""The period that counts, in UTC. It is told of once a period; of all time, once."""


class UsageTrigger(msgspec.Struct, frozen=True):
    """What is watched, and who is told. Values are in millionths, whatever they count."""

    friendly_name: str
    category: str
    field: Field
    recurring: Recurring
    value: int
    callback_url: str
    callback_method: str = "POST"
    fired_at: int | None = None
    """When it was told of last."""

    def value_of(self, amount: Amount) -> int:
        """What of an amount it watches."""
        match self.field:
            case "count":
                return amount.count * 1_000_000
            case "usage":
                return amount.units * 1_000_000
            case "price":
                return amount.price
