"""Opt-outs, cookies and settings."""

from parley.model.consent import OptOut
from parley.store import Engine, cookies, opt_outs, settings
from tests.store.records import Records

NUMBER, PHONE = "+15551234567", "+15557654321"


async def test_an_opt_out_stands_between_one_sender_and_one_recipient(engine: Engine, records: Records) -> None:
    account_id = records.account_id
    out = OptOut(account_id, NUMBER, PHONE, "STOP", 5)
    await engine.write(opt_outs.put, out)
    assert await engine.read(opt_outs.is_out, account_id, NUMBER, PHONE) == out
    for others in ((b"o" * 16, NUMBER, PHONE), (account_id, PHONE, NUMBER), (account_id, NUMBER, "+15550000000")):
        assert await engine.read(opt_outs.is_out, *others) is None
    again = OptOut(account_id, NUMBER, PHONE, "QUIT", 9)
    await engine.write(opt_outs.put, again)
    assert await engine.read(opt_outs.is_out, account_id, NUMBER, PHONE) == again
    assert await engine.write(opt_outs.lift, account_id, NUMBER, PHONE)
    assert not await engine.write(opt_outs.lift, account_id, NUMBER, PHONE)
    assert await engine.read(opt_outs.is_out, account_id, NUMBER, PHONE) is None


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
