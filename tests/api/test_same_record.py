"""The same story told through either API leaves the same record, and each API reads what the other wrote."""

from collections.abc import Callable
from typing import Any, Final

import pytest
import requests
from sqlalchemy import select

from parley.lib import ids
from parley.store import Operation, schema
from parley.store.engine.statements import Query, Row
from tests.receiver import Receiver, Reply
from tests.server import Server

OURS: Final = {"twilio": "+15551230001", "signalwire": "+15551230002"}
PNG: Final = Reply(200, b"\x89PNG", (("Content-Type", "image/png"),))


class Dialect:
    """One API, as far as the stories need it. Ids are in hex."""

    def __init__(self, name: str, server: Server, receiver: Receiver, number: str) -> None:
        self.name, self.server, self.receiver, self.number = name, server, receiver, number
        self.http = requests.Session()

    def call(self, method: str, path: str, expect: int, **options: Any) -> Any:
        answer = self.http.request(method, self.server.base_url + path, timeout=30, **options)
        assert answer.status_code == expect, answer.text
        return answer.json() if answer.content else None

    def send(self, to: str, body: str, media: str | None = None) -> str:
        """Send a message with a status callback."""
        raise NotImplementedError

    def is_refused(self, to: str) -> tuple[int, Any]:
        """Status and code with which a message is refused."""
        raise NotImplementedError

    def redact(self, message_id: str) -> None:
        """Empty a message's body."""
        raise NotImplementedError

    def own(self, path: str) -> None:
        """Have the number's webhook at a path of the receiver's, answered by one reply."""
        raise NotImplementedError

    def read(self, message_id: str) -> dict[str, Any]:
        """A message by its API: from, to, body, status, direction."""
        raise NotImplementedError

    def media(self, message_id: str) -> list[bytes]:
        """The octets of a message's media."""
        raise NotImplementedError


class Twilio(Dialect):
    """2010-04-01."""

    def __init__(self, *args: Any) -> None:
        super().__init__("twilio", *args)
        self.http.auth = self.server.auth
        self.base = f"/2010-04-01/Accounts/{self.server.account_sid}"

    def _form(self, to: str, body: str) -> dict[str, str]:
        callback = f"{self.receiver.url}/status"
        return {"To": to, "From": self.number, "Body": body, "StatusCallback": callback}

    def send(self, to: str, body: str, media: str | None = None) -> str:
        data = self._form(to, body) | ({"MediaUrl": media} if media else {})
        sid: str = self.call("POST", f"{self.base}/Messages.json", 201, data=data)["sid"]
        return sid[2:]

    def is_refused(self, to: str) -> tuple[int, Any]:
        answer = self.call("POST", f"{self.base}/Messages.json", 400, data=self._form(to, "Hi"))
        return answer["status"], answer["code"]

    def redact(self, message_id: str) -> None:
        self.call("POST", f"{self.base}/Messages/SM{message_id}.json", 200, data={"Body": ""})

    def own(self, path: str) -> None:
        data = {"PhoneNumber": self.number, "SmsUrl": self.receiver.url + path}
        self.call("POST", f"{self.base}/IncomingPhoneNumbers.json", 201, data=data)

    def read(self, message_id: str) -> dict[str, Any]:
        found = self.call("GET", f"{self.base}/Messages/SM{message_id}.json", 200)
        direction = found["direction"].partition("-")[0]
        return {**{name: found[name] for name in ("from", "to", "body", "status")}, "direction": direction}

    def media(self, message_id: str) -> list[bytes]:
        listed = self.call("GET", f"{self.base}/Messages/MM{message_id}/Media.json", 200)["media_list"]
        paths = [each["uri"].removesuffix(".json") for each in listed]
        return [self.http.get(self.server.base_url + path, timeout=30).content for path in paths]


class SignalWire(Dialect):
    """The REST API."""

    def __init__(self, *args: Any) -> None:
        super().__init__("signalwire", *args)
        self.http.auth = (self.server.project_id, self.server.auth_token)
        self.base = "/api/messaging/messages"

    def _json(self, to: str, body: str) -> dict[str, Any]:
        callback = f"{self.receiver.url}/status"
        return {"to": to, "from": self.number, "body": body, "status_callback": callback}

    def send(self, to: str, body: str, media: str | None = None) -> str:
        given = self._json(to, body) | ({"media": [media]} if media else {})
        uuid: str = self.call("POST", self.base, 201, json=given)["id"]
        return uuid.replace("-", "")

    def is_refused(self, to: str) -> tuple[int, Any]:
        answer = self.call("POST", self.base, 422, json=self._json(to, "Hi"))
        return 422, answer["errors"][0]["code"]

    def redact(self, message_id: str) -> None:
        self.call("PATCH", f"{self.base}/{uuid_of(message_id)}", 200, json={"body": ""})

    def own(self, path: str) -> None:
        self.send("+15559990000", "owned on first use")
        listed = self.call("GET", "/api/relay/rest/phone_numbers", 200)["data"]
        [number] = [each for each in listed if each["number"] == self.number]
        given = {"message_handler": "json_webhook", "message_request_url": self.receiver.url + path}
        self.call("PUT", f"/api/relay/rest/phone_numbers/{number['id']}", 200, json=given)

    def read(self, message_id: str) -> dict[str, Any]:
        found = self.call("GET", f"{self.base}/{uuid_of(message_id)}", 200)
        return {name: found[name] for name in ("from", "to", "body", "status", "direction")}

    def media(self, message_id: str) -> list[bytes]:
        found = self.call("GET", f"{self.base}/{uuid_of(message_id)}", 200)
        return [requests.get(url, timeout=30).content for url in found["media"]]


def uuid_of(message_id: str) -> str:
    return ids.to_uuid(bytes.fromhex(message_id))


@pytest.fixture
def dialects(server: Server, receiver: Receiver) -> tuple[Twilio, SignalWire]:
    """Return both APIs of one account, each with a number of its own."""
    answers = {
        "/cat.png": PNG,
        "/twilio": Reply(200, b"<Response><Message>Re</Message></Response>", (("Content-Type", "text/xml"),)),
        "/signalwire": Reply(200, b'{"reply":"Re"}', (("Content-Type", "application/json"),)),
    }
    receiver.answer = lambda received: answers.get(received.path, Reply())
    return Twilio(server, receiver, OURS["twilio"]), SignalWire(server, receiver, OURS["signalwire"])


class Story:
    """What happens, through one API, with one phone."""

    def __init__(self, api: Dialect, phone: str) -> None:
        self.api, self.phone = api, phone
        self.server = api.server
        self.told: list[tuple[int, Any]] = []

    def simulator(self, method: str, path: str, **given: Any) -> Any:
        status = 201 if method == "POST" else 200
        return self.api.call(method, f"/simulator/phones/{self.phone}{path}", status, json=given)

    def until(self, message_id: str, status: str) -> None:
        """Wait until a message is in a state, and all its callbacks are made."""
        for _ in range(1000):
            record = self.api.call("GET", f"/admin/messages/{uuid_of(message_id)}", 200)
            if record["status"] == status and all(c["state"] != "pending" for c in record["callbacks"]):
                return
            self.server.run(self.server.app.engine.wait_for_change(0.05))
        raise AssertionError(record)

    def phone_sends(self, body: str) -> str:
        """The phone writes to the number; the message's id, once its webhook was answered."""
        sent = self.simulator("POST", "/messages", to=self.api.number, body=body)
        message_id: str = sent["message_id"].replace("-", "")
        self.until(message_id, "received")
        return message_id

    def rows(self) -> list[dict[str, Any]]:
        """All messages with the phone, with their events and media; without ids, times, numbers and dialects."""
        found: list[dict[str, Any]] = self.server.run(self._read())
        return found

    async def _read(self) -> list[dict[str, Any]]:
        return await self.server.app.engine.read(_rows, self.phone, self.api.number)


_OWN: Final = {
    "id", "account_id", "dialect", "created_at", "updated_at", "sent_at", "expires_at", "deleted_at",
    "status_callback", "extras",
}  # fmt: skip


def _rows(phone: str, number: str) -> Operation[list[dict[str, Any]]]:
    table = schema.messages
    query = select(table).where((table.c.recipient == phone) | (table.c.sender == phone)).order_by(table.c.id)
    names = [column.name for column in table.columns]
    found = yield Query(query)
    told: list[dict[str, Any]] = []
    for row in found:
        values = dict(zip(names, row, strict=True))
        events = yield Query(
            select(schema.events.c.kind, schema.events.c.data)
            .where(schema.events.c.message_id == values["id"])
            .order_by(schema.events.c.seq)
        )
        media = yield Query(
            select(schema.media.c.content_type, schema.media.c.size, schema.media.c.content_hash).where(
                schema.media.c.message_id == values["id"]
            )
        )
        plain = {name: _plain(value, phone, number) for name, value in values.items() if name not in _OWN}
        plain |= {"is_sent": values["sent_at"] is not None, "valid_us": _span(values)}
        told.append({**plain, "events": list(map(tuple, events)), "media": list(map(tuple, media))})
    return told


def _plain(value: Any, phone: str, number: str) -> Any:
    return {phone: "the phone", number: "the number"}.get(value, value) if isinstance(value, str) else value


def _span(values: dict[str, Any]) -> int | None:
    return None if values["expires_at"] is None else values["expires_at"] - values["created_at"]


def _delivered(story: Story) -> None:
    story.until(story.api.send(story.phone, "Hello, wörld"), "delivered")


def _long(story: Story) -> None:
    story.until(story.api.send(story.phone, "x" * 400 + "…"), "delivered")


def _failed(story: Story) -> None:
    story.simulator("PUT", "", outcome="failed", error_code=30006)
    story.until(story.api.send(story.phone, "Hello"), "failed")


def _undelivered(story: Story) -> None:
    story.simulator("PUT", "", reachable=False)
    story.until(story.api.send(story.phone, "Hello"), "undelivered")


def _redacted(story: Story) -> None:
    message_id = story.api.send(story.phone, "A secret")
    story.until(message_id, "delivered")
    story.api.redact(message_id)


def _with_media(story: Story) -> None:
    story.until(story.api.send(story.phone, "Look", f"{story.api.receiver.url}/cat.png"), "delivered")


def _answered(story: Story) -> None:
    story.api.own(f"/{story.api.name}")
    story.phone_sends("Hi there")
    for row in story.rows()[1:]:
        assert row["direction"] == "outbound-reply"
    newest = story.server.run(_newest(story))
    story.until(newest, "delivered")


async def _newest(story: Story) -> str:
    table = schema.messages.c

    def newest() -> Operation[list[Row]]:
        rows = yield Query(select(table.id).where(table.recipient == story.phone).order_by(table.id.desc()).limit(1))
        return list(rows)

    rows = await story.server.app.engine.read(newest)
    found: bytes = rows[0][0]
    return found.hex()


def _opted_out(story: Story) -> None:
    story.api.own("/quiet")
    story.phone_sends("STOP")
    story.until(story.server.run(_newest(story)), "delivered")
    story.told.append(story.api.is_refused(story.phone))
    story.phone_sends("START")
    story.until(story.server.run(_newest(story)), "delivered")
    story.until(story.api.send(story.phone, "Welcome back"), "delivered")


STORIES: Final[list[Callable[[Story], None]]] = [
    _delivered, _long, _failed, _undelivered, _redacted, _with_media, _answered, _opted_out,
]  # fmt: skip


@pytest.mark.parametrize("tell", STORIES)
def test_a_story_leaves_the_same_record_through_either_api(
    dialects: tuple[Twilio, SignalWire], tell: Callable[[Story], None]
) -> None:
    place = STORIES.index(tell)
    stories = [Story(api, f"+1555321{place}{n:03}") for n, api in enumerate(dialects)]
    if tell is _opted_out:  # who honours STOP is the account's choice, where the APIs differ
        dialects[0].call("PUT", "/admin/account", 200, json={"opt_out_handling": "platform"})
    for story in stories:
        tell(story)
    first, second = (story.rows() for story in stories)
    assert first
    assert first == second
    if tell is _opted_out:
        assert [story.told for story in stories] == [[(400, 21610)], [(422, "number_blacklisted")]]


@pytest.mark.parametrize("writes", [0, 1])
def test_each_api_reads_what_the_other_wrote_under_the_same_id(
    dialects: tuple[Twilio, SignalWire], receiver: Receiver, writes: int
) -> None:
    writer, reader = dialects[writes], dialects[1 - writes]
    writer.own("/quiet")
    story = Story(writer, f"+1555322{writes}000")
    message_id = writer.send(story.phone, "Look", f"{receiver.url}/cat.png")
    story.until(message_id, "delivered")
    want = {
        "from": writer.number,
        "to": story.phone,
        "body": "Look",
        "status": "delivered",
        "direction": "outbound",
    }
    for api in (writer, reader):
        assert api.read(message_id) == want
        assert api.media(message_id) == [PNG.body]
    reader.redact(message_id)
    for api in (writer, reader):
        assert api.read(message_id) == {**want, "body": ""}
    inbound = story.phone_sends("And back")
    for api in (writer, reader):
        assert api.read(inbound)["body"] == "And back"
        assert api.read(inbound)["direction"] == "inbound"
