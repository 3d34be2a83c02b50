"""Resources of the products beside the API of 2010: times of ISO 8601, absolute URLs, and lists with `meta`.

Source: the OpenAPI documents of messaging v1 and its siblings.
"""

import time
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, TypeVar

from parley.api.http.decode import Form
from parley.api.http.endpoint import Call, Reply, json_reply
from parley.api.twilio.pages import Page, around

T = TypeVar("T")


def url_of(call: Call, path: str) -> str:
    """The absolute URL of a path of the product, such as `/v1/Services/MG...`, as the request's client reaches it."""
    return call.base_url + path


def _here(call: Call) -> str:
    """The path of the request itself, without the product that stands before it."""
    path: str = call.scope["path"]
    return path[path.index("/", 1) :]


def iso(at: int) -> str:
    """A time as ISO 8601 in UTC, to the second: Twilio's Python client parses only `2025-06-19T10:00:00Z`."""
    return _iso(at // 1_000_000)


@lru_cache(maxsize=4096)
def _iso(second: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(second))


def list_reply(
    call: Call,
    key: str,
    form: Form,
    page: Page,
    found: Sequence[T],
    id_of: Callable[[T], bytes],
    resource: Callable[[T], Any],
) -> Reply:
    """A page as JSON: `found` (up to `page.limit` items) under `key`, and `meta` with the URLs of pages around it."""
    items, pages = around(url_of(call, _here(call)), form, page, found, id_of)
    return json_reply(
        200,
        {
            "meta": {
                "page": page.number,
                "page_size": page.size,
                "first_page_url": pages.first,
                "previous_page_url": pages.previous,
                "url": pages.itself,
                "next_page_url": pages.following,
                "key": key,
            },
            key: [resource(item) for item in items],
        },
    )
