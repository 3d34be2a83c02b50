"""The periods of usage records: which days each list of Twilio's is about, counted from 1970-01-01 in UTC."""

import re
from collections.abc import Callable
from datetime import date, timedelta
from typing import Final, Literal

import msgspec

from parley.api.http.decode import Form
from parley.api.http.fault import Fault

ListName = Literal["", "AllTime", "Daily", "LastMonth", "Monthly", "ThisMonth", "Today", "Yearly", "Yesterday"]
"""The last part of a list's path; empty for Records.json itself."""

_EPOCH: Final = date(1970, 1, 1)
_DATE: Final = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_OFFSET: Final = re.compile(r"([+-]?)(\d{1,5})days?", re.ASCII)


class Period(msgspec.Struct, frozen=True):
    """Days, both ends included."""

    first: int
    last: int

    @property
    def dates(self) -> tuple[str, str]:
        """Both ends as dates of ISO 8601."""
        return _date(self.first).isoformat(), _date(self.last).isoformat()


class Asked(msgspec.Struct, frozen=True):
    """The days that a request leaves, both ends included; None where it says nothing."""

    first: int | None
    last: int | None


def asked(form: Form, today: int) -> Asked:
    """What StartDate and EndDate say. Raises Fault. Either is a date, or an offset from today such as `-30days`."""
    return Asked(_day(form, "StartDate", today), _day(form, "EndDate", today))


def periods_of(name: ListName, days: Asked, since: int, today: int) -> list[Period]:
    """The periods of a list, the newest first, each cut to the days asked for; those that are left with none are out.

    `since` is the account's first day, where time begins unless something earlier is asked for by its date.
    """
    month = _number(_date(today).replace(day=1))
    whole = {
        "Today": Period(today, today),
        "Yesterday": Period(today - 1, today - 1),
        "ThisMonth": Period(month, today),
        "LastMonth": Period(_number(_date(month - 1).replace(day=1)), month - 1),
    }.get(name)
    first = since if days.first is None else days.first
    last = today if days.last is None else days.last
    if whole is not None:
        first = whole.first if days.first is None else max(days.first, whole.first)
        last = min(last, whole.last)
    elif name in _STARTS:  # many periods: as many as there can be anything in
        return _split(max(first, since), min(last, today), _STARTS[name])
    return [Period(first, last)] if first <= last else []


_STARTS: Final[dict[str, Callable[[date], date]]] = {
    "Daily": lambda day: day,
    "Monthly": lambda day: day.replace(day=1),
    "Yearly": lambda day: day.replace(month=1, day=1),
}


def _split(first: int, last: int, start_of: Callable[[date], date]) -> list[Period]:
    found = []
    while first <= last:
        start = max(first, _number(start_of(_date(last))))
        found.append(Period(start, last))
        last = start - 1
    return found


def _day(form: Form, name: str, today: int) -> int | None:
    text = form.one(name)
    if not text:
        return None
    if offset := _OFFSET.fullmatch(text.strip()):  # a plus sign that was not escaped arrives as a space
        days = int(offset[2])
        return today - days if offset[1] == "-" else today + days
    if _DATE.fullmatch(text):
        try:
            return _number(date.fromisoformat(text))
        except ValueError:
            pass
    raise Fault("invalid_parameter", f"{name} must be a date such as 2025-06-19, or an offset such as -30days", name)


def _date(day: int) -> date:
    return _EPOCH + timedelta(days=day)


def _number(day: date) -> int:
    return (day - _EPOCH).days
