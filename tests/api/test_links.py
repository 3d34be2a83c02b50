"""Following links where the server is busy, the record is away, or a URL would break the answer's headers."""

from typing import Any
from unittest.mock import AsyncMock

import pytest

from parley.api.links import Follow
from parley.core.limits import Bounds, Limits
from parley.store import StoreUnavailable
from tests.clock import ManualClock

LINK = "/aaaaaaaaaa"


def limits() -> Limits:
    return Limits(Bounds(intake=1), ManualClock(), nodes=lambda: 1, waiting=lambda: 0)


async def ask(follow: Follow, path: str, host: str = "parley.example") -> tuple[int, dict[bytes, bytes]] | None:
    """Return status and headers of the answer, if any."""
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "GET", "path": path, "headers": [(b"host", host.encode())]}
    if not await follow(scope, send):
        assert sent == []
        return None
    assert b"content-length" in dict(sent[0]["headers"])
    return sent[0]["status"], dict(sent[0]["headers"])


async def test_who_comes_too_late_is_asked_to_come_again() -> None:
    links, bounds = AsyncMock(), limits()
    follow = Follow(links, bounds, "https://parley.example")
    bounds.arrive(is_write=False)
    answer = await ask(follow, LINK)
    assert answer is not None
    assert (answer[0], answer[1][b"retry-after"]) == (503, b"1")
    links.follow.assert_not_called()
    bounds.leave(is_write=False)
    links.follow.return_value = "https://example.com"
    answer = await ask(follow, LINK)
    assert answer is not None
    assert (answer[0], bounds.reads) == (302, 0)


async def test_a_link_waits_for_the_record() -> None:
    links, bounds = AsyncMock(), limits()
    links.follow.side_effect = StoreUnavailable("away")
    answer = await ask(Follow(links, bounds, "https://parley.example"), LINK)
    assert answer is not None
    assert (answer[0], bounds.reads) == (503, 0)


@pytest.mark.parametrize(
    ("url", "location"),
    [
        ("https://example.com/a?b=c&d=%20#e", b"https://example.com/a?b=c&d=%20#e"),
        ("https://example.com/ü", b"https://example.com/%C3%BC"),
        ("https://bücher.example/ü?ü#ü", b"https://xn--bcher-kva.example/%C3%BC?%C3%BC#%C3%BC"),
        ("HTTP://ü:ü@Straße.example:8080/@ü", b"HTTP://%C3%BC:%C3%BC@xn--strae-oqa.example:8080/@%C3%BC"),
        ("https://😀.example", b"https://xn--e28h.example"),
        (f"https://{'ü' * 64}.example", b"https://" + b"%C3%BC" * 64 + b".example"),  # which can be no name
        ("https://example.com/a\r\nX: y", b"https://example.com/a%0D%0AX:%20y"),
        ("https://[::1]:8080/'~!*()", b"https://[::1]:8080/'~!*()"),
    ],
)
async def test_a_url_is_one_header(url: str, location: bytes) -> None:
    links = AsyncMock()
    links.follow.return_value = url
    answer = await ask(Follow(links, limits(), "https://parley.example"), LINK)
    assert answer is not None
    assert (answer[0], answer[1][b"location"]) == (302, location)


async def test_the_server_s_own_name_costs_no_look_at_the_record() -> None:
    links = AsyncMock()
    follow = Follow(links, limits(), "https://parley.example:8443/below")
    assert await ask(follow, "/favicon.ico", "Parley.Example:8443") is None
    links.fallback.assert_not_called()
    links.fallback.return_value = None
    assert await ask(follow, "/favicon.ico", "other.example") is None
    links.fallback.assert_called_once_with("other.example")
