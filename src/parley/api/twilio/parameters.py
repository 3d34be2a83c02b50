"""Read the parameters that Twilio's operations share in form: booleans, choices, methods, dates, wanted addresses."""

import re
from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from typing import Final

from parley.api.http.decode import Form
from parley.api.http.fault import Fault
from parley.api.twilio.problems import Invalid
from parley.model.address import InvalidAddress, parse_sender

_DATE: Final = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_TIME: Final = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d{1,6})?)?(Z|[ +-]\d\d:?\d\d)?", re.ASCII)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND: Final = 1_000_000
_DAY: Final = 86_400 * _SECOND
_MOST_NAME: Final = 64


def boolean(form: Form, name: str) -> bool | None:
    """`true` or `false`, in any case; None when not given. Raises Fault(invalid_parameter)."""
    text = form.one(name)
    if text is None or text == "":
        return None
    if text.lower() not in ("true", "false"):
        raise Fault("invalid_parameter", f"{name} must be true or false", name)
    return text.lower() == "true"


def choice(form: Form, name: str, allowed: Collection[str]) -> str | None:
    """One of a few words, in any case; None when not given. Raises Fault(invalid_parameter)."""
    text = form.one(name)
    if text is None or text == "":
        return None
    found = next((word for word in allowed if word.lower() == text.lower()), None)
    if found is None:
        raise Fault("invalid_parameter", f"{name} must be one of {', '.join(allowed)}", name)
    return found


def friendly_name(form: Form) -> str | None:
    """A name for people; None when not given. Raises Invalid 20002 beyond 64 characters."""
    name = form.one("FriendlyName")
    if name is not None and len(name) > _MOST_NAME:
        raise Invalid(20002, f"FriendlyName may have no more than {_MOST_NAME} characters", "FriendlyName")
    return name


def method(form: Form, name: str) -> str | None:
    """GET or POST; None when not given. Raises Invalid 21403."""
    text = form.one(name)
    if text is None or text == "":
        return None
    if text.upper() not in ("GET", "POST"):
        raise Invalid(21403, f"{name} must be GET or POST", name)
    return text.upper()


def period(form: Form, name: str) -> tuple[int | None, int | None]:
    """The times that the filters `name`, `name>` and `name<` leave, as [from, before) in microseconds.

    `name` alone means that whole day (UTC). `>` means from that moment on, `<` up to and with that second; a date
    stands for its midnight. Source: twilio.com/docs/messaging/api/message-resource, reading a list.
    """
    begins: list[int] = []
    ends: list[int] = []
    if (at := _moment(form, name)) is not None:
        day = at - at % _DAY
        begins.append(day)
        ends.append(day + _DAY)
    if (at := _moment(form, f"{name}>")) is not None:
        begins.append(at)
    if (at := _moment(form, f"{name}<")) is not None:
        ends.append(at + _SECOND)
    return max(begins, default=None), min(ends, default=None)


def wanted_address(form: Form, name: str) -> str | None:
    """An address to filter by, in the record's spelling; what is no address is kept as it is, and matches nothing."""
    text = form.one(name)
    if not text:
        return None
    try:
        return parse_sender(text).text
    except InvalidAddress:
        return text


def _moment(form: Form, name: str) -> int | None:
    text = form.one(name)
    if text is None or text == "":
        return None
    at = time_of(f"{text}T00:00") if _DATE.fullmatch(text) else time_of(text)
    if at is None:
        raise Fault("invalid_parameter", f"{name} must be a date or a time of ISO 8601", name)
    return at


def time_of(text: str) -> int | None:
    """A date and time of ISO 8601, in UTC where it says no offset, as microseconds; None for anything else."""
    if not _TIME.fullmatch(text):
        return None
    try:
        # An offset's plus sign that was not escaped arrives as a space.
        read = datetime.fromisoformat(text[:11] + text[11:].replace(" ", "+"))
    except ValueError:
        return None
    aware = read if read.tzinfo is not None else read.replace(tzinfo=UTC)
    return (aware - _EPOCH) // timedelta(microseconds=1)
