"""What messages to and from each country cost. Source: twilio.com/docs/messaging/api/pricing."""

from collections.abc import Sequence
from typing import Any, Final

from starlette.routing import Route

from parley.api.http.credentials import Credentials
from parley.api.http.endpoint import Call, Endpoint, Reply, json_reply
from parley.api.http.fault import Fault
from parley.api.twilio import pages
from parley.api.twilio.collection import list_reply, url_of
from parley.api.twilio.money import dollars
from parley.api.twilio.paths import check_nothing_asked
from parley.api.twilio.problems import explain
from parley.core.prices import Prices
from parley.lib.countries import names
from parley.model.price import Way

_PLACES: Final = 2
_NUMBER_TYPES: Final = ("local", "mobile", "shortcode", "toll-free")
_WIDTH: Final = 16
_HIGHEST: Final = 255


class Countries:
    """The operations on countries. An operator has a price for each, as few as stand in the table."""

    def __init__(self, prices: Prices) -> None:
        self._prices = prices

    async def list(self, call: Call) -> Reply:
        """A page of countries, in the order of their codes."""
        form = call.arguments()
        form.allow(pages.PARAMETERS)
        page = pages.page_of(form)
        return list_reply(
            call,
            "countries",
            form,
            page,
            pages.cut(page, list(names()), _place),
            _place,
            lambda country: _country(call, country),
        )

    async def fetch(self, call: Call) -> Reply:
        """One country, with its prices for each kind of number."""
        check_nothing_asked(call)
        country = call.path["IsoCountry"].upper()
        if country not in names():
            raise Fault("not_found")
        return json_reply(
            200,
            {
                **_country(call, country),
                "outbound_sms_prices": [
                    {"carrier": "All networks", "mcc": "", "mnc": "", "prices": self._each(country, "outbound")}
                ],
                "inbound_sms_prices": self._each(country, "inbound"),
                "price_unit": "USD",
            },
        )

    def _each(self, country: str, way: Way) -> Sequence[dict[str, Any]]:
        cost = dollars(self._prices.each(country, "sms", way) or 0, _PLACES)
        return [{"base_price": cost, "current_price": cost, "number_type": kind} for kind in _NUMBER_TYPES]


def _country(call: Call, country: str) -> dict[str, Any]:
    return {
        "country": names()[country],
        "iso_country": country,
        "url": url_of(call, f"/v1/Messaging/Countries/{country}"),
    }


def _place(country: str) -> bytes:
    """An id that falls from A to Z, as those of lists do."""
    return bytes(_HIGHEST - octet for octet in country.encode()).ljust(_WIDTH, b"\0")


def routes(prices: Prices, credentials: Credentials) -> list[Route]:
    """Every operation on prices of messages."""
    countries = Countries(prices)
    at = "/pricing/v1/Messaging/Countries"
    return [
        Route(path, Endpoint(handler, credentials, explain), methods=["GET"])
        for path, handler in ((at, countries.list), (f"{at}/{{IsoCountry}}", countries.fetch))
    ]
