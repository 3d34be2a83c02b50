"""ContentRetention and AddressRetention through the official client, on both engines, and in what callbacks tell."""

from itertools import count
from typing import Any, Final

import pytest
from twilio.rest import Client
from twilio.rest.api.v2010.account.message import MessageInstance

from parley.model.message import Message
from parley.store import messages
from parley.store.retention import forget_due
from tests.api.twilio.client import Raw, ask, client_of
from tests.receiver import Receiver
from tests.server import Server

OURS: Final = "+15551234567"
_phones = count(2)


def send(client: Client, to: str | None = None, **values: Any) -> MessageInstance:
    return client.messages.create(to=to or f"+1555800{next(_phones):04}", from_=OURS, body="A secret", **values)


def delivered(server: Server, message: MessageInstance) -> None:
    """Wait until a message has come to its end."""
    after = 0
    while True:
        news = ask(server, "GET", "/admin/events", params={"after": after, "wait": 20}).json()
        assert news["events"]
        if any(e["message_id"] == record_id(message) and e["kind"] == "delivered" for e in news["events"]):
            return
        after = news["next"]


def record_id(message: MessageInstance) -> str:
    digits = str(message.sid)[2:]
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def stored(server: Server, message: MessageInstance) -> Message:
    """Return what the database has of a message."""
    key = (server.account_id, bytes.fromhex(str(message.sid)[2:]))

    async def read() -> Message:
        return (await server.app.engine.read(messages.fetch_many, [key]))[key[1]]

    return server.run(read())


def forget(server: Server) -> None:
    """Do what the node that leads does now and then."""

    async def turn() -> int:
        return await server.app.engine.write(forget_due, server.app.clock.now(), 100)

    server.run(turn())


def test_what_is_not_kept_is_told_until_it_was_sent(server: Server, receiver: Receiver) -> None:
    client = client_of(server)
    message = send(
        client,
        "+15558000001",
        content_retention="discard",
        address_retention="obfuscate",
        status_callback=f"{receiver.url}/status",
    )
    assert (message.body, message.to) == ("A secret", "+15558000001")
    delivered(server, message)
    shown = client.messages(message.sid).fetch()
    assert (shown.status, shown.body, shown.to) == ("delivered", "", "+1555800XXXX")
    [listed] = client.messages.list(to="+15558000001")
    assert (listed.body, listed.to) == ("", "+1555800XXXX")
    record = ask(server, "GET", f"/admin/messages/{message.sid}").json()
    assert (record["body"], record["to"]) == ("", "+1555800XXXX")

    told = receiver.wait(count=2)
    assert [(each.form["MessageStatus"], each.form["To"]) for each in told] == [
        ("sent", "+15558000001"),
        ("delivered", "+15558000001"),
    ]


def test_it_is_gone_from_the_record_soon_after(fresh_server: Server) -> None:
    server, client = fresh_server, client_of(fresh_server)
    no_body = send(client, content_retention="DISCARD", address_retention="retain")
    no_digits = send(client, content_retention="retain", address_retention="obfuscate")
    plain = send(client, content_retention="retain")
    for each in (no_body, no_digits, plain):
        delivered(server, each)
    forget(server)
    found = [stored(server, each) for each in (no_body, no_digits, plain)]
    assert [(each.body, each.recipient) for each in found] == [
        ("", no_body.to),
        ("A secret", f"{no_digits.to[:-4]}XXXX"),
        ("A secret", plain.to),
    ]
    assert client.messages(no_digits.sid).fetch().to == f"{no_digits.to[:-4]}XXXX"
    phone = ask(server, "GET", f"/simulator/phones/{no_body.to}/messages").json()["messages"]
    assert [each["body"] for each in phone] == [""]


@pytest.mark.parametrize(("parameter", "code"), [("ContentRetention", 30029), ("AddressRetention", 30030)])
def test_another_word_is_refused(server: Server, parameter: str, code: int) -> None:
    asked = {"To": "+15558009999", "From": OURS, "Body": "x", parameter: "debug"}
    assert Raw(server).outcome("POST", "/Messages.json", data=asked) == (400, code)


def test_tags_are_in_the_record(server: Server) -> None:
    sent = Raw(server).message(To="+15558009998", From=OURS, Body="x", Tags='{"campaign":"autumn"}').json()
    record = ask(server, "GET", f"/admin/messages/{sent['sid']}").json()
    assert (record["tags"], record["links"]) == ({"campaign": "autumn"}, [])
    plain = Raw(server).message(To="+15558009997", From=OURS, Body="x", ProvideFeedback="true").json()
    assert ask(server, "GET", f"/admin/messages/{plain['sid']}").json()["tags"] is None
