"""The whole record of a message, the feed of events, orphans, and how the process is."""

import re
from typing import Any

import pytest
import requests
from prometheus_client import CollectorRegistry
from prometheus_client.parser import text_string_to_metric_families

from parley.api.admin.health import Health
from parley.model.receipt import Receipt
from tests.api.admin.client import OURS, Client, meanwhile, phone
from tests.receiver import Receiver
from tests.receiver import Reply as Answer
from tests.server import Server

ISO = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")


def test_the_whole_record_of_a_message(client: Client, receiver: Receiver) -> None:
    to = phone()
    callback = receiver.url.replace("http://", "http://me:hidden@") + "/status?token=hidden&n=1"
    message_id = client.send(to, StatusCallback=callback)
    receiver.wait(lambda each: "MessageStatus=delivered" in each.body.decode())
    record = client.once(message_id, lambda record: all(each["finished_at"] for each in record["callbacks"][1:]))
    events, submits = record.pop("events"), record.pop("submits")
    callbacks = record.pop("callbacks")
    times = {name: record.pop(name) for name in ("created_at", "updated_at", "sent_at", "expires_at")}
    assert record == {
        "message_id": message_id,
        "status": "delivered",
        "direction": "outbound-api",
        "dialect": "twilio",
        "kind": "sms",
        "from": OURS,
        "to": to,
        "body": "Hello",
        "segments": 1,
        "media": [],
        "carrier": "simulator",
        "error_code": None,
        "error_message": None,
        "uncertain": False,
        "waiting_for": None,
        "until": None,
        "sender_choice": None,
        "tags": None,
        "persistent_actions": [],
        "feedback": None,
        "links": [],
    }
    assert all(ISO.fullmatch(at) for at in times.values())
    assert [event["kind"] for event in events] == ["queued", "sending", "sent", "delivered"]
    assert all(ISO.fullmatch(event["at"]) for event in events)
    assert submits == [
        {
            "carrier": "simulator",
            "at": events[2]["at"],
            "outcome": "accepted",
            "refs": [],
            "code": None,
            "reason": None,
        }
    ]
    assert [each["status"] for each in callbacks] == ["sent", "delivered"]
    assert all(each["url"] == f"{receiver.url.replace('//', '//***@')}/status?token=***&n=1" for each in callbacks)
    assert "hidden" not in str(callbacks)
    assert callbacks[0]["attempts"] == 1
    assert callbacks[0]["next_at"] is None


def test_a_callback_that_waits_says_until_when(client: Client, receiver: Receiver) -> None:
    receiver.answer = lambda _: Answer(503)
    message_id = client.send(phone(), StatusCallback=f"{receiver.url}/s")
    receiver.wait()
    client.in_state(message_id, "delivered")
    (first, *_) = client.whole(message_id)["callbacks"]
    assert first["state"] == "pending"
    assert ISO.fullmatch(first["next_at"])


def test_it_is_found_by_sid_too(client: Client) -> None:
    message_id = client.send(phone())
    digits = message_id.replace("-", "")
    for spelling in (f"SM{digits}", f"MM{digits}", message_id.upper()):
        assert client.whole(spelling)["message_id"] == message_id


def test_the_feed_tells_what_happens_and_wakes_who_waits(fresh_server: Server) -> None:
    client = Client(fresh_server)
    start = client.get("/admin/events")
    assert start["events"] == []
    assert client.get("/admin/events", after=-1) == start
    with meanwhile(lambda: client.get("/admin/events", after=start["next"], wait=50)) as answer:
        message_id = client.send(phone())
    client.in_state(message_id, "delivered")
    first = answer()["events"][0]
    assert (first["message_id"], first["kind"], first["from"]) == (message_id, "queued", OURS)
    told: list[dict[str, Any]] = []
    after = start["next"]
    while (page := client.get("/admin/events", after=after, limit=3))["events"]:
        assert len(page["events"]) <= 3
        told += page["events"]
        after = page["next"]
    assert [event["kind"] for event in told] == ["queued", "sending", "sent", "delivered"]
    assert [event["seq"] for event in told] == sorted(event["seq"] for event in told)


def test_who_waits_when_the_node_stops_is_told_to_come_again(fresh_server: Server) -> None:
    client = Client(fresh_server)
    fresh_server.run(_quiesced(fresh_server))
    for path in ("/admin/events", f"/simulator/phones/{phone()}/messages"):
        answer = client.call("GET", path, params={"wait": 50})
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
        assert client.call("GET", path).status_code == 200


async def _quiesced(server: Server) -> None:
    server.app.quiesce()


def test_receipts_that_match_nothing_are_visible(fresh_server: Server) -> None:
    client = Client(fresh_server)
    receipts = [Receipt("acme", "undelivered", n, f"ref-{n}", error_code=30003) for n in range(3)]
    fresh_server.run(_report(fresh_server, receipts))
    found = client.get("/admin/orphans", limit=2)["orphans"]
    assert [each["ref"] for each in found] == ["ref-2", "ref-1"]
    assert found[1] == {
        "carrier": "acme",
        "ref": "ref-1",
        "status": "undelivered",
        "at": "1970-01-01T00:00:00.000001Z",
        "error_code": 30003,
    }


async def _report(server: Server, receipts: list[Receipt]) -> None:
    await server.app.record.receive(receipts)


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics"])
def test_how_it_is_may_be_asked_by_everyone(client: Client, path: str) -> None:
    answer = requests.get(client.server.base_url + path, timeout=30)
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    assert requests.head(client.server.base_url + path, timeout=30).status_code == 200
    assert requests.post(client.server.base_url + path, timeout=30).status_code == 405


def test_metrics_count_requests_by_surface_and_status(client: Client) -> None:
    origin = client.server.base_url
    for path in ("/admin/account", "/api/messaging/logs", "/simulator/phones", "/2010-04-01/x.json", "/nowhere"):
        requests.get(f"{origin}{path}", timeout=30)
    text = requests.get(f"{origin}/metrics", timeout=30).text
    for surface, status in (("admin", 401), ("signalwire", 401), ("simulator", 401), ("twilio", 404), ("other", 404)):
        assert f'parley_http_requests_total{{status="{status}",surface="{surface}"}}' in text


def test_metrics_count_messages(client: Client) -> None:
    client.in_state(client.send(phone()), "delivered")
    text = requests.get(f"{client.server.base_url}/metrics", timeout=30).text
    families = {family.name: family for family in text_string_to_metric_families(text)}
    states = {sample.labels["status"]: sample.value for sample in families["parley_message_states"].samples}
    assert states["delivered"] >= 1
    submits = families["parley_submits"].samples
    assert any(sample.labels == {"carrier": "simulator", "outcome": "accepted"} for sample in submits)


async def test_readiness_says_what_is_wrong_and_hides_what_broke() -> None:
    async def well() -> str | None:
        return None

    async def ill() -> str | None:
        return "the disk is full"

    async def broken() -> str | None:
        raise RuntimeError("password=hunter2")

    health = Health({"one": well, "two": ill, "three": broken}, CollectorRegistry())
    reply = await health.ready()
    assert reply.status == 503
    assert b"the disk is full" in reply.body
    assert b'"one"' not in reply.body
    assert b"hunter2" not in reply.body
    assert (await Health({"one": well}, CollectorRegistry()).ready()).status == 200


async def test_a_process_that_stops_is_neither_alive_nor_ready() -> None:
    health = Health({}, CollectorRegistry())
    assert ((await health.live()).status, (await health.ready()).status) == (200, 200)
    health.is_stopping = True
    assert ((await health.live()).status, (await health.ready()).status) == (503, 503)
