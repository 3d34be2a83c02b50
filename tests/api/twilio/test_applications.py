"""Applications and short codes, through the official client."""

import pytest
from twilio.rest import Client

from tests.api.twilio.client import Raw, ask, client_of, refusal
from tests.receiver import Receiver
from tests.server import Server


@pytest.fixture(scope="module")
def client(server: Server) -> Client:
    return client_of(server)


@pytest.fixture(scope="module")
def raw(server: Server) -> Raw:
    return Raw(server)


def test_make_configure_drop(client: Client) -> None:
    made = client.applications.create(
        friendly_name="Orders",
        sms_url="https://example.com/sms",
        sms_method="GET",
        sms_fallback_url="https://example.com/fallback",
        message_status_callback="https://example.com/status",
        voice_url="https://example.com/voice",
        voice_caller_id_lookup=True,
        public_application_connect_enabled=True,
    )
    assert (made.friendly_name, made.sms_url, made.sms_method) == ("Orders", "https://example.com/sms", "GET")
    assert (made.voice_caller_id_lookup, made.public_application_connect_enabled) == (True, True)
    assert (made.sms_status_callback, made.status_callback, made.voice_method) == (None, None, "POST")
    application = client.applications(made.sid)
    changed = application.update(friendly_name="Bills", sms_fallback_url="", voice_caller_id_lookup=False)
    assert (changed.friendly_name, changed.sms_fallback_url, changed.voice_caller_id_lookup) == ("Bills", None, False)
    assert application.fetch().message_status_callback == "https://example.com/status"
    assert application.delete()
    assert refusal(application.fetch) == (404, 20404)
    assert refusal(application.delete) == (404, 20404)
    assert refusal(lambda: application.update(friendly_name="x")) == (404, 20404)


def test_lists(client: Client) -> None:
    made = [client.applications.create(friendly_name=f"list {n % 2}").sid for n in range(4)]
    assert [each.sid for each in client.applications.list(page_size=3)][:4] == made[::-1]
    wanted = client.applications.list(friendly_name="list 1", page_size=1)
    assert [each.sid for each in wanted] == [made[3], made[1]]
    second = client.applications.page(friendly_name="list 1", page_size=1).next_page()
    assert [each.sid for each in second.previous_page()] == [made[3]]


@pytest.mark.parametrize(
    ("parameters", "code"),
    [
        ({"SmsUrl": "nonsense"}, 21402),
        ({"SmsMethod": "PUT"}, 21403),
        ({"SmsFallbackUrl": "https://example.com/"}, 21406),
        ({"FriendlyName": "x" * 65}, 20002),
        ({"VoiceCallerIdLookup": "maybe"}, 20001),
        ({"ApiVersion": "1999"}, 20001),
        ({"Unknown": "x"}, 20001),
    ],
)
def test_what_is_refused(raw: Raw, parameters: dict[str, str], code: int) -> None:
    assert raw.outcome("POST", "/Applications.json", data=parameters) == (400, code)


def test_an_application_answers_for_its_numbers_until_it_goes(
    client: Client, server: Server, receiver: Receiver
) -> None:
    made = client.applications.create(friendly_name="In", sms_url=f"{receiver.url}/application")
    number = client.incoming_phone_numbers.create(
        phone_number="+14155550411", sms_url=f"{receiver.url}/number", sms_application_sid=made.sid
    )
    assert number.sms_application_sid == made.sid

    def say(body: str, path: str) -> None:
        said = {"to": number.phone_number, "body": body}
        ask(server, "POST", "/simulator/phones/+15550023001/messages", json=said).raise_for_status()
        [told] = receiver.wait(lambda request: request.path == path and request.form["Body"] == body)
        assert told.form["To"] == number.phone_number

    say("one", "/application")
    client.applications(made.sid).update(sms_url=f"{receiver.url}/moved")
    say("two", "/moved")
    client.applications(made.sid).delete()
    say("three", "/number")
    numbered = client.incoming_phone_numbers(number.sid)
    assert numbered.fetch().sms_application_sid is None
    assert refusal(lambda: numbered.update(voice_application_sid=made.sid)) == (400, 21420)


def test_both_kinds_of_applications_of_a_number(client: Client) -> None:
    made = client.applications.create(friendly_name="Both")
    sub = client.api.v2010.accounts.create(friendly_name="Other")
    others = client.api.v2010.accounts(sub.sid).applications.create(friendly_name="Others")
    number = client.incoming_phone_numbers.create(phone_number="+14155550412", voice_application_sid=made.sid)
    assert (number.voice_application_sid, number.sms_application_sid) == (made.sid, None)
    update = client.incoming_phone_numbers(number.sid).update
    assert refusal(lambda: update(sms_application_sid=others.sid)) == (400, 21420)
    assert update(voice_application_sid="").voice_application_sid is None


def test_short_codes(client: Client, raw: Raw, server: Server, receiver: Receiver) -> None:
    for code in ("55511", "55522"):
        client.messages.create(to="+15550023002", from_=code, body="Owned by its first use")
    assert [each.short_code for each in client.short_codes.list(page_size=1)] == ["55522", "55511"]
    assert not [each for each in client.incoming_phone_numbers.list() if not each.phone_number.startswith("+")]
    [found] = client.short_codes.list(short_code="55511")
    short_code = client.short_codes(found.sid)
    changed = short_code.update(friendly_name="Votes", sms_url=f"{receiver.url}/votes", sms_method="POST")
    assert (changed.friendly_name, changed.sms_url) == ("Votes", f"{receiver.url}/votes")
    assert short_code.fetch().short_code == "55511"
    assert [each.sid for each in client.short_codes.list(friendly_name="Votes")] == [found.sid]
    ask(
        server, "POST", "/simulator/phones/+15550023002/messages", json={"to": "55511", "body": "Yes"}
    ).raise_for_status()
    [told] = receiver.wait(lambda request: request.path == "/votes")
    assert told.form["To"] == "55511"
    [seed] = client.incoming_phone_numbers.list(phone_number="+15551234567")
    assert refusal(client.short_codes(f"SC{seed.sid[2:]}").fetch) == (404, 20404)
    path = f"/SMS/ShortCodes/{found.sid}.json"
    assert raw.outcome("POST", path, data={"SmsUrl": "nonsense"}) == (400, 21402)
    assert raw.outcome("POST", path, data={"StatusCallback": "https://example.com/"}) == (400, 20001)


def test_applications_on_both_engines(fresh_server: Server) -> None:
    client = client_of(fresh_server)
    made = client.applications.create(friendly_name="Kept", sms_url="https://example.com/sms")
    number = client.incoming_phone_numbers.create(phone_number="+14155550413", sms_application_sid=made.sid)
    client.messages.create(to="+15550023003", from_="55533", body="x")
    for part in (fresh_server.app.applications, fresh_server.app.numbers):
        part.forget()
    assert client.applications(made.sid).fetch().sms_url == "https://example.com/sms"
    assert client.incoming_phone_numbers(number.sid).fetch().sms_application_sid == made.sid
    assert [each.short_code for each in client.short_codes.list()] == ["55533"]
    assert "55533" not in [each.phone_number for each in client.incoming_phone_numbers.list()]
