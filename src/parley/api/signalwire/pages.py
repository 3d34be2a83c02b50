"""Pages of SignalWire's lists: `page_size`, `page_number`, `page_token`, and the links to the pages around."""

from collections.abc import Awaitable, Callable, Sequence
from hashlib import blake2b
from typing import Any, Final, Protocol, TypeVar
from urllib.parse import urlencode

import msgspec

from parley.api.http.decode import Form
from parley.api.http.fault import Fault
from parley.api.http.paging import Position, position, token, whole_number
from parley.api.signalwire.problems import Invalid, Problem, unknown_parameter

PARAMETERS: Final = frozenset({"page_size", "page_number", "page_token"})
DEFAULT_SIZE: Final = 50
MAX_SIZE: Final = 1000
_MAX_NUMBER: Final = 1_000_000


class _HasId(Protocol):
    @property
    def id(self) -> bytes: ...


T = TypeVar("T", bound=_HasId)


class _Window(msgspec.Struct, frozen=True):
    """Which page is asked for. Numbers only count; where a page begins is in its token."""

    size: int
    number: int
    token: str | None


class Page(msgspec.Struct, frozen=True):
    """One page: its items and `links` of the answer."""

    items: Sequence[Any]
    links: dict[str, str]


def _window(arguments: Form) -> _Window:
    """The page that the query asks for. Raises Invalid: page_token_required, invalid_parameter."""
    size = whole_number(arguments.one("page_size"), "page_size", DEFAULT_SIZE, 1, MAX_SIZE)
    number = whole_number(arguments.one("page_number"), "page_number", 0, 0, _MAX_NUMBER)
    given = arguments.one("page_token") or None
    if given is None and number > 0:
        rule = "page_token is required with a page_number above 0"
        raise Invalid([Problem("page_token_required", rule, "page_token")])
    return _Window(size, number, given)


def allow(arguments: Form, names: frozenset[str] = frozenset()) -> None:
    """Refuse parameters of the query that an operation does not know. Raises Invalid with all of them."""
    unknown = [unknown_parameter(name) for name in arguments if name not in names]
    if unknown:
        raise Invalid(unknown)


def among(found: Sequence[T]) -> Callable[[int, bytes | None, bool], Awaitable[Sequence[T]]]:
    """What `turn` fetches from, of few items that are all there: the oldest first."""

    async def fetch(limit: int, after: bytes | None, backwards: bool) -> Sequence[T]:  # noqa: FBT001 - as turn calls it
        newest_first = sorted(found, key=lambda item: item.id, reverse=True)
        if after is None:
            return newest_first[:limit]
        if backwards:
            return [item for item in newest_first if item.id > after][-limit:]
        return [item for item in newest_first if item.id < after][:limit]

    return fetch


async def turn(
    path: str,
    arguments: Form,
    fetch: Callable[[int, bytes | None, bool], Awaitable[Sequence[T]]],
) -> Page:
    """Fetch the page that the query asks for and make its links. `fetch` takes a limit, the id to begin after, and
    whether backwards.

    Raises Invalid: invalid_parameter, page_token_required, and page_token_is_invalid for a token that this list, under
    these filters, never gave. Source: list-message-logs page.
    """
    window = _window(arguments)
    filters = [(name, arguments.one(name) or "") for name in arguments if name not in PARAMETERS]
    prefix = f"PA{blake2b(repr((path, sorted(filters))).encode(), digest_size=4).hexdigest()}"
    try:
        start = None if window.token is None else position(window.token, prefix)
    except Fault:
        rule = "page_token is not one that this server gave for this list and these filters"
        raise Invalid([Problem("page_token_is_invalid", rule, "page_token")]) from None
    backwards = start is not None and start.backwards
    found = await fetch(window.size + 1, start.id if start is not None else None, backwards)
    has_more = len(found) > window.size
    if backwards:
        items = found[-window.size :]
        has_previous, has_next = has_more, True
    else:
        items = found[: window.size]
        has_previous, has_next = start is not None, has_more

    def link(number: int, of: str | None) -> str:
        query = [("page_number", str(number)), ("page_size", str(window.size)), *filters]
        return f"{path}?{urlencode([*query, ('page_token', of)] if of is not None else query)}"

    links = {"self": link(window.number, window.token), "first": link(0, None)}
    if items and has_next:
        links["next"] = link(window.number + 1, token(Position(items[-1].id), prefix))
    if items and has_previous:
        links["prev"] = link(max(window.number - 1, 0), token(Position(items[0].id, backwards=True), prefix))
    return Page(items, links)
