"""Patience ends what works for too long, and nothing else."""

import asyncio

import pytest

from parley.api.http.patience import Patience


async def forever() -> None:
    await asyncio.Event().wait()


async def test_what_ends_in_time_gives_its_result_and_stays_unharmed() -> None:
    async def work() -> int:
        await asyncio.sleep(0)
        return 7

    patience = Patience()
    assert await patience.within(60, work()) == 7


async def test_each_that_takes_too_long_is_ended() -> None:
    patience = Patience()
    ends = await asyncio.gather(*(patience.within(0.01, forever()) for _ in range(3)), return_exceptions=True)
    assert [type(end) for end in ends] == [TimeoutError] * 3
    with pytest.raises(TimeoutError):
        await patience.within(0.01, forever())


async def test_a_cancellation_from_outside_stays_one() -> None:
    task = asyncio.create_task(Patience().within(60, forever()))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_failure_passes_through() -> None:
    async def work() -> None:
        raise ValueError("of its own")

    with pytest.raises(ValueError, match="of its own"):
        await Patience().within(60, work())
