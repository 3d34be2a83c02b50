"""Who sends for a messaging service, through the official client: each kind of sender comes, is told of, and goes."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from msgspec.structs import replace
from twilio.rest import Client

from parley.model.service import PoolSender
from tests.api.twilio.client import ask, client_of, refusal
from tests.server import Server

NOBODYS = "1" * 32


@pytest.fixture(scope="module")
def client(server: Server) -> Client:
    return client_of(server)


@pytest.fixture
def service(client: Client) -> Any:
    made = client.messaging.v1.services.create(friendly_name="Pool")
    return client.messaging.v1.services(made.sid)


def bought(client: Client, address: str) -> str:
    return str(client.incoming_phone_numbers.create(phone_number=address).sid)


def short_code(server: Server, address: str) -> str:
    number = server.run(server.app.numbers.own(server.app.numbers.blank(server.account_id, address, "twilio")))
    return f"SC{number.id.hex()}"


async def fill(server: Server, service_id: bytes, area: str, count: int) -> None:
    """Put so many numbers into a service."""
    senders = [PoolSender("phone_number", f"{area}555{n:04}", "US") for n in range(count)]
    add = server.app.pool_senders.add
    await asyncio.gather(
        *(add(server.account_id, sender, parent_id=service_id, name=sender.address) for sender in senders)
    )


def sids(listed: Any) -> list[str]:
    return [each.sid for each in listed]


def test_phone_numbers(client: Client, service: Any) -> None:
    numbers = [bought(client, f"+1415555020{n}") for n in range(3)]
    added = [service.phone_numbers.create(phone_number_sid=sid) for sid in numbers]
    first = added[0]
    assert (first.sid, first.service_sid) == (numbers[0], service.fetch().sid)
    assert (first.phone_number, first.country_code) == ("+14155550200", "US")
    assert {"SMS", "MMS"} <= set(first.capabilities)
    newest_first = numbers[::-1]
    assert sids(service.phone_numbers.list(page_size=2)) == newest_first
    second = service.phone_numbers.page(page_size=2).next_page()
    assert sids(second.previous_page()) == newest_first[:2]
    assert sids(service.phone_numbers.page(page_size=2, page_number=1)) == newest_first[2:]
    assert service.phone_numbers(numbers[1]).fetch().phone_number == "+14155550201"
    assert service.phone_numbers(numbers[1]).delete()
    assert refusal(service.phone_numbers(numbers[1]).fetch) == (404, 21711)
    assert refusal(service.phone_numbers(numbers[1]).delete) == (404, 21711)
    assert sids(service.phone_numbers.list()) == [numbers[2], numbers[0]]
    assert service.short_codes.list() == []
    assert client.incoming_phone_numbers(numbers[1]).fetch().phone_number == "+14155550201"


def test_a_number_is_in_one_service(client: Client, service: Any) -> None:
    number = bought(client, "+14155550210")
    other = client.messaging.v1.services(client.messaging.v1.services.create(friendly_name="Other").sid)
    service.phone_numbers.create(phone_number_sid=number)
    assert refusal(lambda: service.phone_numbers.create(phone_number_sid=number)) == (409, 21710)
    assert refusal(lambda: other.phone_numbers.create(phone_number_sid=number)) == (409, 21712)
    assert service.delete()
    assert other.phone_numbers.create(phone_number_sid=number).sid == number


def test_many_that_come_at_once_do_not_fill_a_service_beyond_its_limit(server: Server, service: Any) -> None:
    sid = service.fetch().sid
    server.run(fill(server, bytes.fromhex(sid[2:]), "+1213", 397))
    numbers = [short_code(server, f"2470{n}") for n in range(8)]

    def put(number: str) -> int:
        path = f"/messaging/v1/Services/{sid}/ShortCodes"
        return ask(server, "POST", path, data={"ShortCodeSid": number}).status_code

    with ThreadPoolExecutor(len(numbers)) as threads:
        assert sorted(threads.map(put, numbers)) == [201] * 3 + [400] * 5


def test_a_number_that_is_released_is_out_of_its_service(client: Client, service: Any) -> None:
    number = bought(client, "+14155550213")
    service.phone_numbers.create(phone_number_sid=number)
    assert [each.sid for each in service.phone_numbers.list()] == [number]  # known for a second from here on
    assert service.phone_numbers(number).fetch().sid == number
    assert client.incoming_phone_numbers(number).delete()
    assert service.phone_numbers.list() == []
    assert refusal(service.phone_numbers(number).fetch) == (404, 21711)
    again = bought(client, "+14155550213")
    assert service.phone_numbers.create(phone_number_sid=again).sid == again


def test_short_codes(server: Server, service: Any) -> None:
    sid = short_code(server, "24601")
    added = service.short_codes.create(short_code_sid=sid)
    assert (added.sid, added.short_code, added.country_code) == (sid, "24601", "US")
    assert sids(service.short_codes.list()) == [service.short_codes(sid).fetch().sid] == [sid]
    assert service.phone_numbers.list() == []
    assert service.short_codes(sid).delete()
    assert service.short_codes.list() == []


def test_what_is_no_number_of_the_account_is_refused(server: Server, client: Client, service: Any) -> None:
    code, number = short_code(server, "24602"), bought(client, "+14155550211")
    for sid in ("nonsense", f"PN{NOBODYS}", f"PN{code[2:]}", f"SC{number[2:]}"):
        assert refusal(lambda sid=sid: service.phone_numbers.create(phone_number_sid=sid)) == (400, 21421)
    assert refusal(lambda: service.short_codes.create(short_code_sid=f"SC{number[2:]}")) == (400, 21421)
    mute = server.run(server.app.numbers.by_address("+14155550211"))
    assert mute is not None
    server.run(server.app.numbers.change(mute, replace(mute, can_sms=0, can_mms=0)))
    assert refusal(lambda: service.phone_numbers.create(phone_number_sid=number)) == (400, 21715)
    assert service.phone_numbers.list() == []
    nowhere = client.messaging.v1.services(f"MG{NOBODYS}")
    assert refusal(lambda: nowhere.phone_numbers.create(phone_number_sid=number)) == (404, 20404)
    assert refusal(nowhere.phone_numbers(number).fetch) == (404, 20404)
    assert ask(server, "GET", f"/messaging/v1/Services/MG{NOBODYS}/PhoneNumbers").status_code == 404


def test_a_full_service_takes_no_more(server: Server, client: Client, service: Any) -> None:
    server.run(fill(server, bytes.fromhex(service.fetch().sid[2:]), "+1212", 400))
    number = bought(client, "+14155550212")
    assert refusal(lambda: service.phone_numbers.create(phone_number_sid=number)) == (400, 21714)
    assert refusal(lambda: service.alpha_senders.create(alpha_sender="ACME")) == (400, 21714)
    assert len(service.phone_numbers.list(page_size=150)) == 400


def test_alpha_senders(service: Any) -> None:
    added = service.alpha_senders.create(alpha_sender="Acme & Co")
    assert (added.alpha_sender, added.capabilities) == ("Acme & Co", ["SMS"])
    assert sids(service.alpha_senders.list()) == [service.alpha_senders(added.sid).fetch().sid]
    assert refusal(lambda: service.alpha_senders.create(alpha_sender="Acme & Co")) == (409, 21710)
    assert refusal(lambda: service.alpha_senders.create(alpha_sender="Other")) == (400, 20001)
    assert service.alpha_senders(added.sid).delete()
    assert service.alpha_senders.create(alpha_sender="Other").alpha_sender == "Other"


@pytest.mark.parametrize("name", ["", "12345", "+15551234567", "Twelve chars", "Ümlaut", "whatsapp:ACME"])
def test_what_is_no_name_is_refused(service: Any, name: str) -> None:
    code = 21709 if name else 21708
    assert refusal(lambda: service.alpha_senders.create(alpha_sender=name)) == (400, code)
    assert refusal(lambda: service.destination_alpha_senders.create(alpha_sender=name)) == (400, code)


def test_destination_alpha_senders(service: Any) -> None:
    names = service.destination_alpha_senders
    everywhere = names.create(alpha_sender="ACME")
    french = names.create(alpha_sender="ACME FR", iso_country_code="fr")
    assert (everywhere.iso_country_code, french.iso_country_code) == (None, "FR")
    assert sids(names.list()) == [french.sid, everywhere.sid]
    assert sids(names.list(iso_country_code="FR")) == [french.sid]
    assert names.list(iso_country_code="DE") == []
    for wrong in ("France", "XX"):
        assert refusal(lambda code=wrong: names.create(alpha_sender="ACME", iso_country_code=code)) == (400, 20001)
    assert refusal(lambda: names.create(alpha_sender="Other", iso_country_code="FR")) == (400, 20001)
    assert refusal(lambda: names.create(alpha_sender="ACME FR", iso_country_code="FR")) == (409, 21710)
    assert service.alpha_senders.list() == []
    assert names(french.sid).fetch().alpha_sender == "ACME FR"
    assert names(french.sid).delete()
    assert sids(names.list()) == [everywhere.sid]


def test_unknown_parameters_are_refused(server: Server, service: Any) -> None:
    path = f"/messaging/v1/Services/{service.fetch().sid}"
    for part in ("PhoneNumbers", "ShortCodes", "AlphaSenders", "DestinationAlphaSenders", "ChannelSenders"):
        for method in ("GET", "POST"):
            answer = ask(server, method, f"{path}/{part}?Unknown=1")
            assert (answer.status_code, answer.json()["code"]) == (400, 20001)
