"""Usage records through the official client: what was sent and received, by category and period."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from twilio.rest import Client

from parley.model.usage import CATEGORIES
from tests.api.twilio.client import Raw, ask, client_of
from tests.clock import ManualClock
from tests.server import Server, serve

OURS, PHONE = "+15551234567", "+15550009001"
DAY_S = 86_400
LEAF, SMS = "sms-outbound-longcode", Decimal("0.0079")


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def used(tmp_path: Path, clock: ManualClock) -> Iterator[Server]:
    """Return a server whose clock is turned by hand, for usage of several days."""
    with serve(f"sqlite:///{tmp_path}/parley.db", clock) as server:
        yield server


@pytest.fixture
def client(used: Server) -> Client:
    return client_of(used)


def today(clock: ManualClock) -> date:
    return datetime.fromtimestamp(clock.now() / 1_000_000, UTC).date()


def counts(records: list[Any]) -> dict[str, tuple[str | None, str]]:
    """Return count and usage of each category that has any."""
    return {record.category: (record.count, record.usage) for record in records if record.usage != "0"}


def in_events(server: Server, auth: tuple[str, str], message_id: str, kind: str) -> None:
    """Return once an event of a message is in the record."""
    after = 0
    while True:
        page = ask(server, "GET", f"/admin/events?after={after}&wait=20", auth=auth).json()
        if any(event["kind"] == kind and event["message_id"] == message_id for event in page["events"]):
            return
        assert page["events"], f"no {kind}"
        after = page["next"]


def send(server: Server, client: Client, auth: tuple[str, str] | None = None, **values: Any) -> None:
    """Send a message, and return once it was sent."""
    auth = auth or server.auth
    sid = client.messages.create(**{"to": PHONE, "from_": OURS, "body": "Hello", **values}).sid
    assert sid is not None
    record = ask(server, "GET", f"/admin/messages/{sid}", auth=auth).json()
    in_events(server, auth, record["message_id"], "sent")


def receive(server: Server) -> None:
    """Have a phone send us a message."""
    answer = ask(server, "POST", f"/simulator/phones/{PHONE}/messages", json={"to": OURS, "body": "Hi"})
    assert answer.status_code == 201


def test_a_new_account_has_each_category_at_zero(client: Client) -> None:
    records = client.usage.records.list()
    assert [record.category for record in records] == list(CATEGORIES)
    assert {record.usage for record in records} == {"0"}
    assert {record.price for record in records} == {Decimal(0)}


def test_what_was_sent_and_received_counts_in_its_category_and_those_above(used: Server, client: Client) -> None:
    send(used, client, body="x" * 200)
    send(used, client)
    receive(used)
    records = client.usage.records.list()
    assert counts(records) == {
        "sms": ("3", "4"),
        "sms-inbound": ("1", "1"),
        "sms-inbound-longcode": ("1", "1"),
        "sms-outbound": ("2", "3"),
        LEAF: ("2", "3"),
        "totalprice": (None, str(4 * SMS)),
    }
    prices = {record.category: record.price for record in records if record.price}
    assert prices == {
        "sms": 4 * SMS,
        "sms-inbound": SMS,
        "sms-inbound-longcode": SMS,
        "sms-outbound": 3 * SMS,
        LEAF: 3 * SMS,
        "totalprice": 4 * SMS,
    }


def test_each_list_has_its_periods(used: Server, client: Client, clock: ManualClock) -> None:
    first = today(clock)
    send(used, client)
    clock.advance(40 * DAY_S)
    send(used, client)
    clock.advance(DAY_S)
    last = today(clock)
    records = client.usage.records

    def listed(found: Any) -> list[tuple[str, str, str]]:
        return [(str(r.start_date), str(r.end_date), r.count) for r in found.list(category=LEAF)]

    def day(at: date) -> str:
        return at.isoformat()

    yesterday, month = last - timedelta(days=1), last.replace(day=1)
    assert (first.month, last.month) == (6, 7), "what follows counts on it"
    assert listed(records) == listed(records.all_time) == [(day(first), day(last), "2")]
    assert listed(records.today) == [(day(last), day(last), "0")]
    assert listed(records.yesterday) == [(day(yesterday), day(yesterday), "1")]
    assert listed(records.this_month) == [(day(month), day(last), "1")]
    assert listed(records.last_month) == [(day(first.replace(day=1)), day(month - timedelta(days=1)), "1")]
    assert listed(records.monthly) == [
        (day(month), day(last), "1"),
        (day(first), day(month - timedelta(days=1)), "1"),
    ]
    assert listed(records.yearly) == [(day(first), day(last), "2")]
    daily = listed(records.daily)
    assert len(daily) == 42
    assert [found for found in daily if found[2] != "0"] == [
        (day(yesterday), day(yesterday), "1"),
        (day(first), day(first), "1"),
    ]


def test_days_can_be_asked_for_by_date_and_by_offset(used: Server, client: Client, clock: ManualClock) -> None:
    send(used, client)
    clock.advance(3 * DAY_S)
    first = today(clock) - timedelta(days=3)
    records = client.usage.records

    def count(**asked: Any) -> str:
        [found] = records.list(category=LEAF, **asked)
        return str(found.count)

    assert count(start_date=first, end_date=first) == "1"
    assert count(start_date=first + timedelta(days=1)) == "0"
    path = f"/2010-04-01/Accounts/{used.account_sid}/Usage/Records.json"
    for asked, expected in {"-3days": "1", "-2days": "0"}.items():
        answer = ask(used, "GET", path, params={"Category": LEAF, "StartDate": asked})
        [found] = answer.json()["usage_records"]
        assert found["count"] == expected
    assert records.list(start_date=first, end_date=first - timedelta(days=1)) == []
    assert len(records.daily.list(category=LEAF, start_date=first + timedelta(days=1))) == 3


def test_pages_lead_from_one_to_the_next(used: Server, client: Client, clock: ManualClock) -> None:
    clock.advance(3 * DAY_S)
    whole = [(str(r.start_date), r.category) for r in client.usage.records.daily.list()]
    assert len(whole) == len(set(whole)) == 4 * len(CATEGORIES)
    paged = [(str(r.start_date), r.category) for r in client.usage.records.daily.list(page_size=7)]
    assert paged == whole
    page = client.usage.records.daily.page(page_size=7)
    second = page.next_page()
    assert second is not None
    clock.advance(DAY_S)  # a new day comes before the others, and moves no page that follows a token
    third = second.next_page()
    assert third is not None
    assert [(str(r.start_date), r.category) for r in third] == whole[14:21]
    back = third.previous_page()
    assert back is not None
    assert [(str(r.start_date), r.category) for r in back] == whole[7:14]


def test_subaccounts_count_unless_they_are_left_out(used: Server, client: Client) -> None:
    sub = client.api.v2010.accounts.create(friendly_name="Sub")
    as_sub = Client(sub.sid, sub.auth_token)
    as_sub.api.base_url = used.base_url
    send(used, as_sub, auth=(str(sub.sid), str(sub.auth_token)), from_="+15551230000")
    [both] = client.usage.records.list(category=LEAF)
    [own] = client.usage.records.list(category=LEAF, include_subaccounts=False)
    assert (both.count, own.count) == ("1", "0")


@pytest.mark.parametrize(
    "asked",
    [
        {"Category": "calls"},
        {"Category": "x" * 1000},
        {"StartDate": "soon"},
        {"EndDate": "2025-13-01"},
        {"IncludeSubaccounts": "perhaps", "StartDate": "2999-01-01"},  # which leaves no records
    ],
)
def test_what_is_not_understood_is_refused(server: Server, asked: dict[str, Any]) -> None:
    assert Raw(server).outcome("GET", "/Usage/Records/Daily.json", params=asked) == (400, 20001)
