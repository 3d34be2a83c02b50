"""What arrives at a phone, and how phones and the carrier are made to behave."""

import re
from typing import Any

import pytest

from parley.model.phone import Arrival
from parley.store.accept import Intake
from tests.api.admin.client import OURS, Client, meanwhile, phone
from tests.clock import ManualClock
from tests.receiver import Receiver
from tests.receiver import Reply as Answer
from tests.server import Server, serve
from tests.store.records import Records, take

UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
ISO = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")


def test_a_message_arrives_with_all_that_a_test_wants_of_it(client: Client) -> None:
    to = phone()
    message_id = client.send(to, "Your code is 482913, or open https://example.com/verify?t=1.")
    (item,) = client.at(to, wait=10)
    assert ISO.fullmatch(item.pop("received_at"))
    assert item == {
        "message_id": message_id,
        "from": OURS,
        "to": to,
        "body": "Your code is 482913, or open https://example.com/verify?t=1.",
        "media": [],
        "code": "482913",
        "links": ["https://example.com/verify?t=1"],
    }
    assert client.in_state(message_id, "delivered")["carrier"] == "simulator"


def test_the_wait_ends_with_the_first_match(client: Client) -> None:
    to = phone()
    client.send(to, "not this one")
    with meanwhile(lambda: client.at(to, wait=50, contains="code")) as answer:
        client.send(to, "nor this")
        sent = client.send(to, "the code 1234")
    assert [item["message_id"] for item in answer()] == [sent]


def test_the_wait_ends_without_one(client: Client) -> None:
    assert client.at(phone(), wait=0.01) == []
    assert client.at(phone()) == []


def test_newest_first_and_since(client: Client) -> None:
    to = phone()
    for body in ("one", "two", "three"):
        client.send(to, body)
        client.at(to, wait=10, contains=body)
    found = client.at(to)
    assert [item["body"] for item in found] == ["three", "two", "one"]
    assert [item["body"] for item in client.at(to, limit=1)] == ["three"]
    since = found[1]["received_at"]
    assert [item["body"] for item in client.at(to, since=since)] == ["three", "two"]
    assert client.at(to, since="2999-01-01T00:00:00+00:00") == []
    assert len(client.at(to, since="1750000000.5")) == 3


@pytest.mark.parametrize("spelling", ["{}", "%2B{}", "+{}", "whatsapp:+{}", "whatsapp%3A%2B{}"])
def test_the_plus_may_be_spelled_or_left_out(client: Client, spelling: str) -> None:
    to = phone()
    client.send(to)
    client.at(to, wait=10)
    assert len(client.at(spelling.format(to[1:]))) == 1


def test_media_can_be_fetched_from_the_phone(client: Client, receiver: Receiver) -> None:
    receiver.answer = lambda _: Answer(200, b"\x89PNG picture", (("Content-Type", "image/png"),))
    to = phone()
    client.send(to, MediaUrl=[f"{receiver.url}/a.png", f"{receiver.url}/b.png"])
    (item,) = client.at(to, wait=10)
    assert [(each["content_type"], each["size"]) for each in item["media"]] == [("image/png", 12)] * 2
    answer = client.http.get(item["media"][1]["url"], timeout=30)
    assert (answer.status_code, answer.content) == (200, b"\x89PNG picture")
    assert answer.headers["Content-Type"] == "image/png"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert client.http.get(item["media"][0]["url"].rpartition("/")[0] + "/2", timeout=30).status_code == 404


def test_whatsapp_is_the_same_handset(client: Client) -> None:
    to = phone()
    client.put(f"/simulator/phones/{to}", {"reads": True})
    message_id = client.send(f"whatsapp:{to}", sender=f"whatsapp:{OURS}")
    (item,) = client.at(to, wait=10)
    assert (item["from"], item["to"]) == (f"whatsapp:{OURS}", f"whatsapp:{to}")
    record = client.in_state(message_id, "read")
    assert [event["kind"] for event in record["events"]] == ["queued", "sending", "sent", "delivered", "read"]


def test_phones_are_listed_with_their_last_activity(client: Client) -> None:
    sms, both = phone(), phone()
    client.in_state(client.send(both), "delivered")
    client.in_state(client.send(sms), "delivered")
    client.in_state(client.send(f"whatsapp:{both}", sender=f"whatsapp:{OURS}"), "delivered")
    listed = client.get("/simulator/phones")["phones"]
    assert [each["phone"] for each in listed][:2] == [both, sms]
    assert all(ISO.fullmatch(each["last_activity_at"]) for each in listed)
    assert client.get(f"/simulator/phones/{sms}") == {
        "phone": sms,
        "last_activity_at": listed[1]["last_activity_at"],
        "reachable": True,
        "delay_s": 0.0,
        "outcome": "delivered",
        "error_code": None,
        "reads": False,
    }


@pytest.mark.parametrize(
    ("how", "status", "error_code", "arrives"),
    [
        ({"outcome": "undelivered"}, "undelivered", 30005, False),
        ({"outcome": "undelivered", "error_code": 30004}, "undelivered", 30004, False),
        ({"outcome": "failed"}, "failed", 30008, False),
        ({"outcome": "failed", "error_code": 30007}, "failed", 30007, False),
        ({"reachable": False}, "undelivered", 30003, False),
        ({"outcome": "none"}, "sent", None, True),
        ({"delay_s": 0.05}, "delivered", None, True),
    ],
)
def test_a_phone_behaves_as_told(
    client: Client, how: dict[str, Any], status: str, error_code: int | None, arrives: bool
) -> None:
    to = phone()
    told = client.put(f"/simulator/phones/{to}", how)
    assert told.items() >= how.items()
    record = client.in_state(client.send(to), status)
    assert record["error_code"] == error_code
    assert bool(client.at(to)) == arrives


def test_what_a_phone_is_told_adds_up(client: Client) -> None:
    to = phone()
    client.put(f"/simulator/phones/{to}", {"delay_s": 2, "reads": True})
    client.put(f"/simulator/phones/{to}", {"delay_s": 0, "error_code": 30004})
    told = client.put(f"/simulator/phones/{to}", {})
    assert {name: told[name] for name in ("delay_s", "reads", "error_code", "reachable")} == {
        "delay_s": 0,
        "reads": True,
        "error_code": 30004,
        "reachable": True,
    }


def test_a_forced_receipt_is_a_carriers(client: Client) -> None:
    to = phone()
    client.put(f"/simulator/phones/{to}", {"outcome": "none"})
    message_id = client.send(to)
    client.in_state(message_id, "sent")
    forced = {"message_id": message_id, "status": "undelivered", "error_code": 30006}
    answer = client.call("POST", f"/simulator/phones/{to}/receipts", json=forced)
    assert (answer.status_code, answer.json()["status"], answer.json()["error_code"]) == (200, "undelivered", 30006)
    late = {"message_id": message_id, "status": "delivered"}
    answer = client.call("POST", f"/simulator/phones/{to}/receipts", json=late)
    assert (answer.status_code, answer.json()["status"]) == (200, "undelivered")
    assert [event["kind"] for event in client.whole(message_id)["events"]][-2:] == ["undelivered", "receipt"]


def test_a_forced_failure_has_a_code_unless_told_one(client: Client) -> None:
    to = phone()
    client.put(f"/simulator/phones/{to}", {"outcome": "none"})
    for status, code in (("undelivered", 30005), ("failed", 30008)):
        message_id = client.send(to)
        client.in_state(message_id, "sent")
        forced = {"message_id": f"SM{message_id.replace('-', '')}", "status": status}
        answer = client.call("POST", f"/simulator/phones/{to}/receipts", json=forced)
        assert answer.json()["error_code"] == code


def test_a_receipt_needs_a_message_to_that_phone(client: Client) -> None:
    to = phone()
    message_id = client.send(to)
    forced = {"message_id": message_id, "status": "delivered"}
    answer = client.call("POST", f"/simulator/phones/{phone()}/receipts", json=forced)
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


def test_faults_come_and_go(fresh_server: Server) -> None:
    client = Client(fresh_server)
    calm = client.get("/simulator/faults")
    assert set(calm) == {
        "latency_s",
        "reject_rate",
        "throttle_rate",
        "drop_receipt_rate",
        "duplicate_receipt_rate",
        "disconnect",
    }
    assert client.put("/simulator/faults", {"reject_rate": 1}) == {**calm, "reject_rate": 1.0}
    record = client.in_state(client.send(phone()), "failed")
    assert (record["error_code"], record["submits"][0]["outcome"]) == (30008, "rejected")

    client.put("/simulator/faults", {"reject_rate": 0, "disconnect": True})
    answer = client.call("GET", "/readyz")
    assert (answer.status_code, list(answer.json()["troubles"])) == (503, ["carrier"])
    held = client.send(phone())
    record = client.once(held, lambda record: bool(record["submits"]))
    assert (record["status"], record["waiting_for"]) == ("queued", "carrier_down")
    assert ISO.fullmatch(record["until"])
    assert record["submits"][0]["outcome"] == "unreachable"

    assert client.call("DELETE", "/simulator").status_code == 204
    assert client.get("/simulator/faults") == calm
    assert client.call("GET", "/readyz").status_code == 200
    assert client.in_state(held, "delivered")["waiting_for"] is None


def test_forgetting_takes_phones_and_leaves_messages(fresh_server: Server) -> None:
    client = Client(fresh_server)
    to = phone()
    client.put(f"/simulator/phones/{to}", {"reads": True, "outcome": "none"})
    message_id = client.send(to)
    client.in_state(message_id, "sent")
    assert client.at(to)
    assert client.call("DELETE", "/simulator").status_code == 204
    assert client.at(to) == []
    assert client.get("/simulator/phones") == {"phones": []}
    assert client.get(f"/simulator/phones/{to}")["outcome"] == "delivered"
    assert client.get(f"/simulator/phones/{to}")["last_activity_at"] is None
    assert client.whole(message_id)["status"] == "sent"
    client.in_state(client.send(to), "delivered")
    assert [each["phone"] for each in client.get("/simulator/phones")["phones"]] == [to]


def test_phones_keep_what_they_have_across_a_restart(store_url: str) -> None:
    slow, told = phone(), phone()
    with serve(store_url) as server:
        client = Client(server)
        client.put(f"/simulator/phones/{told}", {"outcome": "none"})
        client.put(f"/simulator/phones/{slow}", {"delay_s": 1})
        kept = client.send(told)
        owed = client.send(slow)
        client.in_state(kept, "sent")
        client.in_state(owed, "sent")
    with serve(store_url) as server:
        client = Client(server)
        assert [item["message_id"] for item in client.at(told)] == [kept]
        assert client.get(f"/simulator/phones/{told}")["outcome"] == "none"
        assert client.in_state(owed, "delivered")


def test_ten_thousand_messages_on_one_phone_can_be_read(fresh_server: Server) -> None:
    client, to = Client(fresh_server), phone()
    app = fresh_server.app
    records = Records(ManualClock())
    sent = [
        records.message(account_id=fresh_server.account_id, recipient=to, status="delivered") for _ in range(10_000)
    ]
    arrivals = [
        Arrival(message.id, message.account_id, to, OURS, f"Message {n}, code {n:06}", None, 1_000_000 + n)
        for n, message in enumerate(sent)
    ]
    fresh_server.run(take(app.engine, *map(Intake, sent)))
    fresh_server.run(app.phones.record(arrivals, ()))
    found = client.at(to)
    assert [item["code"] for item in found] == [f"{n:06}" for n in reversed(range(10_000))]
    assert len(client.at(to, contains="Message 999,")) == 1
