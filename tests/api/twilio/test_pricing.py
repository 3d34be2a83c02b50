"""Prices of messages through the official client, from the same table by which they are charged."""

from pathlib import Path

import pytest
from twilio.rest import Client

from parley.lib.countries import names
from tests.api.twilio.client import ask, client_of, refusal
from tests.server import Server, serve


@pytest.fixture(scope="module")
def client(server: Server) -> Client:
    return client_of(server)


def test_every_country_is_listed_in_pages(client: Client) -> None:
    countries = client.pricing.v1.messaging.countries
    found = countries.list()
    assert [(each.iso_country, each.country) for each in found] == list(names().items())
    assert [each.iso_country for each in countries.list(page_size=7)] == list(names())
    second = countries.page(page_size=7).next_page()
    assert second is not None
    first = second.previous_page()
    assert first is not None
    assert [each.iso_country for each in first] == list(names())[:7]


@pytest.mark.parametrize(("country", "outbound", "inbound"), [("US", "0.0079", "0.0079"), ("gb", "0.04", "0.0075")])
def test_a_country_has_its_prices(client: Client, country: str, outbound: str, inbound: str) -> None:
    found = client.pricing.v1.messaging.countries(country).fetch()
    assert (found.iso_country, found.country, found.price_unit) == (
        country.upper(),
        names()[country.upper()],
        "USD",
    )
    assert found.outbound_sms_prices is not None
    [network] = found.outbound_sms_prices
    kinds = {"local", "mobile", "shortcode", "toll-free"}
    assert {(each["number_type"], each["current_price"]) for each in network["prices"]} == {
        (kind, outbound) for kind in kinds
    }
    assert found.inbound_sms_prices is not None
    assert {(each["number_type"], each["base_price"]) for each in found.inbound_sms_prices} == {
        (kind, inbound) for kind in kinds
    }


def test_what_is_no_country_is_not_found(client: Client) -> None:
    for text in ("XX", "USA", "*"):
        assert refusal(client.pricing.v1.messaging.countries(text).fetch) == (404, 20404)


def test_an_operators_prices_are_told_and_charged(tmp_path: Path) -> None:
    table = tmp_path / "prices.tsv"
    table.write_text("country\tkind\tdirection\tmicro_usd\nFR\tsms\toutbound\t65000\nUS\tsms\toutbound\t0\n")
    with serve(f"sqlite:///{tmp_path}/parley.db", prices_file=str(table)) as server:
        client = client_of(server)
        told = client.pricing.v1.messaging.countries("FR").fetch().outbound_sms_prices
        assert told is not None
        assert told[0]["prices"][0]["current_price"] == "0.065"
        free = client.pricing.v1.messaging.countries("US").fetch().outbound_sms_prices
        assert free is not None
        assert free[0]["prices"][0]["current_price"] == "0.00"
        answer = ask(server, "GET", "/pricing/v1/Messaging/Countries/FR?Day=today")
        assert (answer.status_code, answer.json()["code"]) == (400, 20001)
