"""Pages of a list as Twilio's clients walk them: by number and token, with the URIs of the pages around."""

from collections.abc import Callable, Sequence
from typing import Any, Final, TypeVar
from urllib.parse import quote, urlencode

import msgspec

from parley.api.http.decode import Form
from parley.api.http.endpoint import Reply, json_reply
from parley.api.http.fault import Fault
from parley.api.http.paging import Position, position, token, whole_number
from parley.api.twilio.problems import Invalid

T = TypeVar("T")

PARAMETERS: Final = frozenset({"PageSize", "Page", "PageToken"})
_MOST_PAGES: Final = 1_000_000


class Page(msgspec.Struct, frozen=True):
    """Which page is asked for. A token says where it begins; `skip` counts what is before it when only its number is
    known.

    Ask the store for one item more than `size`: that one tells whether the list goes on.
    """

    number: int
    size: int
    after: bytes | None
    backwards: bool
    skip: int

    @property
    def limit(self) -> int:
        """Items to ask the store for."""
        return self.size + 1


def page_of(form: Form) -> Page:
    """The page that PageSize (1 to 1000, 50 unless given), Page and PageToken name. Raises Fault, Invalid 21481."""
    size = whole_number(form.one("PageSize"), "PageSize", 50, 1, 1000)
    number = whole_number(form.one("Page"), "Page", 0, 0, _MOST_PAGES)
    text = form.one("PageToken")
    if not text:
        return Page(number, size, None, backwards=False, skip=number * size)
    try:
        at = position(text)
    except Fault:
        raise not_ours() from None
    return Page(number, size, at.id, backwards=at.backwards, skip=0)


def not_ours() -> Invalid:
    """What is wrong with a token that no answer gave."""
    return Invalid(21481, "PageToken is not one that this server gave", "PageToken")


def cut(page: Page, items: Sequence[T], id_of: Callable[[T], bytes]) -> Sequence[T]:
    """What a page shows of `items` (all there are, newest first), and one more where the list goes on: for lists that
    are short, or filtered by what no index knows.
    """
    after = page.after
    if after is None:
        return items[page.skip : page.skip + page.limit]
    if page.backwards:
        return [item for item in items if id_of(item) > after][-page.limit :]
    return [item for item in items if id_of(item) < after][: page.limit]


class Around(msgspec.Struct, frozen=True):
    """Where a page and those around it are: paths with their queries. None where there is none."""

    first: str
    itself: str
    following: str | None
    previous: str | None


def address(path: str, form: Form, page: Page, number: int, at: Position | None = None) -> str:
    """Where the page of a number is, which begins `at` a position if one is given, with the filters of `form`."""
    query = [(name, value) for name in form if name not in PARAMETERS for value in form.many(name)]
    query += [("PageSize", str(page.size)), ("Page", str(number))]
    if at is not None:
        query.append(("PageToken", token(at)))
    return f"{path}?{urlencode(query, quote_via=quote)}"


def around(
    path: str, form: Form, page: Page, found: Sequence[T], id_of: Callable[[T], bytes]
) -> tuple[Sequence[T], Around]:
    """The items of a page among those that the store found (up to `page.limit`), and where the pages around it are."""
    is_longer = len(found) > page.size
    items = found[-page.size :] if page.backwards else found[: page.size]
    following = previous = None
    if items and (page.backwards or is_longer):
        following = address(path, form, page, page.number + 1, Position(id_of(items[-1])))
    if page.number > 0 and (is_longer or not page.backwards):
        before = Position(id_of(items[0]), backwards=True) if items else None
        previous = address(path, form, page, page.number - 1, before)
    here = None if page.after is None else Position(page.after, page.backwards)
    first, itself = address(path, form, page, 0), address(path, form, page, page.number, here)
    return items, Around(first, itself, following, previous)


def page_reply(
    key: str,
    path: str,
    form: Form,
    page: Page,
    found: Sequence[T],
    id_of: Callable[[T], bytes],
    resource: Callable[[T], Any],
) -> Reply:
    """A page as JSON: `found` (up to `page.limit` items) under `key`, and the URIs, relative to the origin, of the page
    itself and those around it, with the filters of `form`.
    """
    items, pages = around(path, form, page, found, id_of)
    return shown(key, page, pages, [resource(item) for item in items])


def shown(key: str, page: Page, pages: Around, items: Sequence[Any]) -> Reply:
    """A page as JSON in the shape of the API of 2010: its items under `key`, and where the pages around it are."""
    start = page.number * page.size
    return json_reply(
        200,
        {
            "first_page_uri": pages.first,
            "next_page_uri": pages.following,
            "previous_page_uri": pages.previous,
            "uri": pages.itself,
            "page": page.number,
            "page_size": page.size,
            "start": start,
            "end": start + max(len(items) - 1, 0),
            key: items,
        },
    )
