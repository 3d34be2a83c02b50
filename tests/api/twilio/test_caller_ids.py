"""Verified phones, and what went wrong with webhooks, through the official client."""

from datetime import timedelta

import pytest
from twilio.rest import Client

from tests.api.twilio.client import Raw, ask, client_of, refusal
from tests.receiver import Receiver, Reply
from tests.server import Server, serve


@pytest.fixture(scope="module")
def client(server: Server) -> Client:
    return client_of(server)


@pytest.fixture(scope="module")
def raw(server: Server) -> Raw:
    return Raw(server)


def test_a_simulated_phone_verifies_itself(client: Client) -> None:
    asked = client.validation_requests.create(phone_number="+14155550511", friendly_name="Mine", call_delay=5)
    assert (asked.phone_number, asked.friendly_name) == ("+14155550511", "Mine")
    assert len(asked.validation_code) == 6
    assert asked.validation_code.isdigit()
    [found] = client.outgoing_caller_ids.list(phone_number="+14155550511")
    caller_id = client.outgoing_caller_ids(found.sid)
    assert caller_id.fetch().friendly_name == "Mine"
    assert caller_id.update(friendly_name="Ours").friendly_name == "Ours"
    assert caller_id.update(friendly_name="").friendly_name == "(415) 555-0511"
    again = client.validation_requests.create
    assert refusal(lambda: again(phone_number="+1 (415) 555-0511")) == (400, 21450)
    assert caller_id.delete()
    assert refusal(caller_id.fetch) == (404, 20404)
    assert again(phone_number="+14155550511").friendly_name == "(415) 555-0511"


def test_lists(client: Client) -> None:
    for n in range(3):
        client.validation_requests.create(phone_number=f"+1415555052{n}", friendly_name=f"list {n % 2}")
    wanted = [f"+1415555052{n}" for n in (2, 1, 0)]
    listed = client.outgoing_caller_ids.list(page_size=2)
    assert [each.phone_number for each in listed if each.phone_number in wanted] == wanted
    named = client.outgoing_caller_ids.list(friendly_name="list 0")
    assert [each.phone_number for each in named] == [wanted[0], wanted[2]]


@pytest.mark.parametrize(
    ("parameters", "code"),
    [
        ({}, 21421),
        ({"PhoneNumber": "nonsense"}, 21421),
        ({"PhoneNumber": "12345"}, 21421),
        ({"PhoneNumber": "+14155550530", "CallDelay": "soon"}, 21454),
        ({"PhoneNumber": "+14155550530", "CallDelay": "61"}, 21454),
        ({"PhoneNumber": "+14155550530", "StatusCallback": "https://example.com/"}, 20001),
        ({"PhoneNumber": "+14155550530", "FriendlyName": "x" * 65}, 20002),
        ({"PhoneNumber": "+14155550530", "Unknown": "x"}, 20001),
    ],
)
def test_what_is_refused(raw: Raw, client: Client, parameters: dict[str, str], code: int) -> None:
    assert raw.outcome("POST", "/OutgoingCallerIds.json", data=parameters) == (400, code)
    assert client.outgoing_caller_ids.list(phone_number="+14155550530") == []


def test_what_waits_for_its_code_elsewhere_is_no_verified_phone(sqlite_store_url: str) -> None:
    with serve(sqlite_store_url, profile="strict") as strict:
        asked = {"number": "+14155550540"}
        project = (strict.project_id, strict.auth_token)
        made = ask(strict, "POST", "/api/relay/rest/verified_caller_ids", json=asked, auth=project)
        assert made.status_code == 201
        client = client_of(strict)
        caller_id = client.outgoing_caller_ids("PN" + made.json()["id"].replace("-", ""))
        assert refusal(caller_id.fetch) == (404, 20404)
        assert refusal(lambda: caller_id.update(friendly_name="Mine")) == (404, 20404)
        assert refusal(caller_id.delete) == (404, 20404)
        assert client.outgoing_caller_ids.list() == []
        assert refusal(lambda: client.validation_requests.create(phone_number="+14155550541")) == (400, 20001)


def test_a_webhook_that_was_given_up_is_a_notification(client: Client, receiver: Receiver) -> None:
    receiver.answer = lambda request: Reply(404)
    sent = client.messages.create(
        to="+15550024001", from_="+15551234567", body="x", status_callback=f"{receiver.url}/status"
    )
    receiver.wait(lambda request: request.path == "/status" and request.form["MessageStatus"] == "delivered")
    # The answer to the one before is in the record, or this one would not have been made.
    first = [each for each in client.notifications.list() if each.request_url == f"{receiver.url}/status"][-1]
    assert (first.error_code, first.log, first.request_method) == ("11217", "0", "POST")
    assert first.request_url == f"{receiver.url}/status"
    assert "404" in first.message_text
    fetched = client.notifications(first.sid).fetch()
    assert (fetched.sid, fetched.call_sid, fetched.response_body) == (first.sid, None, "")
    day = sent.date_created.date()
    assert first.sid in [each.sid for each in client.notifications.list(message_date=day, log=0, page_size=1)]
    assert client.notifications.list(log=1) == []
    assert client.notifications.list(message_date_after=day + timedelta(days=2)) == []
    assert refusal(client.notifications(f"NO{sent.sid[2:]}").fetch) == (404, 20404)


def test_notifications_of_both_kinds_are_on_one_list(client: Client, server: Server, receiver: Receiver) -> None:
    receiver.answer = lambda _: Reply(404)
    ours, hook = "+15550024010", f"{receiver.url}/both"
    client.incoming_phone_numbers.create(phone_number=ours, sms_url=hook)
    for n in range(4):
        ask(server, "POST", f"/simulator/phones/+1555002402{n}/messages", json={"to": ours, "body": "Hi"})
        receiver.wait(lambda request: request.path == "/both", count=n + 1)
        client.messages.create(to="+15550024030", from_="+15551234567", body="x", status_callback=hook + "/status")
        receiver.wait(lambda request: request.path == "/both/status", count=2 * (n + 1))
    client.messages.create(to="+15550024030", from_="+15551234567", body="x")

    def listed() -> list[str]:
        return [each.sid for each in client.notifications.list() if each.request_url.startswith(hook)]

    for _ in range(1_000):
        if len(sids := listed()) == 12:
            break
        server.run(server.app.engine.wait_for_change(0.02))
    assert len(set(sids)) == len(sids) == 12
    kinds = [client.notifications(sid).fetch().request_url.removeprefix(hook) for sid in sids]
    assert sorted(kinds) == [""] * 4 + ["/status"] * 8
    everything = [each.sid for each in client.notifications.list()]
    assert [each.sid for each in client.notifications.list(page_size=1)] == everything
    page = client.notifications.page(page_size=5)
    first = [each.sid for each in page]
    second = page.next_page()
    assert first + [each.sid for each in second] == everything[:10]
    assert [each.sid for each in second.previous_page()] == first
    assert [each.sid for each in client.notifications.page(page_size=5, page_number=1)] == everything[5:10]
    beyond = f"/2010-04-01/Accounts/{server.account_sid}/Notifications.json?Page=1000&PageSize=1000"
    assert ask(server, "GET", beyond).json()["code"] == 20001
