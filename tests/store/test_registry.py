"""What registered senders have sent, on both engines."""

from parley.store import Engine
from parley.store.accept import Intake
from parley.store.registry import segments_since
from tests.store.records import US, Records, take


async def test_segments_of_some_senders_since_a_time(engine: Engine, records: Records) -> None:
    async def sent(segments: int, **values: object) -> int:
        message = records.message(sender="+14155550100", recipient="+14155550199", segments=segments, **values)
        await take(engine, Intake(message))
        return message.created_at

    async def counted(*senders: str, since: int = 0) -> int:
        return await engine.read(segments_since, records.account_id, senders, since, (30023, 30034))

    assert await counted("+14155550100") == 0
    await sent(1)
    records.clock.advance(10)
    later = await sent(2)
    await sent(4, status="undelivered", error_code=30003)
    await sent(8, status="undelivered", error_code=30023)
    await sent(16, status="failed")
    assert await counted("+14155550100", "+14155550101") == 7
    assert await counted("+14155550100", since=later) == 6
    assert await counted("+14155550100", since=later + 10 * US) == 0
    assert await counted("+14155550101") == 0
    assert await counted() == 0
