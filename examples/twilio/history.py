"""Read an account's messages page by page: python history.py 2030-01-31, the first day to read."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from arguments import arguments
from parley_twilio import connect
from twilio.rest import Client


def since(client: Client, day: datetime, page_size: int = 100) -> Iterator[Any]:
    """Yield what was sent on a day and later, newest first. Twilio's `date_sent=` would be that one day alone."""
    yield from client.messages.stream(date_sent_after=day, page_size=page_size)


def page_by_page(client: Client, page_size: int = 100, **filters: Any) -> Iterator[list[Any]]:
    """Yield whole pages, for programs that remember where they were (`page.next_page_url`)."""
    page = client.messages.page(page_size=page_size, **filters)
    while page is not None:
        yield list(page)
        page = page.next_page()


if __name__ == "__main__":
    (first,) = arguments(__doc__, first_day=datetime.fromisoformat)
    for status, count in Counter(message.status for message in since(connect(), first.replace(tzinfo=UTC))).items():
        print(status, count)
