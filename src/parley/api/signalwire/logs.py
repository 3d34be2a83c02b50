"""Message logs: what was sent and received through either API, without the text."""

from datetime import UTC, datetime, timedelta
from typing import Final

from parley.api.http.decode import Form
from parley.api.http.endpoint import Call, Reply, json_reply
from parley.api.signalwire import pages
from parley.api.signalwire.paths import path_id
from parley.api.signalwire.problems import Invalid, Problem
from parley.api.signalwire.shapes import LOGS, log_body
from parley.core.amend import Amending
from parley.store import Engine, messages

PARAMETERS: Final = pages.PARAMETERS | {"include_deleted", "created_before", "created_on", "created_after"}

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_SECOND_US: Final = 1_000_000
_DAY_US: Final = 86_400_000_000
_BOOLEANS: Final = {"true": True, "1": True, "false": False, "0": False, "": False}


class Logs:
    """`/api/messaging/logs`."""

    def __init__(self, amending: Amending, engine: Engine) -> None:
        self._amending = amending
        self._engine = engine

    async def list(self, call: Call) -> Reply:
        """GET: `{"links","data"}`, newest first. Source: list-message-logs page."""
        page = await page_of_messages(LOGS, call, self._engine)
        return json_reply(200, {"links": page.links, "data": [log_body(message) for message in page.items]})

    async def fetch(self, call: Call) -> Reply:
        """GET of one log. Source: get-message-log page."""
        pages.allow(call.arguments())
        return json_reply(200, log_body(await self._amending.fetch(call.account.id, path_id(call))))


async def page_of_messages(path: str, call: Call, engine: Engine) -> pages.Page:
    """The page of the list at a path that is asked for. Raises Invalid as `pages.turn`, datetime_required and
    not_a_boolean.
    """
    arguments, account_id = call.arguments(), call.account.id
    pages.allow(arguments, PARAMETERS)
    wanted = _filter(arguments)
    return await pages.turn(
        path,
        arguments,
        lambda limit, after, backwards: engine.read(
            messages.page, account_id, wanted, limit, after, backwards=backwards
        ),
    )


def _filter(arguments: Form) -> messages.Filter:
    """Which messages a list asks for. Raises Invalid: datetime_required, not_a_boolean.

    A time without an offset is UTC; `created_on` is the whole UTC day of its time.
    """
    problems: list[Problem] = []
    created_from: list[int] = []
    created_before: list[int] = []
    if (before := _time(arguments, "created_before", problems)) is not None:
        created_before.append(before)
    if (after := _time(arguments, "created_after", problems)) is not None:
        created_from.append((after // _SECOND_US + 1) * _SECOND_US)  # what is shown has whole seconds
    if (on := _time(arguments, "created_on", problems)) is not None:
        day = on // _DAY_US * _DAY_US
        created_from.append(day)
        created_before.append(day + _DAY_US)
    include_deleted = _BOOLEANS.get((arguments.one("include_deleted") or "").lower())
    if include_deleted is None:
        problems.append(Problem("not_a_boolean", "include_deleted must be true or false", "include_deleted"))
    if problems:
        raise Invalid(problems)
    return messages.Filter(
        created_from=max(created_from, default=None),
        created_before=min(created_before, default=None),
        include_deleted=include_deleted is True,
    )


def _time(arguments: Form, name: str, problems: list[Problem]) -> int | None:
    given = arguments.one(name)
    if given is None:
        return None
    try:
        # A + that was not escaped has come as a space.
        parsed = datetime.fromisoformat(given.replace(" ", "+") if "T" in given else given)
        known = parsed if parsed.tzinfo is not None else parsed.replace(tzinfo=UTC)
        return (known - _EPOCH) // _MICROSECOND
    except (ValueError, OverflowError):
        problems.append(Problem("datetime_required", f"{name} must be an ISO 8601 date or date-time", name))
        return None
