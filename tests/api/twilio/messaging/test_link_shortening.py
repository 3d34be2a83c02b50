"""Short links through the official client, and as phones follow them."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any, Final

import pytest
import requests
from twilio.request_validator import RequestValidator
from twilio.rest import Client
from twilio.rest.api.v2010.account.message import MessageInstance

from tests.api.twilio.client import ask, client_of, refusal
from tests.clock import ManualClock
from tests.receiver import Receiver
from tests.server import Server, serve

LONG: Final = "https://example.com/offers?from=autumn&for=you"
SHORT: Final = re.compile(r"[0-9A-Za-z]{10}")
NINETY_DAYS_S: Final = 90 * 86_400
_phones, _domains = count(1), count(1)


@pytest.fixture(scope="module")
def client(server: Server) -> Client:
    return client_of(server)


@pytest.fixture(scope="module")
def service(client: Client) -> str:
    """Return the SID of a service that can send, without a domain of its own."""
    return with_sender(client, "+15551234567")


@pytest.fixture(scope="module")
def other(client: Client) -> str:
    """Return the SID of another, whose links stand on a domain."""
    return with_sender(client, "+15557654321")


@pytest.fixture
def domain(server: Server) -> str:
    """Return the SID of a domain that no other test uses."""
    return add(server, f"go{next(_domains)}.example.com")


@pytest.fixture
def on_domain(client: Client, other: str, domain: str) -> Iterator[str]:
    """Return the SID of the service whose links stand on the domain."""
    association = client.messaging.v1.linkshortening_messaging_service(domain, other)
    association.create()
    yield other
    association.delete()


def with_sender(client: Client, number: str) -> str:
    service = client.messaging.v1.services.create(friendly_name="Links")
    [found] = client.incoming_phone_numbers.list(phone_number=number)
    client.messaging.v1.services(service.sid).phone_numbers.create(phone_number_sid=found.sid)
    return str(service.sid)


def add(server: Server, name: str) -> str:
    answer = ask(server, "POST", "/admin/domains", json={"domain": name})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["sid"])


def send(client: Client, service: str, body: str, **values: Any) -> MessageInstance:
    to = f"+1555700{next(_phones):04}"
    return client.messages.create(to=to, messaging_service_sid=service, body=body, shorten_urls=True, **values)


def follow(server: Server, code: str, method: str = "GET", **headers: str) -> requests.Response:
    """Follow a link as a phone does: without credentials."""
    return requests.request(method, f"{server.base_url}/{code}", headers=headers, allow_redirects=False, timeout=30)


def links(server: Server, message: MessageInstance) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = ask(server, "GET", f"/admin/messages/{message.sid}/links").json()["links"]
    return found


def test_a_link_gives_way_to_a_short_one_that_leads_there(server: Server, client: Client, service: str) -> None:
    message = send(client, service, f"Look ({LONG}).")
    found = re.fullmatch(rf"Look \({re.escape(server.base_url)}/(\w{{10}})\)\.", message.body)
    assert found is not None, message.body
    answer = follow(server, found[1])
    assert (answer.status_code, answer.headers["Location"], answer.headers["Cache-Control"]) == (302, LONG, "no-store")
    [link] = links(server, message)
    assert (link["short_url"], link["url"]) == (f"{server.base_url}/{found[1]}", LONG)
    phone = ask(server, "GET", f"/simulator/phones/{message.to}/messages", params={"wait": 20}).json()["messages"]
    assert phone[0]["body"] == message.body


def test_each_link_has_a_code_and_the_same_one_the_same(server: Server, client: Client, service: str) -> None:
    message = send(client, service, f"{LONG} http://example.com/x, {LONG}; example.com")
    first, second, third, rest = message.body.split(" ")
    assert (first, rest) == (third.rstrip(";"), "example.com")
    assert second.rstrip(",") != first
    assert {link["url"] for link in links(server, message)} == {LONG, "http://example.com/x"}


def test_links_are_told_in_the_order_of_the_text(server: Server, client: Client, service: str) -> None:
    urls = [f"https://example.com/{n}" for n in range(8)]
    assert [link["url"] for link in links(server, send(client, service, " ".join(urls)))] == urls


def test_links_are_left_alone_unless_asked(client: Client, service: str) -> None:
    message = client.messages.create(to="+15557009999", messaging_service_sid=service, body=LONG, shorten_urls=False)
    assert message.body == LONG


def test_only_services_shorten(client: Client) -> None:
    assert refusal(
        lambda: client.messages.create(to="+15557009998", from_="+15551234567", body=LONG, shorten_urls=True)
    ) == (400, 20001)


def test_the_short_body_is_what_counts(client: Client, service: str) -> None:
    long = "https://example.com/" + "x" * 1600
    assert len(send(client, service, f"See {long}").body) < 100
    assert refusal(lambda: send(client, service, f"{long} {'y' * 1590}")) == (400, 21617)


def test_a_link_leads_where_it_led_before_characters_were_replaced(
    server: Server, client: Client, service: str
) -> None:
    message = send(client, service, "“Look”: https://example.com/caf\u00e9/\uff21")
    assert message.body.startswith('"Look": http')
    assert follow(server, message.body[-10:]).headers["Location"] == "https://example.com/caf%C3%A9/%EF%BC%A1"


def test_clicks_are_counted_and_previews_are_not(server: Server, client: Client, service: str) -> None:
    message = send(client, service, LONG)
    code = message.body[-10:]
    assert follow(server, code, "HEAD").headers["Location"] == LONG
    assert links(server, message)[0]["clicks"] == 0
    for _ in range(3):
        assert follow(server, code).status_code == 302
    [link] = links(server, message)
    assert (link["clicks"], link["last_click_at"] is None) == (3, False)
    record = ask(server, "GET", f"/admin/messages/{message.sid}").json()
    assert record["links"] == [link]


@pytest.mark.parametrize("path", ["aaaaaaaaaa", "aaaaaaaaa", "aaaaaaaaaaa", "aaaaaaaaa-", "a/aaaaaaaaaa"])
def test_what_is_no_link_leads_nowhere(server: Server, path: str) -> None:
    assert follow(server, path).status_code == 404
    assert follow(server, path, "POST").status_code == 404


def test_a_domain_of_ones_own(server: Server, client: Client, domain: str, on_domain: str) -> None:
    v1 = client.messaging.v1
    assert v1.linkshortening_messaging_service_domain_association(on_domain).fetch().domain_sid == domain
    assert v1.domain_config_messaging_service(on_domain).fetch().domain_sid == domain
    [name] = [d["domain"] for d in ask(server, "GET", "/admin/domains").json()["domains"] if d["sid"] == domain]
    message = send(client, on_domain, LONG)
    assert re.fullmatch(rf"https://{re.escape(name)}/\w{{10}}", message.body)
    v1.domain_config(domain).update(disable_https=True)
    bare = send(client, on_domain, LONG)
    assert re.fullmatch(rf"{re.escape(name)}/\w{{10}}", bare.body)
    assert follow(server, message.body[-10:], Host=name).headers["Location"] == LONG


def test_an_owner_is_told_of_clicks(
    server: Server, client: Client, domain: str, on_domain: str, receiver: Receiver
) -> None:
    client.messaging.v1.domain_config(domain).update(callback_url=f"{receiver.url}/clicks?a=b")
    message = send(client, on_domain, LONG)
    follow(server, message.body[-10:], **{"User-Agent": "A phone/1.0"})
    [told] = receiver.wait()
    assert told.path == "/clicks"
    form = told.form
    assert datetime.fromisoformat(form.pop("click_time")) >= datetime.fromisoformat(form.pop("link_create_time"))
    assert form == {
        "event_type": "click",
        "account_sid": server.account_sid,
        "message_sid": message.sid,
        "sms_sid": message.sid,
        "messaging_service_sid": on_domain,
        "to": message.to,
        "from": "+15557654321",
        "link": LONG,
        "shortened_link": message.body,
        "user_agent": "A phone/1.0",
    }
    validator = RequestValidator(server.auth_token)
    assert validator.validate(told.url, told.form, told.headers["x-twilio-signature"])


def test_who_asks_a_domain_for_nothing_is_sent_to_its_fallback(
    server: Server, client: Client, domain: str, on_domain: str
) -> None:
    message = send(client, on_domain, LONG)
    name = message.body.split("/")[2]
    assert follow(server, "aaaaaaaaaa", Host=name).status_code == 404
    client.messaging.v1.domain_config(domain).update(fallback_url="https://example.com/gone")
    for path in ("aaaaaaaaaa", "", "favicon.ico", "a/b"):
        answer = follow(server, path, Host=f"{name.upper()}:443")
        assert (answer.status_code, answer.headers["Location"]) == (302, "https://example.com/gone")
    assert follow(server, "aaaaaaaaaa", Host="other.example.com").status_code == 404
    assert follow(server, "", Host="[").status_code in (400, 404)
    assert follow(server, message.body[-10:], Host=name).headers["Location"] == LONG


def test_a_configuration_is_changed_and_told(client: Client, domain: str) -> None:
    config = client.messaging.v1.domain_config(domain)
    fresh = config.fetch()
    assert (fresh.fallback_url, fresh.callback_url, fresh.disable_https, fresh.continue_on_failure) == (
        None, None, False, False,
    )  # fmt: skip
    changed = config.update(callback_url="https://example.com/c", fallback_url="https://example.com/f")
    assert (changed.callback_url, changed.fallback_url) == ("https://example.com/c", "https://example.com/f")
    changed = config.update(callback_url="", continue_on_failure=True)
    assert (changed.callback_url, changed.fallback_url, changed.continue_on_failure) == (
        None, "https://example.com/f", True,
    )  # fmt: skip
    assert refusal(lambda: config.update(fallback_url="ftp://example.com")) == (400, 30122)
    assert refusal(lambda: config.update(callback_url="http://10.0.0.1/")) == (400, 30109)
    assert config.fetch().fallback_url == "https://example.com/f"


def test_a_service_has_one_domain(server: Server, client: Client, domain: str, on_domain: str, service: str) -> None:
    v1 = client.messaging.v1
    v1.linkshortening_messaging_service(domain, on_domain).create()  # again
    path = f"/messaging/v1/LinkShortening/Domains/{domain}/MessagingServices/{on_domain}"
    asked = ask(server, "POST", path, data={"DomainSid": "x"})
    assert (asked.status_code, asked.json()["code"]) == (400, 20001)
    second = add(server, f"second{next(_domains)}.example.com")
    assert refusal(lambda: v1.linkshortening_messaging_service(second, on_domain).create()) == (409, 30130)
    assert refusal(lambda: v1.linkshortening_messaging_service(second, on_domain).delete()) == (404, 20404)
    assert refusal(lambda: v1.domain_config_messaging_service(service).fetch()) == (404, 20404)
    assert refusal(lambda: v1.linkshortening_messaging_service_domain_association(service).fetch()) == (404, 20404)
    nobody, nothing = "MG" + "0" * 32, "DN" + "0" * 32
    assert refusal(lambda: v1.linkshortening_messaging_service(domain, nobody).create()) == (404, 20404)
    assert refusal(lambda: v1.linkshortening_messaging_service(nothing, service).create()) == (404, 20404)
    assert refusal(lambda: v1.domain_config(nothing).fetch()) == (404, 20404)


def test_a_link_ends_ninety_days_after_its_message_went(tmp_path: Path) -> None:
    clock = ManualClock()
    url = f"sqlite:///{tmp_path}/parley.db"
    with serve(url, clock, link_url="https://l.example") as server:
        client = client_of(server)
        service = with_sender(client, "+15551234567")
        now = datetime.fromtimestamp(clock.now() / 1_000_000, UTC)
        message = send(client, service, LONG)
        later = send(client, service, LONG, schedule_type="fixed", send_at=now + timedelta(days=30))
        assert message.body.startswith("https://l.example/")
        assert SHORT.fullmatch(message.body[-10:])
    clock.advance(NINETY_DAYS_S - 60)
    with serve(url, clock) as server:  # and it survives a restart
        assert follow(server, message.body[-10:]).headers["Location"] == LONG
        clock.advance(120)
        assert follow(server, message.body[-10:]).status_code == 404
        assert follow(server, later.body[-10:]).headers["Location"] == LONG
