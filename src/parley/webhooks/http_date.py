"""Read the dates of HTTP headers."""

from datetime import UTC
from email.utils import parsedate_to_datetime


def instant(text: str) -> int | None:
    """An HTTP date (RFC 9110, 5.6.7) in microseconds since the epoch; None for what is none."""
    try:
        read = parsedate_to_datetime(text)
        # A zone of -0000 says UTC, and comes without one.
        return round((read if read.tzinfo else read.replace(tzinfo=UTC)).timestamp() * 1_000_000)
    except (ValueError, OverflowError):
        return None
