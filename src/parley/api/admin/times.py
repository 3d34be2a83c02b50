"""Times and durations as Parley's own API spells and takes them."""

from datetime import UTC, datetime, timedelta
from typing import Final

from parley.api.http.fault import Fault

MOST_WAIT_S: Final = 60
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LAST: Final = 253_402_300_799_000_000
"""The end of the year 9999."""


def iso(at: int | None) -> str | None:
    """A time as ISO 8601 in UTC, to the microsecond."""
    if at is None:
        return None
    moment = _EPOCH + timedelta(microseconds=at)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def moment(given: str | None, name: str) -> int | None:
    """A time given as ISO 8601 (UTC where it names no zone) or as seconds since the epoch.

    Raises Fault(invalid_parameter).
    """
    if given is None or given == "":
        return None
    try:
        if given.isascii() and given.replace(".", "", 1).isdigit():
            at = round(float(given) * 1_000_000)
        else:
            # A `+` that was not escaped has become a space.
            read = datetime.fromisoformat(given.strip().replace(" ", "+") if "T" in given else given)
            at = ((read if read.tzinfo else read.replace(tzinfo=UTC)) - _EPOCH) // timedelta(microseconds=1)
    except (ValueError, OverflowError):
        at = -1
    if not 0 <= at <= _LAST:
        raise Fault("invalid_parameter", f"{name} must be a time: ISO 8601, or seconds since the epoch", name)
    return at


def seconds(given: str | None) -> float:
    """How long to wait. Raises Fault(invalid_parameter)."""
    if given is None or given == "":
        return 0.0
    if not (given.isascii() and given.replace(".", "", 1).isdigit()) or not 0 <= float(given) <= MOST_WAIT_S:
        raise Fault("invalid_parameter", f"wait must be a number of seconds from 0 to {MOST_WAIT_S}", "wait")
    return float(given)
