"""Who wants nothing more from whom, and all that was ever said of it, on both engines."""

from typing import Any

from msgspec.structs import replace

from parley.model.consent import ConsentChange, OptOut
from parley.store import Engine, opt_outs

ACCOUNT, OTHER = b"A" * 16, b"B" * 16
NUMBER, PHONE = "+15551234567", "+15557654321"


def said(kind: Any = "opt_out", **values: Any) -> ConsentChange:
    plain = ConsentChange(ACCOUNT, NUMBER, PHONE, 5, kind, "STOP", "inbound", PHONE, b"m" * 16)
    return replace(plain, **values)


async def test_an_opt_out_stands_between_one_sender_and_one_recipient(engine: Engine) -> None:
    await engine.write(opt_outs.apply, [said()])
    assert await engine.read(opt_outs.is_out, ACCOUNT, NUMBER, PHONE) == OptOut(ACCOUNT, NUMBER, PHONE, "STOP", 5)
    for others in ((OTHER, NUMBER, PHONE), (ACCOUNT, PHONE, NUMBER), (ACCOUNT, NUMBER, "+15550000000")):
        assert await engine.read(opt_outs.is_out, *others) is None
    assert await engine.write(opt_outs.lift, said("opt_in", source="api"))
    assert not await engine.write(opt_outs.lift, said("opt_in", source="api"))
    assert await engine.read(opt_outs.is_out, ACCOUNT, NUMBER, PHONE) is None


async def test_the_last_word_stands_and_each_is_kept(engine: Engine) -> None:
    words = [said(), said("opt_in", at=6), said(at=7, keyword="QUIT", source="import", said_by="AC1", message_id=None)]
    await engine.write(opt_outs.apply, words)
    await engine.write(opt_outs.apply, [said(sender="MG1")])
    assert await engine.read(opt_outs.is_out, ACCOUNT, NUMBER, PHONE) == OptOut(
        ACCOUNT, NUMBER, PHONE, "QUIT", 7, "import"
    )
    assert await engine.read(opt_outs.history, ACCOUNT, NUMBER, PHONE, 10) == words[::-1]
    assert await engine.read(opt_outs.history, ACCOUNT, NUMBER, PHONE, 1) == words[2:]
    assert await engine.read(opt_outs.history, OTHER, NUMBER, PHONE, 10) == []


async def test_pages_in_order_of_sender_and_recipient(engine: Engine) -> None:
    pairs = [("+1555", "+1557"), ("+1555", "+1558"), ("MG1", "+1556"), ("MG1", "+1557"), ("MG2", "+1556")]
    await engine.write(opt_outs.apply, [said(sender=s, recipient=r) for s, r in reversed(pairs)])
    await engine.write(opt_outs.apply, [said(account_id=OTHER)])

    async def page(after: tuple[str, str] | None = None, **wanted: str) -> list[tuple[str, str]]:
        found = await engine.read(opt_outs.page, ACCOUNT, 2, after, **wanted)
        return [(each.sender, each.recipient) for each in found]

    walked: list[tuple[str, str]] = []
    while found := await page(walked[-1] if walked else None):
        walked += found
    assert sorted(walked) == sorted(pairs)
    assert await page(sender="MG1") == pairs[2:4]
    assert await page(pairs[2], sender="MG1") == pairs[3:4]
    assert await page(recipient="+1557") in ([pairs[0], pairs[3]], [pairs[3], pairs[0]])
    assert await page(sender="MG2", recipient="+1557") == []
