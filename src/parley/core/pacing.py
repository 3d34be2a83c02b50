"""How fast each kind of sender may send, and what of its pace a message takes."""

from typing import Final

import msgspec

from parley.model.address import Address

_TOLL_FREE: Final = ("+1800", "+1833", "+1844", "+1855", "+1866", "+1877", "+1888")


class Paces(msgspec.Struct, frozen=True):
    """Segments a second by kind of sender; 0 is unlimited. Defaults are Twilio's (queues and throughput guide)."""

    long_code: float = 1.0
    toll_free: float = 3.0
    short_code: float = 100.0
    alphanumeric: float = 10.0
    whatsapp: float = 80.0

    def slot_us(self, sender: Address, segments: int) -> int:
        """Microseconds for which a message of so many segments keeps its sender busy; 0 when it is not paced."""
        rate = self._rate(sender)
        return round(max(segments, 1) * 1_000_000 / rate) if rate else 0

    def _rate(self, sender: Address) -> float:
        if sender.channel == "whatsapp":
            return self.whatsapp
        if sender.kind == "short_code":
            return self.short_code
        if sender.kind == "alphanumeric":
            return self.alphanumeric
        return self.toll_free if sender.value.startswith(_TOLL_FREE) else self.long_code


UNLIMITED: Final = Paces(0, 0, 0, 0, 0)
MOST_WAIT_US: Final = 36_000_000_000
"""A sender's queue holds at most ten hours of its pace (Twilio error 21611)."""
