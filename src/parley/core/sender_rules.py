"""Which senders may write to whom: each country's rules, and the kinds of line that no message reaches."""

from collections.abc import Mapping
from typing import Final

from parley.core.refusal import Reason
from parley.lib.phone import calling_code, line_type, market
from parley.model.address import Address, Kind
from parley.model.sender_rule import ANYWHERE, SenderRule

_PREMIUM: Final = "+1900"
_TELLS_LATER: Final = frozenset({"CA", "GB", "US"})
"""Where a landline is found out by its network: the message is taken, and fails with 30006 (Twilio error 21635)."""
UNREACHABLE_LINE: Final = 30006
"""Twilio's code of a message that went to a landline."""


class SenderRules:
    """The table's rules. Only the strict profile enforces them: in dev every sender may write to everyone."""

    def __init__(self, table: Mapping[str, SenderRule], *, strict: bool) -> None:
        self._table = table
        self.is_strict = strict
        """Whether any message is refused, or doomed."""
        self._takes: dict[tuple[Kind, str, str | None], bool] = {}

    def allows(self, sender: Address, country: str | None) -> bool:
        """Whether a country's networks take this kind of sender, by the table alone. Without a country: yes."""
        # A long code's first three digits tell whether it is from abroad, a shorter calling code's too.
        key = (sender.kind, sender.value[:4] if sender.kind == "e164" else "", country)
        try:
            return self._takes[key]
        except KeyError:
            takes = self._takes[key] = self._look_up(*key)
            return takes

    def pools(self, sender: Address, country: str | None) -> bool:
        """Whether a service chooses this kind of sender for a country. A name takes the place of a number only where
        the table has names, in dev too.
        """
        return (not self.is_strict and sender.kind != "alphanumeric") or self.allows(sender, country)

    def refusal(self, sender: Address, recipient: Address, *, is_forced: bool = False) -> Reason | None:
        """Why this sender may not write to that recipient, None when it may. `is_forced` lets landlines pass.

        Half a microsecond for North America; elsewhere a number not seen before costs its analysis.
        """
        if not self.is_strict or recipient.channel != "sms" or recipient.kind != "e164":
            return None
        number = recipient.value
        country = market(number)
        if not self.allows(sender, country):
            return "recipient_unroutable"
        if number.startswith("+1"):
            return "recipient_is_premium" if number.startswith(_PREMIUM) else None
        line = line_type(number)
        if line == "premium":
            return "recipient_is_premium"
        if line == "landline" and country not in _TELLS_LATER and not is_forced:
            return "recipient_is_landline"
        return None

    def fate(self, recipient: Address) -> int | None:
        """The code by which a message to this recipient is sure to end though it is taken, None when it is not.

        North America's landlines look like its mobile phones, so nothing is sure of them.
        """
        number = recipient.value
        if not self.is_strict or recipient.channel != "sms" or recipient.kind != "e164" or number.startswith("+1"):
            return None
        is_lost = line_type(number) == "landline" and market(number) in _TELLS_LATER
        return UNREACHABLE_LINE if is_lost else None

    def _look_up(self, kind: Kind, first_digits: str, country: str | None) -> bool:
        if country is None:
            return True
        rule = self._table.get(country, self._table[ANYWHERE])
        if kind == "e164":
            return rule.long_code and (rule.foreign_long_code or first_digits.startswith(calling_code(country)))
        return rule.short_code if kind == "short_code" else rule.alphanumeric
