"""Cookies and settings."""

from parley.store import Engine, cookies, settings
from tests.store.records import Records

NUMBER, PHONE = "+15551234567", "+15557654321"


async def test_cookies_belong_to_a_conversation_and_expire_idle(engine: Engine, records: Records) -> None:
    pair = (records.account_id, NUMBER, PHONE)
    other = (records.account_id, NUMBER, "+15550000000")
    assert await engine.read(cookies.of_pair, *pair, 0) == {}
    await engine.write(cookies.put, *pair, {"session": "1", "step": "a"}, 100)
    await engine.write(cookies.put, *other, {"session": "2"}, 100)
    assert await engine.read(cookies.of_pair, *pair, 100) == {"session": "1", "step": "a"}
    assert await engine.read(cookies.of_pair, *pair, 101) == {}
    await engine.write(cookies.put, *pair, {"session": "1"}, 200)
    assert await engine.read(cookies.of_pair, *pair, 150) == {"session": "1"}
    await engine.write(cookies.purge, 150)
    assert await engine.read(cookies.of_pair, *pair, 0) == {"session": "1"}
    assert await engine.read(cookies.of_pair, *other, 0) == {}
    await engine.write(cookies.put, *pair, {}, 300)
    assert await engine.read(cookies.of_pair, *pair, 0) == {}


async def test_a_setting_is_what_was_last_put(engine: Engine) -> None:
    assert await engine.read(settings.fetch, "faults") is None
    await engine.write(settings.put, "faults", '{"latency_s":1}', 5)
    await engine.write(settings.put, "faults", "{}", 6)
    assert await engine.read(settings.fetch, "faults") == "{}"
