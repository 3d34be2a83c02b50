"""How the simulator behaves: one handset, and the carrier as a whole."""

from typing import Annotated, Final, Literal

import msgspec

Outcome = Literal["delivered", "undelivered", "failed", "none"]
Rate = Annotated[float, msgspec.Meta(ge=0, le=1)]
"""How likely, from 0 (never) to 1 (always)."""

MOST_DELAY_S: Final = 86_400
MOST_LATENCY_S: Final = 60


class Behaviour(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How a handset takes what is sent to it.

    reachable, delivered    the message is on the handset, its receipt says `delivered`
    reachable, none         the message is on the handset, and no receipt ever comes
    reachable, undelivered  the carrier takes it, its receipt says `undelivered` (30005 unless told otherwise)
    reachable, failed       the carrier refuses it, so that it is `failed` (30008 unless told otherwise)
    not reachable           the carrier takes it, its receipt says `undelivered` (30003 unless told otherwise)
    """

    reachable: bool = True
    delay_s: Annotated[float, msgspec.Meta(ge=0, le=MOST_DELAY_S)] = 0.0
    """Seconds from the submit to the receipt."""
    outcome: Outcome = "delivered"
    error_code: Annotated[int, msgspec.Meta(ge=1, le=99_999)] | None = None
    """Of an undelivered or failed message."""
    reads: bool = False
    """Follows `delivered` by a `read` receipt, on channels that have those (WhatsApp)."""


class Faults(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What goes wrong with the carrier as a whole."""

    latency_s: Annotated[float, msgspec.Meta(ge=0, le=MOST_LATENCY_S)] = 0.0
    """Seconds that each submit takes."""
    reject_rate: Rate = 0.0
    throttle_rate: Rate = 0.0
    drop_receipt_rate: Rate = 0.0
    duplicate_receipt_rate: Rate = 0.0
    disconnect: bool = False
    """Nothing gets through, either way, until turned off."""


USUAL: Final = Behaviour()
CALM: Final = Faults()
