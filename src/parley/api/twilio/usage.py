"""Usage records: what an account and its subaccounts sent and received, by category and period.

Source: twilio.com/docs/usage/api/usage-record.
"""

from bisect import bisect_right
from collections.abc import Collection, Mapping
from typing import Any, Final, get_args
from urllib.parse import quote, urlencode

import msgspec
from starlette.routing import Route

from parley.api.http.credentials import Credentials
from parley.api.http.decode import Form
from parley.api.http.endpoint import Call, Handler, Reply
from parley.api.http.fault import Fault
from parley.api.twilio import pages, render
from parley.api.twilio.acting import Operations
from parley.api.twilio.collection import iso
from parley.api.twilio.money import dollars
from parley.api.twilio.parameters import boolean
from parley.api.twilio.paths import check_account
from parley.api.twilio.usage_periods import ListName, Period, asked, periods_of
from parley.core.accounts import Accounts
from parley.core.usage import Usage
from parley.lib.clock import Clock
from parley.model.usage import CATEGORIES, DAY_US, TOTAL, Amount, Category, Used

_PARAMETERS: Final = pages.PARAMETERS | {"Category", "StartDate", "EndDate", "IncludeSubaccounts"}
_LINKS: Final = {
    "all_time": "AllTime",
    "daily": "Daily",
    "last_month": "LastMonth",
    "monthly": "Monthly",
    "this_month": "ThisMonth",
    "today": "Today",
    "yearly": "Yearly",
    "yesterday": "Yesterday",
}


class _Record(msgspec.Struct, frozen=True):
    period: Period
    category: Category

    @property
    def id(self) -> bytes:
        """Its place among the others, which falls from the newest period on, and within one by category."""
        return (_LONG_AGO + self.period.last).to_bytes(8) + _RANKS[self.category.name].to_bytes(8)


_LONG_AGO: Final = 2**62
_RANKS: Final = {name: rank for rank, name in enumerate(reversed(CATEGORIES))}


class UsageRecords:
    """The lists of usage records, of which each has its periods."""

    def __init__(self, usage: Usage, accounts: Accounts, clock: Clock) -> None:
        self._usage = usage
        self._accounts = accounts
        self._clock = clock

    def handler(self, name: ListName) -> Handler:
        """What serves one list."""

        async def handle(call: Call) -> Reply:
            check_account(call)
            form = call.arguments()
            form.allow(_PARAMETERS)
            return await self._page(call, form, name)

        return handle

    async def _page(self, call: Call, form: Form, name: ListName) -> Reply:
        page, is_alone = pages.page_of(form), boolean(form, "IncludeSubaccounts") is False
        today, since = self._usage.today, call.account.created_at // DAY_US
        periods = periods_of(name, asked(form, today), since, today)
        records = [_Record(period, category) for period in periods for category in _wanted(form)]
        found = pages.cut(page, records, lambda record: record.id)
        sums = _sums(await self._used(call, found, is_alone=is_alone), found)
        as_of = iso(self._clock.now()).replace("Z", "+00:00")
        path = f"{render.account_path(call.account.id)}/Usage/Records"

        def resource(record: _Record) -> dict[str, Any]:
            return _rendered(call, path, name, record, _sum(sums, record), as_of)

        return pages.page_reply(
            "usage_records", _list_path(path, name), form, page, found, lambda record: record.id, resource
        )

    async def _used(self, call: Call, records: Collection[_Record], *, is_alone: bool) -> list[Used]:
        if not records:
            return []
        accounts = [call.account.id] if is_alone else await self._accounts.family(call.account.id)
        first = min(record.period.first for record in records)
        last = max(record.period.last for record in records)
        return await self._usage.used(accounts, first, last)


def _wanted(form: Form) -> list[Category]:
    name = form.one("Category")
    if not name:
        return list(CATEGORIES.values())
    if name not in CATEGORIES:
        raise Fault("invalid_parameter", f"{name[:100]} is not a category that is counted here", "Category")
    return [CATEGORIES[name]]


_Sums = Mapping[tuple[Period, str], Amount]


def _sums(used: Collection[Used], records: Collection[_Record]) -> _Sums:
    """What was used of each leaf in each of the records' periods, of which no two overlap."""
    found: dict[tuple[Period, str], Amount] = {}
    periods = sorted({record.period for record in records}, key=lambda period: period.first)
    starts = [period.first for period in periods]
    for one in used:
        at = bisect_right(starts, one.day) - 1
        if at >= 0 and one.day <= periods[at].last:
            key = (periods[at], one.category)
            found[key] = found.get(key, Amount()) + one.amount
    return found


def _sum(sums: _Sums, record: _Record) -> Amount:
    return sum((sums.get((record.period, leaf), Amount()) for leaf in record.category.leaves), Amount())


def _rendered(call: Call, path: str, name: str, record: _Record, amount: Amount, as_of: str) -> dict[str, Any]:
    category = record.category
    start, end = record.period.dates
    price = dollars(amount.price)
    is_total = category.name == TOTAL
    query = urlencode({"Category": category.name, "StartDate": start, "EndDate": end}, quote_via=quote)
    return {
        "account_sid": f"AC{call.account.id.hex()}",
        "api_version": render.VERSION,
        "as_of": as_of,
        "category": category.name,
        "count": None if is_total else str(amount.count),
        "count_unit": "" if is_total else "messages",
        "description": category.description,
        "end_date": end,
        "price": price,
        "price_unit": "usd",
        "start_date": start,
        "subresource_uris": {link: f"{_list_path(path, of)}?Category={category.name}" for link, of in _LINKS.items()},
        "uri": f"{_list_path(path, name)}?{query}",
        "usage": price if is_total else str(amount.units),
        "usage_unit": category.unit,
    }


def _list_path(path: str, name: str) -> str:
    return f"{path}/{name}.json" if name else f"{path}.json"


def routes(usage: Usage, accounts: Accounts, credentials: Credentials, clock: Clock) -> list[Route]:
    """The lists of usage records."""
    records = UsageRecords(usage, accounts, clock)
    route = Operations(accounts, credentials).route
    return [route("GET", _list_path("/Usage/Records", name), records.handler(name)) for name in get_args(ListName)]
