"""Lists of messages: pages, tokens, filters, as the official clients and plain requests ask for them."""

from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from twilio.rest import Client

from tests.api.admin.client import Client as Record
from tests.api.twilio.client import Raw, client_of
from tests.server import Server

US, PHONE = "+15551234567", "+15550003001"
COUNT = 7


@pytest.fixture(scope="module")
def raw(server: Server) -> Raw:
    return Raw(server)


@pytest.fixture(scope="module")
def client(server: Server, raw: Raw) -> Client:
    """A client of an account with seven messages to the phone, all delivered, among others."""
    client, record = client_of(server), Record(server)
    sent = []
    for n in range(COUNT):
        sent.append(client.messages.create(to=PHONE, from_=US, body=f"message {n}"))
        sent.append(client.messages.create(to="+15550003002", from_="+15557654321", body="another"))
    for message in sent:  # what arrived at its phone may not be recorded as sent yet, and has no date until it is
        record.in_state(message.sid, "delivered")
    return client


def bodies(messages: Any) -> list[str]:
    return [message.body for message in messages]


NEWEST_FIRST = [f"message {n}" for n in reversed(range(COUNT))]


@pytest.mark.parametrize("size", [1, 2, 3, 6, 7, 8, 1000])
def test_every_page_size_leads_through_all(client: Client, size: int) -> None:
    assert bodies(client.messages.list(to=PHONE, page_size=size)) == NEWEST_FIRST


def test_limit(client: Client) -> None:
    assert bodies(client.messages.list(to=PHONE, limit=3)) == NEWEST_FIRST[:3]


def test_forth_and_back(client: Client) -> None:
    first = client.messages.page(to=PHONE, page_size=3)
    second = first.next_page()
    third = second.next_page()
    assert third.next_page() is None
    assert [bodies(first), bodies(second), bodies(third)] == [NEWEST_FIRST[:3], NEWEST_FIRST[3:6], NEWEST_FIRST[6:]]
    back = third.previous_page()
    assert bodies(back) == NEWEST_FIRST[3:6]
    assert bodies(back.next_page()) == NEWEST_FIRST[6:]
    start = back.previous_page()
    assert bodies(start) == NEWEST_FIRST[:3]
    assert start.previous_page() is None


def test_what_comes_meanwhile_shifts_no_page(server: Server, client: Client) -> None:
    phone = "+15550003003"
    for n in range(4):
        client.messages.create(to=phone, from_=US, body=str(n))
    first = client.messages.page(to=phone, page_size=2)
    client.messages.create(to=phone, from_=US, body="new")
    assert [*bodies(first), *bodies(first.next_page())] == ["3", "2", "1", "0"]


def test_pages_by_number_alone(raw: Raw, client: Client) -> None:
    query = {"To": PHONE, "PageSize": "3"}
    pages = [raw("GET", "/Messages.json", params={**query, "Page": str(n)}).json() for n in range(4)]
    assert [[m["body"] for m in page["messages"]] for page in pages] == [
        NEWEST_FIRST[:3], NEWEST_FIRST[3:6], NEWEST_FIRST[6:], [],
    ]  # fmt: skip
    assert [(page["page"], page["start"], page["end"]) for page in pages] == [
        (0, 0, 2),
        (1, 3, 5),
        (2, 6, 6),
        (3, 9, 9),
    ]


def test_the_uris_of_a_page(raw: Raw, client: Client) -> None:
    asked = "To=%2B15550003001&DateSent%3E=2020-01-02&PageSize=3"
    page = raw("GET", f"/Messages.json?{asked}").json()
    at = f"{raw.account}/Messages.json?To=%2B15550003001&DateSent%3E=2020-01-02&PageSize=3"
    assert page["uri"] == page["first_page_uri"] == f"{at}&Page=0"
    assert page["next_page_uri"].startswith(f"{at}&Page=1&PageToken=PA")
    assert page["previous_page_uri"] is None
    assert page["page_size"] == 3
    query = parse_qs(urlsplit(page["next_page_uri"]).query)
    follows = raw("GET", "/Messages.json", params=query).json()
    assert follows["uri"] == page["next_page_uri"]
    assert follows["first_page_uri"] == page["first_page_uri"]
    assert set(page) == {
        "messages", "uri", "first_page_uri", "next_page_uri", "previous_page_uri", "page", "page_size", "start", "end",
    }  # fmt: skip


def test_by_sender(client: Client) -> None:
    assert {m.from_ for m in client.messages.list(from_="+15557654321", to="+15550003002")} == {"+15557654321"}
    assert client.messages.list(from_="+15557654321", to=PHONE) == []
    assert client.messages.list(from_="nobody") == []


def test_a_number_as_people_write_it(client: Client) -> None:
    assert bodies(client.messages.list(to="(555) 000-3001")) == NEWEST_FIRST


DAY, HOUR = timedelta(days=1), timedelta(hours=1)


def day_of(client: Client) -> date:
    found: datetime = client.messages.list(to=PHONE, limit=1)[0].date_sent
    return found.date()


@pytest.mark.parametrize(
    ("offsets", "is_found"),
    [
        ({"date_sent": 0 * DAY}, True),
        ({"date_sent": -DAY}, False),
        ({"date_sent_after": 0 * DAY}, True),
        ({"date_sent_after": DAY}, False),
        ({"date_sent_before": 0 * DAY}, False),
        ({"date_sent_before": DAY}, True),
        ({"date_sent_after": -DAY, "date_sent_before": DAY}, True),
        ({"date_sent_after": DAY, "date_sent_before": -DAY}, False),
        ({"date_sent_after": -20_000 * DAY, "date_sent_before": 2_000_000 * DAY}, True),
    ],
)
def test_by_day(client: Client, offsets: dict[str, timedelta], is_found: bool) -> None:
    wanted = {name: day_of(client) + offset for name, offset in offsets.items()}
    assert bodies(client.messages.list(to=PHONE, **wanted)) == (NEWEST_FIRST if is_found else [])


@pytest.mark.parametrize(
    ("offsets", "is_found"),
    [
        ({"date_sent": 0 * HOUR}, True),
        ({"date_sent_after": -HOUR}, True),
        ({"date_sent_after": HOUR}, False),
        ({"date_sent_before": 0 * HOUR}, True),
        ({"date_sent_before": HOUR}, True),
        ({"date_sent_before": -HOUR}, False),
    ],
)
def test_by_time(client: Client, offsets: dict[str, timedelta], is_found: bool) -> None:
    newest = client.messages.list(to=PHONE, limit=1)[0].date_sent
    wanted = {name: newest + offset for name, offset in offsets.items()}
    assert bodies(client.messages.list(to=PHONE, **wanted)) == (NEWEST_FIRST if is_found else [])


@pytest.mark.parametrize(
    "query",
    [
        "DateSent={day}",
        "DateSent%3E={day}",
        "DateSent>={day}",
        "DateSent%3E={day}T00:00:00Z",
        "DateSent%3E={day}T00:00:00.000Z",
        "DateSent%3E={day}T02:00:00%2B02:00",
        "DateSent%3E={day}T02:00:00+02:00",
        "DateSent%3E={day}%2000:00:00",
        "DateSent%3C={next}",
        "DateSent<={next}",
        "DateSent=&To=",
    ],
)
def test_by_time_as_others_write_it(raw: Raw, client: Client, query: str) -> None:
    day = day_of(client)
    filled = query.format(day=day, next=day + DAY)
    assert raw("GET", f"/Messages.json?{filled}&From=%2B15551234567").json()["messages"]


def test_nothing_found(raw: Raw, client: Client) -> None:
    page = raw("GET", "/Messages.json?To=%2B19999999999").json()
    assert (page["messages"], page["next_page_uri"], page["start"], page["end"]) == ([], None, 0, 0)


def test_deep_pages_of_a_token_that_is_not_ours(raw: Raw, client: Client) -> None:
    other = "PA" + "YQ" + "A" * 21
    assert raw("GET", f"/Messages.json?PageToken={other}").status_code in (200, 400)
