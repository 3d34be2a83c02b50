"""Pages of a list as Twilio's clients walk them: by number and token, with the URIs of the pages around."""

from collections.abc import Callable, Sequence
from typing import Any, Final, TypeVar
from urllib.parse import quote, urlencode

import msgspec

from parley.api.http.decode import Form
from parley.api.http.endpoint import Reply, json_reply
from parley.api.http.paging import Position, position, token, whole_number

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
    """The page that PageSize (1 to 1000, 50 unless given), Page and PageToken name. Raises Fault."""
    size = whole_number(form.one("PageSize"), "PageSize", 50, 1, 1000)
    number = whole_number(form.one("Page"), "Page", 0, 0, _MOST_PAGES)
    text = form.one("PageToken")
    if not text:
        return Page(number, size, None, backwards=False, skip=number * size)
    at = position(text)
    return Page(number, size, at.id, backwards=at.backwards, skip=0)


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
    is_longer = len(found) > page.size
    items = found[: page.size]
    if page.backwards:
        items = found[-page.size :]
    has_more, has_before = (
        (True, is_longer) if page.backwards else (is_longer, page.number > 0 or page.after is not None)
    )
    filters = [(name, value) for name in form if name not in PARAMETERS for value in form.many(name)]

    def uri(number: int, at: Position | None = None) -> str:
        query = [*filters, ("PageSize", str(page.size)), ("Page", str(number))]
        if at is not None:
            query.append(("PageToken", token(at)))
        return f"{path}?{urlencode(query, quote_via=quote)}"

    following = previous = None
    if items and has_more:
        following = uri(page.number + 1, Position(id_of(items[-1])))
    if has_before and page.number > 0:
        previous = uri(page.number - 1, Position(id_of(items[0]), backwards=True) if items else None)
    start = page.number * page.size
    return json_reply(
        200,
        {
            "first_page_uri": uri(0),
            "next_page_uri": following,
            "previous_page_uri": previous,
            "uri": uri(page.number, Position(page.after, page.backwards) if page.after is not None else None),
            "page": page.number,
            "page_size": page.size,
            "start": start,
            "end": start + max(len(items) - 1, 0),
            key: [resource(item) for item in items],
        },
    )
