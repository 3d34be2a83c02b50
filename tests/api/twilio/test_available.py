"""Numbers for sale, through the official client."""

import phonenumbers
import pytest
from twilio.rest import Client

from parley.api.twilio import incoming_phone_numbers
from tests.api.twilio.client import Raw, client_of, refusal
from tests.server import Server, serve


@pytest.fixture(scope="module")
def client(server: Server) -> Client:
    return client_of(server)


@pytest.fixture(scope="module")
def raw(server: Server) -> Raw:
    return Raw(server)


def test_countries(client: Client) -> None:
    countries = {each.country_code: each for each in client.available_phone_numbers.list()}
    assert {"US", "CA", "GB", "DE", "AU", "IN"} <= countries.keys()
    assert set(countries["US"].subresource_uris) == {"local", "toll_free"}
    assert set(countries["GB"].subresource_uris) == {"local", "mobile", "toll_free"}
    fetched = client.available_phone_numbers("GB").fetch()
    assert (fetched.country, fetched.country_code) == ("United Kingdom", "GB")
    assert refusal(client.available_phone_numbers("AQ").fetch) == (404, 20404)


@pytest.mark.parametrize(
    ("country", "kind", "type_"),
    [
        ("US", "local", phonenumbers.PhoneNumberType.FIXED_LINE_OR_MOBILE),
        ("CA", "local", phonenumbers.PhoneNumberType.FIXED_LINE_OR_MOBILE),
        ("US", "toll_free", phonenumbers.PhoneNumberType.TOLL_FREE),
        ("GB", "local", phonenumbers.PhoneNumberType.FIXED_LINE),
        ("GB", "mobile", phonenumbers.PhoneNumberType.MOBILE),
        ("AU", "mobile", phonenumbers.PhoneNumberType.MOBILE),
    ],
)
def test_what_is_for_sale_is_valid(client: Client, country: str, kind: str, type_: int) -> None:
    found = getattr(client.available_phone_numbers(country), kind).list(limit=60, page_size=60)
    assert len({each.phone_number for each in found}) == 60
    for each in found:
        number = phonenumbers.parse(each.phone_number)
        assert phonenumbers.is_valid_number(number)
        assert phonenumbers.number_type(number) == type_
        assert each.iso_country == country
        assert each.capabilities["mms"] is (country in ("US", "CA"))


def test_a_search_finds_the_same_again_page_after_page(client: Client) -> None:
    local = client.available_phone_numbers("US").local
    every = [each.phone_number for each in local.list(limit=30, page_size=30)]
    assert [each.phone_number for each in local.list(limit=30, page_size=10)] == every
    second = local.page(page_size=10).next_page()
    assert [each.phone_number for each in second] == every[10:20]
    assert [each.phone_number for each in second.previous_page()] == every[:10]


def test_filters(client: Client) -> None:
    local = client.available_phone_numbers("US").local

    def found(**wanted: object) -> list[str]:
        return [each.phone_number for each in local.list(limit=5, **wanted)]

    def some(**wanted: object) -> list[str]:
        numbers = found(**wanted)
        assert numbers
        return numbers

    assert all(number.startswith("+1510") for number in some(area_code=510))
    assert all(number.startswith("+1510") for number in some(near_number="+15105551234"))
    assert all("55" in number for number in some(contains="55"))
    assert all("2255" in number for number in some(contains="CALL"))
    assert all(number.startswith("+1415") for number in some(contains="+1415"))
    assert all(number.endswith("77") for number in some(contains="77$"))
    assert all(number[2:5] == "415" and number[-1] == "0" for number in some(contains="+1415%0$"))
    assert found(contains="+1415*******$") == found(area_code=415)
    assert {each.region for each in local.list(limit=5, in_region="ca")} == {"CA"}
    oakland = local.list(limit=5, in_locality="Oakland", in_region="CA")
    assert {each.locality for each in oakland} == {"Oakland"}
    assert found(sms_enabled=False) == found(fax_enabled=True) == found(mms_enabled=False) == []
    assert found(mms_enabled=True, voice_enabled=True, exclude_all_address_required=True, beta=False)
    assert client.available_phone_numbers("GB").mobile.list(mms_enabled=True) == []
    assert client.available_phone_numbers("US").toll_free.list(area_code=800, limit=1)[0].phone_number[:5] == "+1800"


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("US/Local.json?Contains=1", 20001),
        ("US/Local.json?Contains=1**", 20001),
        ("US/Local.json?Contains=12;34", 20001),
        ("US/Local.json?AreaCode=12", 21451),
        ("GB/Local.json?AreaCode=510", 21451),
        ("GB/Local.json?NearNumber=%2B15105551234", 20001),
        ("US/Local.json?NearNumber=1", 20001),
        ("US/Local.json?Distance=x", 20001),
        ("US/Local.json?SmsEnabled=x", 20001),
        ("US/Local.json?Unknown=x", 20001),
        ("US/Local.json?PageToken=x", 21481),
        (".json?PageSize=x", 20001),
        (".json?Unknown=x", 20001),
    ],
)
def test_a_search_is_refused(raw: Raw, query: str, code: int) -> None:
    path = "/AvailablePhoneNumbers" if query.startswith(".") else "/AvailablePhoneNumbers/"
    assert raw.outcome("GET", path + query) == (400, code)


def test_what_is_bought_is_for_sale_no_more_until_released(client: Client) -> None:
    local = client.available_phone_numbers("US").local
    first, second = local.list(area_code=628, limit=2)
    bought = client.incoming_phone_numbers.local.create(phone_number=first.phone_number)
    assert [each.phone_number for each in local.list(area_code=628, limit=1)] == [second.phone_number]
    again = client.incoming_phone_numbers.create(area_code="628")
    assert again.phone_number == second.phone_number
    assert client.incoming_phone_numbers(bought.sid).delete()
    assert [each.phone_number for each in local.list(area_code=628, limit=1)] == [first.phone_number]


def test_pages_of_one_kind_are_read_by_pieces(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(incoming_phone_numbers, "PIECE", 2)
    accounts = client_of(server).api.v2010.accounts
    numbers = accounts(accounts.create(friendly_name="Kinds").sid).incoming_phone_numbers
    bought = {
        address: numbers.create(phone_number=address).sid
        for n in range(5)
        for address in (f"+4474001235{n:02}", f"+442071838{n:03}", f"+1415555046{n}", f"+1800555046{n}")
    }

    def sids(*parts: str) -> list[str]:
        return [sid for address, sid in reversed(bought.items()) if address.startswith(parts)]

    for listed, expected in (
        (numbers.mobile, sids("+4474")),
        (numbers.local, sids("+4420", "+1415")),
        (numbers.toll_free, sids("+1800")),
    ):
        assert [each.sid for each in listed.list(page_size=2)] == expected
        assert [each.sid for each in listed.page(page_size=2, page_number=1)] == expected[2:4]
        assert list(listed.page(page_size=2, page_number=9)) == []
        first = listed.page(page_size=2)
        third = first.next_page().next_page()
        assert [each.sid for each in third] == expected[4:6]
        assert [each.sid for each in third.previous_page()] == expected[2:4]
        assert [each.sid for each in third.previous_page().previous_page()] == expected[:2]


def test_numbers_of_one_kind(client: Client, raw: Raw) -> None:
    mobile = client.available_phone_numbers("GB").mobile.list(limit=1)[0].phone_number
    free = client.available_phone_numbers("US").toll_free.list(limit=1)[0].phone_number
    numbers = client.incoming_phone_numbers
    assert numbers.mobile.create(phone_number=mobile).capabilities["mms"] is False
    assert numbers.toll_free.create(phone_number=free, friendly_name="Free").friendly_name == "Free"
    assert [each.phone_number for each in numbers.mobile.list()] == [mobile]
    assert [each.phone_number for each in numbers.toll_free.list()] == [free]
    listed = [each.phone_number for each in numbers.local.list(page_size=1)]
    assert "+15551234567" in listed
    assert not {mobile, free} & set(listed)
    page = numbers.local.page(page_size=1).next_page()
    assert next(iter(page.previous_page())).phone_number == listed[0]
    for kind, other in (("Mobile", free), ("TollFree", mobile), ("Local", free)):
        path = f"/IncomingPhoneNumbers/{kind}.json"
        assert raw.outcome("POST", path, data={"PhoneNumber": other}) == (400, 21458)
        assert raw.outcome("POST", path, data={}) == (400, 21421)
        assert raw.outcome("POST", path, data={"AreaCode": "510"}) == (400, 21457)


def test_the_strict_profile_sells_what_is_for_sale_alone(tmp_path: object) -> None:
    with serve(f"sqlite:///{tmp_path}/parley.db", profile="strict") as server:
        client = client_of(server)
        offered = client.available_phone_numbers("US").local.list(area_code=415, limit=1)[0].phone_number
        assert client.incoming_phone_numbers.create(phone_number=offered).phone_number == offered
        assert client.incoming_phone_numbers.create(area_code="415").phone_number.startswith("+1415")
        unoffered = next(
            number
            for n in range(100)
            if not client.available_phone_numbers("US").local.list(contains=(number := f"+1415275{n:04}"), limit=1)
        )
        create = client.incoming_phone_numbers.create
        assert refusal(lambda: create(phone_number=unoffered)) == (400, 21422)
        assert refusal(lambda: create(area_code="999")) == (400, 21452)
        assert refusal(lambda: create(phone_number="+15005550000")) == (400, 21422)
        assert create(phone_number="+15005550006").phone_number == "+15005550006"
        request = client.validation_requests.create
        assert refusal(lambda: request(phone_number="+14155550123")) == (400, 20001)
