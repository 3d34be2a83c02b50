"""One walk through every resource on each engine, which must not differ in what clients see."""

from datetime import timedelta

from tests.api.twilio.client import ask, client_of, refusal
from tests.receiver import Receiver, Reply
from tests.server import Server

US, PHONE = "+15551234567", "+15550008001"
PICTURE = (b"\x89PNG\r\n\x1a\n", (("Content-Type", "image/png"),))


def test_a_walk(fresh_server: Server, receiver: Receiver) -> None:
    client = client_of(fresh_server)
    receiver.answer = lambda r: Reply(200, *PICTURE) if r.path == "/picture" else Reply()
    sent = [
        client.messages.create(
            to=PHONE,
            from_=US,
            body=f"{n} 👋",
            media_url=[f"{receiver.url}/picture"],
            status_callback=f"{receiver.url}/status",
            provide_feedback=True,
        )
        for n in range(5)
    ]
    receiver.wait(lambda r: r.path == "/status" and r.form["MessageStatus"] == "delivered", len(sent))

    newest_first = [message.sid for message in reversed(sent)]
    assert [found.sid for found in client.messages.list(to=PHONE, page_size=2)] == newest_first
    second = client.messages.page(to=PHONE, page_size=2).next_page()
    assert [found.sid for found in second.previous_page()] == newest_first[:2]
    at = client.messages(sent[0].sid).fetch().date_sent
    assert len(client.messages.list(date_sent=at.date(), from_=US)) == len(sent)
    assert client.messages.list(date_sent_after=at + timedelta(hours=1)) == []

    first = client.messages(sent[0].sid)
    [picture] = first.media.list()
    assert ask(fresh_server, "GET", picture.uri.removesuffix(".json")).content == PICTURE[0]
    assert first.feedback.create(outcome="unconfirmed").outcome == "unconfirmed"
    assert first.update(body="").body == ""
    assert first.media(picture.sid).delete()
    assert first.delete()
    assert refusal(first.fetch) == (404, 20404)

    number = client.incoming_phone_numbers.create(phone_number="+14155550166", sms_url="https://example.com/sms")
    assert [n.sid for n in client.incoming_phone_numbers.list(phone_number="415555*")] == [number.sid]
    assert client.incoming_phone_numbers(number.sid).update(voice_url="https://example.com/v").sms_url
    assert client.incoming_phone_numbers(number.sid).delete()
