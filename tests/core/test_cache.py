"""What is remembered, and that it is asked for once."""

import asyncio

import pytest

from parley.core.cache import FRESH_S, Cache
from tests.clock import ManualClock


class Source:
    """Answers when the test says so."""

    def __init__(self) -> None:
        self.asked: asyncio.Queue[asyncio.Future[str | None]] = asyncio.Queue()

    async def __call__(self) -> str | None:
        answer: asyncio.Future[str | None] = asyncio.get_running_loop().create_future()
        self.asked.put_nowait(answer)
        return await answer


async def test_many_who_ask_at_once_ask_the_record_once() -> None:
    clock, source = ManualClock(), Source()
    cache: Cache[str, str] = Cache(clock)
    waiting = [asyncio.ensure_future(cache.ask("k", source)) for _ in range(3)]
    asked = await source.asked.get()
    waiting[0].cancel()
    asked.set_result("v")
    assert await asyncio.gather(*waiting[1:]) == ["v", "v"]
    assert await cache.ask("k", source) == "v"
    assert source.asked.empty()
    clock.advance(FRESH_S + 0.1)
    again = asyncio.ensure_future(cache.ask("k", source))
    (await source.asked.get()).set_result("w")
    assert await again == "w"


async def test_what_was_forgotten_while_it_was_loaded_is_loaded_anew() -> None:
    source = Source()
    cache: Cache[str, str] = Cache(ManualClock())
    before = asyncio.ensure_future(cache.ask("k", source))
    asked = await source.asked.get()
    cache.clear()
    after = asyncio.ensure_future(cache.ask("k", source))
    (await source.asked.get()).set_result("new")
    assert await after == "new"
    asked.set_result("old")
    assert await before == "old"
    assert cache.get("k") == "new"


async def test_what_is_put_while_it_is_loaded_is_newer_than_what_is_loaded() -> None:
    source = Source()
    cache: Cache[str, str] = Cache(ManualClock())
    before = asyncio.ensure_future(cache.ask("k", source))
    asked = await source.asked.get()
    cache.put("k", "new")
    asked.set_result("old")
    assert await before == "old"
    assert cache.get("k") == "new"


async def test_a_failure_and_nothing_are_not_remembered() -> None:
    source = Source()
    cache: Cache[str, str] = Cache(ManualClock())
    failed = asyncio.ensure_future(cache.ask("k", source))
    (await source.asked.get()).set_exception(ValueError("away"))
    with pytest.raises(ValueError, match="away"):
        await failed
    missing = asyncio.ensure_future(cache.ask("k", source))
    (await source.asked.get()).set_result(None)
    assert await missing is None
    assert cache.get("k") is None
