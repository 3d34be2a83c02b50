"""How fast each sort of sender may send, and what of its pace a message takes."""

from typing import Final, Literal

import msgspec

from parley.lib.phone import is_toll_free
from parley.model.address import Address

Sort = Literal["long_code", "toll_free", "short_code", "alphanumeric", "whatsapp"]


class Paces(msgspec.Struct, frozen=True):
    """Segments a second by sort of sender; 0 is unlimited. Defaults are Twilio's (queues and throughput guide)."""

    long_code: float = 1.0
    toll_free: float = 3.0
    short_code: float = 100.0
    alphanumeric: float = 10.0
    whatsapp: float = 80.0

    def segment_us(self, sender: Address, rate: float | None = None) -> float:
        """Microseconds for which each segment keeps a sender busy, at a rate of its own when given; 0: not paced."""
        rate = getattr(self, sort_of(sender)) if rate is None else rate
        return 1_000_000 / rate if rate else 0.0


def sort_of(sender: Address) -> Sort:
    """What a sender is paced and registered as."""
    if sender.channel == "whatsapp":
        return "whatsapp"
    if sender.kind != "e164":
        return sender.kind
    return "toll_free" if is_toll_free(sender.value) else "long_code"


def slot_us(segment_us: float, segments: int) -> int:
    """Microseconds for which a message of so many segments keeps its sender busy."""
    return round(max(segments, 1) * segment_us)


UNLIMITED: Final = Paces(0, 0, 0, 0, 0)
MOST_WAIT_US: Final = 36_000_000_000
"""A sender's queue holds at most ten hours of its pace (Twilio error 21611)."""
