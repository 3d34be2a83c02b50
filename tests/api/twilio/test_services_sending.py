"""Messages through messaging services, by the official client: who sends, what is told, what comes back."""

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace
from twilio.rest import Client

from tests.api.twilio.client import Raw, ask, client_of, refusal
from tests.receiver import Receiver, Reply
from tests.server import Server, serve

CHICAGO, SAN_FRANCISCO, TORONTO, LONDON = "+13125550170", "+14155550170", "+14165550170", "+447700900170"


@pytest.fixture(scope="module")
def client(server: Server) -> Client:
    return client_of(server)


@pytest.fixture(scope="module")
def raw(server: Server) -> Raw:
    return Raw(server)


class Services:
    """Makes services, each of numbers of its own."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._made = 0

    def __call__(self, *patterns: str, **settings: Any) -> Any:
        """A service; `?` in a number's last place makes it one that no other test has."""
        service = self._client.messaging.v1.services.create(friendly_name="Test", **settings)
        for address in patterns:
            number = self._client.incoming_phone_numbers.create(phone_number=address)
            self._client.messaging.v1.services(service.sid).phone_numbers.create(phone_number_sid=number.sid)
        return service

    def numbers(self, area: str, count: int = 1) -> list[str]:
        """Numbers that nobody has."""
        self._made += count
        return [f"+1{area}556{self._made - n:04d}" for n in range(count)]


@pytest.fixture(scope="module")
def services(client: Client) -> Services:
    return Services(client)


def record(server: Server, sid: str) -> Any:
    return ask(server, "GET", f"/admin/messages/{sid}").json()


def told(receiver: Receiver, sid: str, last: str) -> list[str]:
    """The states that callbacks told of a message, once one was the `last`."""
    receiver.wait(lambda r: r.form.get("MessageSid") == sid and r.form["MessageStatus"] == last)
    return [r.form["MessageStatus"] for r in receiver.requests if r.form["MessageSid"] == sid]


def test_a_message_is_accepted_without_a_sender_and_gets_one(
    server: Server, client: Client, services: Services, receiver: Receiver
) -> None:
    [number] = services.numbers("312")
    service = services(number)
    message = client.messages.create(
        to="+13125557001", messaging_service_sid=service.sid, body="Hi", status_callback=f"{receiver.url}/s"
    )
    assert (message.status, message.from_, message.num_segments) == ("accepted", None, "0")
    assert message.messaging_service_sid == service.sid
    assert told(receiver, message.sid, "delivered") == ["queued", "sent", "delivered"]
    first = receiver.requests[0].form
    assert (first["MessagingServiceSid"], first["From"], first["To"]) == (service.sid, number, "+13125557001")
    now = client.messages(message.sid).fetch()
    assert (now.status, now.from_, now.num_segments) == ("delivered", number, "1")
    whole = record(server, message.sid)
    assert [event["kind"] for event in whole["events"]][:2] == ["accepted", "queued"]
    assert whole["sender_choice"] == {"sender": number, "why": "area_code"}


def test_the_sid_of_a_service_may_stand_in_from(client: Client, services: Services) -> None:
    service = services(*services.numbers("312"))
    message = client.messages.create(to="+13125557002", from_=service.sid, body="Hi")
    assert (message.status, message.from_, message.messaging_service_sid) == ("accepted", None, service.sid)


def test_senders_are_chosen_by_area_country_and_turn_and_stay(client: Client, services: Services) -> None:
    [here], [there], [abroad] = services.numbers("415"), services.numbers("312"), services.numbers("416")
    service = services(there, here, abroad)

    def sender(to: str) -> str:
        sid = client.messages.create(to=to, messaging_service_sid=service.sid, body="Hi").sid
        return str(client.messages(sid).fetch().from_)

    assert [sender("+14155557001"), sender("+13125557003"), sender("+14165557001")] == [here, there, abroad]
    elsewhere = Counter(sender(f"+1212555{n:04d}") for n in range(7010, 7020))
    assert elsewhere == {here: 5, there: 5}
    assert [sender(f"+1212555{n:04d}") for n in range(7010, 7013)] == [
        sender(f"+1212555{n}") for n in (7010, 7011, 7012)
    ]
    known = sender("+12125557010")
    pool = client.messaging.v1.services(service.sid).phone_numbers
    pool(next(each.sid for each in pool.list() if each.phone_number == known)).delete()
    assert sender("+12125557010") == ({here, there} - {known}).pop()


def test_without_sticky_senders_each_message_takes_the_next_turn(client: Client, services: Services) -> None:
    service = services(*services.numbers("312", 2), sticky_sender=False)
    sids = [
        client.messages.create(to="+13125557004", messaging_service_sid=service.sid, body="Hi").sid for _ in range(4)
    ]
    senders = [client.messages(sid).fetch().from_ for sid in sids]
    assert senders[0] != senders[1]
    assert senders[:2] == senders[2:]


def test_a_sender_of_the_pool_may_be_named(client: Client, services: Services) -> None:
    one, other, stranger = services.numbers("312", 3)
    service = services(one, other)
    for number in (one, other):
        message = client.messages.create(to="+13125557005", from_=number, messaging_service_sid=service.sid, body="Hi")
        assert client.messages(message.sid).fetch().from_ == number
    create = client.messages.create
    assert refusal(lambda: create(to="+13125557005", from_=stranger, messaging_service_sid=service.sid, body="Hi")) == (
        400,
        21711,
    )


@pytest.mark.parametrize(
    ("parameters", "code"),
    [
        ({"Body": "Hi", "MessagingServiceSid": "MG" + "0" * 32}, 21701),
        ({"Body": "Hi", "MessagingServiceSid": "nonsense"}, 21705),
        ({"MessagingServiceSid": "empty"}, 21619),
        ({"Body": "Hi", "MessagingServiceSid": "empty"}, 21704),
        ({"Body": "Hi", "MessagingServiceSid": "full", "To": "whatsapp:+13125557006"}, 21703),
        ({"Body": "Hi", "MessagingServiceSid": "full", "To": "+15005550004"}, 21610),
        ({"Body": "Hi", "MessagingServiceSid": "full", "ApplicationSid": "AP" + "0" * 32}, 21218),
        ({"Body": "Hi", "MessagingServiceSid": "full", "ApplicationSid": "nonsense"}, 21218),
        ({"Body": "x" * 1601, "MessagingServiceSid": "full"}, 21617),
    ],
)
def test_what_a_service_cannot_send_is_refused(
    raw: Raw, services: Services, parameters: dict[str, str], code: int
) -> None:
    made = {"empty": lambda: services().sid, "full": lambda: services(*services.numbers("312")).sid}
    given = parameters["MessagingServiceSid"]
    sid = made[given]() if given in made else given
    answer = raw.message(**{"To": "+13125557006", **parameters, "MessagingServiceSid": sid})
    assert (answer.status_code, answer.json()["code"]) == (400, code)
    assert raw("GET", "/Messages.json?To=%2B13125557006").json()["messages"] == []


def test_the_nearest_callback_url_is_told(client: Client, services: Services, receiver: Receiver) -> None:
    service = services(*services.numbers("312"), status_callback=f"{receiver.url}/service")
    application = client.applications.create(
        friendly_name="Told", message_status_callback=f"{receiver.url}/application"
    )

    def url(**given: str) -> str:
        sid = client.messages.create(to="+13125557007", messaging_service_sid=service.sid, body="Hi", **given).sid
        return receiver.wait(lambda r: r.form["MessageSid"] == sid)[0].path

    assert url() == "/service"
    assert url(application_sid=application.sid) == "/application"
    assert url(application_sid=application.sid, status_callback=f"{receiver.url}/own") == "/own"
    number = client.messages.create(to="+13125557008", from_="+15551234567", body="Hi", application_sid=application.sid)
    assert told(receiver, number.sid, "delivered") == ["sent", "delivered"]


def test_a_repeated_key_gets_the_same_answer_whatever_became_of_the_message(
    client: Client, services: Services, raw: Raw, receiver: Receiver
) -> None:
    service = services(*services.numbers("312"))
    given = {"To": "+13125557009", "MessagingServiceSid": service.sid, "Body": "Once"}
    key = {"Idempotency-Key": "through a service"}
    given["StatusCallback"] = f"{receiver.url}/s"
    first = raw("POST", "/Messages.json", data=given, headers=key).json()
    told(receiver, first["sid"], "delivered")
    assert raw("POST", "/Messages.json", data=given, headers=key).json() == first
    assert client.messages(first["sid"]).fetch().status == "delivered"


def test_text_is_made_plain_where_the_service_or_the_message_wants_it(client: Client, services: Services) -> None:
    smart, plain = services(*services.numbers("312")), services(*services.numbers("312"), smart_encoding=False)

    def sent(service: Any, **given: Any) -> str:
        message = client.messages.create(to="+13125557011", messaging_service_sid=service.sid, body="“Hi”", **given)
        return str(message.body)

    assert [sent(smart), sent(plain)] == ['"Hi"', "“Hi”"]
    assert [sent(smart, smart_encoded=False), sent(plain, smart_encoded=True)] == ["“Hi”", '"Hi"']


def test_media_become_links_where_no_sender_of_the_pool_can_send_them(
    server: Server, client: Client, services: Services
) -> None:
    numbers = services.numbers("312", 2)
    for number in numbers:
        blank = server.app.numbers.blank(server.account_id, number, "twilio")
        server.run(server.app.numbers.own(replace(blank, can_mms=0)))
    linking, plain = services(), services(mms_converter=False)
    for service, number in zip((linking, plain), numbers, strict=True):
        [owned] = client.incoming_phone_numbers.list(phone_number=number)
        client.messaging.v1.services(service.sid).phone_numbers.create(phone_number_sid=owned.sid)

    def create(service: Any) -> Any:
        url = "https://example.com/a.png"
        return client.messages.create(to="+13125557016", messaging_service_sid=service.sid, body="Look", media_url=url)

    sent = create(linking)
    assert (sent.body, sent.num_media, sent.sid[:2]) == ("Look\nhttps://example.com/a.png", "0", "SM")
    assert refusal(lambda: create(plain)) == (400, 21703)


def text(server: Server, phone: str, to: str, body: str) -> str:
    """Let a phone write to one of our numbers."""
    answer = ask(server, "POST", f"/simulator/phones/{phone}/messages", json={"to": to, "body": body})
    assert answer.status_code == 201
    return str(answer.json()["message_id"])


def test_an_inbound_message_goes_to_the_services_url(
    server: Server, client: Client, services: Services, receiver: Receiver
) -> None:
    [number] = services.numbers("312")
    service = services(number, inbound_request_url=f"{receiver.url}/service")
    [owned] = client.incoming_phone_numbers.list(phone_number=number)
    client.incoming_phone_numbers(owned.sid).update(sms_url=f"{receiver.url}/number")
    text(server, "+13125557012", number, "Hello")
    [request] = receiver.wait()
    assert (request.path, request.form["MessagingServiceSid"]) == ("/service", service.sid)
    message = client.messages(request.form["MessageSid"]).fetch()
    assert (message.messaging_service_sid, message.direction) == (service.sid, "inbound")

    client.messaging.v1.services(service.sid).update(use_inbound_webhook_on_number=True)
    text(server, "+13125557012", number, "Again")
    assert receiver.wait(lambda r: r.form["Body"] == "Again")[0].path == "/number"


def test_what_twiml_answers_goes_through_the_service_unless_its_sender_is_another(
    server: Server, client: Client, services: Services, receiver: Receiver
) -> None:
    one, other = services.numbers("312", 2)
    service = services(
        one, inbound_request_url=f"{receiver.url}/in", status_callback=f"{receiver.url}/state", smart_encoding=True
    )
    client.incoming_phone_numbers.create(phone_number=other)
    another = f'<Message from="{other}" statusCallback="/other">Hi</Message>'
    twiml = f"<Response><Message>“Hi”</Message>{another}</Response>"
    receiver.answer = lambda request: (
        Reply(200, twiml.encode(), (("Content-Type", "text/xml"),)) if request.path == "/in" else Reply()
    )
    text(server, "+13125557014", one, "Hello")
    [told, *_] = receiver.wait(lambda request: request.path == "/state")
    assert (told.form["MessagingServiceSid"], told.form["From"]) == (service.sid, one)
    [reply] = client.messages.list(from_=one, to="+13125557014")
    assert (reply.messaging_service_sid, reply.direction, reply.body) == (service.sid, "outbound-reply", '"Hi"')
    [told, *_] = receiver.wait(lambda request: request.path == "/other")
    assert "MessagingServiceSid" not in told.form
    [reply] = client.messages.list(from_=other, to="+13125557014")
    assert (reply.messaging_service_sid, reply.direction) == (None, "outbound-reply")


def test_a_service_without_an_inbound_url_keeps_nothing_but_consent(
    server: Server, client: Client, services: Services, receiver: Receiver
) -> None:
    one, other = services.numbers("312", 2)
    service = services(one, other)
    phone = "+13125557013"
    client.messages.create(to=phone, messaging_service_sid=service.sid, body="Hi")
    before = [message.sid for message in client.messages.list(from_=phone)]
    text(server, phone, one, "Nobody hears this")
    text(server, phone, one, "STOP")
    assert [message.sid for message in client.messages.list(from_=phone)] == before == []
    create: Callable[..., Any] = client.messages.create
    taken = create(to=phone, messaging_service_sid=service.sid, body="x", status_callback=f"{receiver.url}/ended")
    assert (taken.status, taken.error_code) == ("accepted", None)
    [ended] = receiver.wait(lambda told: told.path == "/ended" and told.form["MessageStatus"] == "failed")
    assert (ended.form["MessageSid"], ended.form["ErrorCode"]) == (taken.sid, "21610")
    assert (taken.fetch().status, taken.fetch().error_code) == ("failed", 21610)
    assert refusal(lambda: create(to=phone, from_=other, body="x")) == (400, 21610)  # it is of the service, too
    client.messages.create(to=phone, from_="+15551234567", body="another's")
    text(server, phone, other, "START")
    assert create(to=phone, messaging_service_sid=service.sid, body="x").status == "accepted"
    metrics = ask(server, "GET", "/metrics").text
    [count] = [line for line in metrics.splitlines() if line.startswith("parley_messages_dropped_total ")]
    assert float(count.split()[1]) >= 3


def test_a_full_queue_ends_a_services_message_later_and_refuses_anothers_at_once(
    sqlite_store_url: str, receiver: Receiver
) -> None:
    with serve(sqlite_store_url, pace_long_code=1 / 30_000) as slow:
        client = client_of(slow)
        services = Services(client)
        [number] = services.numbers("312")
        service = services(number)

        def create(**given: str) -> Any:
            return client.messages.create(to="+13125557014", body="Hi", status_callback=f"{receiver.url}/s", **given)

        create(messaging_service_sid=service.sid)
        create(messaging_service_sid=service.sid)
        message = create(messaging_service_sid=service.sid)
        assert message.status == "accepted"
        assert told(receiver, message.sid, "failed") == ["queued", "failed"]
        failed = receiver.wait(lambda r: r.form["MessageStatus"] == "failed")[0].form
        assert failed["ErrorCode"] == "30001"
        now = client.messages(message.sid).fetch()
        assert (now.status, now.error_code, now.from_) == ("failed", 30001, number)
        assert refusal(lambda: create(from_=number)) == (400, 21611)
        kinds = [event["kind"] for event in record(slow, message.sid)["events"]]
        assert kinds == ["accepted", "queued", "failed"]


def test_the_strict_profile_takes_unregistered_numbers_messages_and_ends_them(
    sqlite_store_url: str, receiver: Receiver
) -> None:
    with serve(sqlite_store_url, profile="strict") as strict:
        client = client_of(strict)
        number = "+13125550170"
        strict.run(strict.app.numbers.own(strict.app.numbers.blank(strict.account_id, number, "twilio")))
        service = client.messaging.v1.services.create(friendly_name="Test")
        [owned] = client.incoming_phone_numbers.list()
        client.messaging.v1.services(service.sid).phone_numbers.create(phone_number_sid=owned.sid)
        for sender in ({"from_": number}, {"messaging_service_sid": service.sid}):
            message = client.messages.create(to="+13125557015", body="Hi", **sender)
            assert (message.status, message.error_code) == ("queued" if "from_" in sender else "accepted", None)
            now = client.messages(message.sid).fetch()
            assert (now.status, now.error_code) == ("undelivered", 30034)
            assert record(strict, message.sid)["submits"] == []
        assert refusal(
            lambda: client.messages.create(to="+919820012345", messaging_service_sid=service.sid, body="Hi")
        ) == (400, 21703)


def test_a_service_goes_on_after_a_restart_with_the_senders_that_recipients_know(store_url: str) -> None:
    recipients = [f"+1212555{n}" for n in range(7030, 7036)]
    senders: list[list[str]] = []
    service = None
    for _ in range(2):
        with serve(store_url) as server:
            client = client_of(server)
            services = Services(client)
            if service is None:
                service = services(*services.numbers("312", 3)).sid
            sids = [
                client.messages.create(to=to, messaging_service_sid=service, body="Hi").sid
                for to in (recipients if not senders else recipients[::-1])
            ]
            senders.append([str(client.messages(sid).fetch().from_) for sid in sids])
    assert senders[1] == senders[0][::-1]
    assert set(Counter(senders[0]).values()) == {2}
