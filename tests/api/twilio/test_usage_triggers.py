"""Usage triggers through the official client: kept, listed, and told of once a period when their value is reached."""

from collections.abc import Iterator
from typing import Any

import pytest
from twilio.request_validator import RequestValidator
from twilio.rest import Client

from parley.core import usage_triggers
from tests.api.twilio.client import Raw, client_of, refusal
from tests.api.twilio.test_usage import DAY_S, send
from tests.clock import ManualClock
from tests.receiver import Receiver
from tests.server import Server, serve

HOOK = "https://app.example/usage"


@pytest.fixture(scope="module")
def client(server: Server) -> Client:
    return client_of(server)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def watched(store_url: str, clock: ManualClock) -> Iterator[Server]:
    """Return a server whose usage is this test's alone, once on each engine."""
    with serve(store_url, clock) as server:
        yield server


def look(server: Server) -> None:
    """Have the server look at its triggers, and for what that made due."""
    server.run(server.app.usage_triggers.turn())
    server.look()


def test_a_trigger_is_made_changed_and_removed(client: Client) -> None:
    made = client.usage.triggers.create(
        callback_url=HOOK, trigger_value="9.95", usage_category="sms", friendly_name="Enough", trigger_by="price"
    )
    assert (made.trigger_value, made.current_value, made.date_fired) == ("9.95", "0", None)
    assert (made.recurring, made.callback_method, made.usage_category) == ("alltime", "POST", "sms")
    trigger = client.usage.triggers(str(made.sid))
    changed = trigger.update(friendly_name="More", callback_url=f"{HOOK}/2", callback_method="GET")
    fetched = trigger.fetch()
    for found in (changed, fetched):
        assert (found.friendly_name, found.callback_url, found.callback_method) == ("More", f"{HOOK}/2", "GET")
    assert fetched.trigger_value == "9.95"
    assert trigger.delete()
    assert refusal(trigger.fetch) == refusal(trigger.delete) == (404, 20404)


def test_triggers_are_listed_newest_first_and_by_what_they_watch(client: Client) -> None:
    triggers = client.usage.triggers
    kinds = [("mms", "daily", "count"), ("mms", "monthly", "usage"), ("totalprice", "daily", "price")]
    made = [
        triggers.create(
            callback_url=HOOK, trigger_value="1", usage_category=category, recurring=recurring, trigger_by=field
        ).sid
        for category, recurring, field in kinds
    ]
    assert [each.sid for each in triggers.list()] == made[::-1]
    assert [each.sid for each in triggers.list(page_size=1)] == made[::-1]
    assert [each.sid for each in triggers.list(usage_category="mms")] == [made[1], made[0]]
    assert [each.sid for each in triggers.list(recurring="daily")] == [made[2], made[0]]
    assert [each.sid for each in triggers.list(recurring="daily", trigger_by="price")] == [made[2]]


def test_it_is_told_of_once_when_the_value_is_reached(watched: Server, receiver: Receiver) -> None:
    client = client_of(watched)
    made = client.usage.triggers.create(
        callback_url=f"{receiver.url}/usage", trigger_value="2", usage_category="sms-outbound", trigger_by="count"
    )
    send(watched, client)
    look(watched)
    assert client.usage.triggers(str(made.sid)).fetch().date_fired is None
    send(watched, client)
    for _ in range(2):
        look(watched)
    [told] = receiver.wait()
    records = f"/2010-04-01/Accounts/{watched.account_sid}/Usage/Records"
    fired = client.usage.triggers(str(made.sid)).fetch()
    assert told.form | {"IdempotencyToken": "", "DateFired": ""} == {
        "AccountSid": watched.account_sid,
        "UsageTriggerSid": str(made.sid),
        "Recurring": "alltime",
        "UsageCategory": "sms-outbound",
        "TriggerBy": "count",
        "TriggerValue": "2",
        "CurrentValue": "2",
        "UsageRecordUri": f"{records}/AllTime.json?Category=sms-outbound",
        "DateFired": "",
        "IdempotencyToken": "",
    }
    validator = RequestValidator(watched.auth_token)
    assert validator.validate(told.url, told.form, told.headers["x-twilio-signature"])
    assert (fired.current_value, fired.date_fired is not None) == ("2", True)


def test_one_that_recurs_is_told_of_each_period(watched: Server, clock: ManualClock, receiver: Receiver) -> None:
    client = client_of(watched)
    client.usage.triggers.create(
        callback_url=f"{receiver.url}/usage",
        trigger_value="0.0079",
        usage_category="totalprice",
        trigger_by="price",
        recurring="daily",
        callback_method="GET",
    )
    for day in range(2):
        look(watched)
        assert len(receiver.requests) == day, "a new day begins at nothing"
        for _ in range(2):
            send(watched, client)
            look(watched)
        receiver.wait(count=day + 1)
        clock.advance(DAY_S)
    assert {told.method for told in receiver.requests} == {"GET"}
    assert [told.form["CurrentValue"] for told in receiver.requests] == ["0.0079", "0.0079"]


def test_an_offset_counts_from_the_present_value(watched: Server, receiver: Receiver) -> None:
    client = client_of(watched)
    send(watched, client)
    made = client.usage.triggers.create(callback_url=receiver.url, trigger_value="+1", usage_category="sms")
    assert (made.trigger_value, made.current_value, made.trigger_by) == ("2", "1", "usage")
    look(watched)
    send(watched, client)
    look(watched)
    [told] = receiver.wait()
    assert told.form["CurrentValue"] == "2"


def test_very_many_are_looked_at_by_parts(
    watched: Server, receiver: Receiver, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(usage_triggers, "AT_ONCE", 2)
    client = client_of(watched)
    made = []
    for value in (9, 9, 9, 9, 1):
        made.append(client.usage.triggers.create(receiver.url, str(value), "sms").sid)
        clock.advance(1)
    send(watched, client)
    for _ in range(3):
        look(watched)
    [told] = receiver.wait()
    assert told.form["UsageTriggerSid"] == made[-1]


def test_those_of_a_closed_account_are_told_of_no_more(watched: Server, receiver: Receiver) -> None:
    main = client_of(watched)
    accounts = main.api.v2010.accounts
    sid = accounts.create(friendly_name="Closing").sid
    before = accounts(sid).usage.triggers.create(f"{receiver.url}/closed", "+0", "sms")
    accounts(sid).update(status="closed")
    main.usage.triggers.create(f"{receiver.url}/open", "+0", "sms")
    for _ in range(2):
        look(watched)
    assert [told.path for told in receiver.wait()] == ["/open"]
    kept = watched.run(watched.app.usage_triggers.kept.fetch(bytes.fromhex(sid[2:]), bytes.fromhex(before.sid[2:])))
    assert kept.due_at is None


RIGHT = {"CallbackUrl": HOOK, "TriggerValue": "1", "UsageCategory": "sms"}


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"CallbackUrl": ""}, 20001),
        ({"CallbackUrl": "ftp://app.example"}, 21402),
        ({"TriggerValue": "-1"}, 20001),
        ({"TriggerValue": ""}, 20001),
        ({"UsageCategory": "calls"}, 20001),
        ({"CallbackMethod": "PUT"}, 21403),
        ({"Recurring": "hourly"}, 20001),
        ({"TriggerBy": "weight"}, 20001),
        ({"FriendlyName": "x" * 65}, 20002),
        ({"Colour": "red"}, 20001),
    ],
)
def test_what_is_not_understood_is_refused(server: Server, wrong: dict[str, Any], code: int) -> None:
    assert Raw(server).outcome("POST", "/Usage/Triggers.json", data={**RIGHT, **wrong}) == (400, code)
