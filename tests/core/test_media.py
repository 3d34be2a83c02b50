"""Media of outgoing messages: fetched before the message leaves, stored once, and each way that this fails."""

from typing import Any
from unittest.mock import AsyncMock

import pytest

from parley.core.backoff import Backoff
from parley.core.media import MAX_OCTETS, RETRIEVAL_FAILED, TOO_LARGE, TYPE_REFUSED, Fetched, MediaUnavailable
from parley.core.media_limits import WHATSAPP
from parley.store import StoreUnavailable, media
from tests.carriers.scripted import ScriptedCarrier
from tests.core.conftest import MakeNode
from tests.core.node import OURS, PHONE, Node

A, B = "http://media.test/a.png", "http://media.test/b.png"
PNG = Fetched("image/png; charset=binary", b"\x89PNG")


async def test_what_two_messages_share_is_stored_once(node: Node) -> None:
    node.media = {A: PNG, B: PNG}
    first = await node.send(media_urls=(A,), body="")
    await node.quiet()
    second = await node.send(media_urls=(B, A))
    await node.quiet()
    assert [len(submission.media) for submission in node.carrier.submitted] == [1, 2]
    attachment = node.carrier.submitted[0].media[0]
    assert (attachment.content_type, attachment.size) == ("image/png", 4)
    assert {each.content_hash for s in node.carrier.submitted for each in s.media} == {attachment.content_hash}
    assert await node.engine.read(media.content, attachment.content_hash) == PNG.octets
    assert (await node.now(first)).kind == "mms"
    await node.amending.delete(await node.now(first))
    assert await node.engine.read(media.content, attachment.content_hash) == PNG.octets
    await node.amending.delete(await node.now(second))
    assert await node.engine.read(media.content, attachment.content_hash) is None


@pytest.mark.parametrize(
    ("given", "code"),
    [
        (MediaUnavailable(RETRIEVAL_FAILED, "HTTP 404", is_final=True), 11200),
        (Fetched("application/x-msdownload", b"MZ"), TYPE_REFUSED),
        (Fetched("text/html", b"<form>Log in</form>"), TYPE_REFUSED),
        (Fetched("text/plain", b"Not today"), TYPE_REFUSED),
        (Fetched("image/svg+xml", b"<svg/>"), TYPE_REFUSED),
        (Fetched("image/png", b""), RETRIEVAL_FAILED),
        (Fetched("image/png", bytes(MAX_OCTETS + 1)), TOO_LARGE),
    ],
)
async def test_media_that_cannot_be_sent_fail_their_message_only(
    node: Node, given: Fetched | MediaUnavailable, code: int
) -> None:
    node.media = {A: given, B: PNG}
    bad, good = await node.send(media_urls=(A,)), await node.send(media_urls=(B,))
    await node.quiet()
    assert await node.status(bad) == ("failed", code)
    assert await node.status(good) == ("sent", None)
    assert len(node.carrier.submitted) == 1


async def test_media_together_have_a_limit(node: Node) -> None:
    half = Fetched("image/png", bytes(MAX_OCTETS // 2 + 1))
    node.media = {A: half, B: half}
    message = await node.send(media_urls=(A, B))
    await node.quiet()
    assert await node.status(message) == ("failed", TOO_LARGE)
    assert str(MAX_OCTETS) in ((await node.history(message))[-1].data or "")


async def test_media_on_whatsapp_have_a_limit_of_their_own(node: Node) -> None:
    third = Fetched("image/png", bytes(WHATSAPP.octets // 3))
    last = "http://media.test/c.png"
    node.media = {A: third, B: third, last: Fetched("image/png", bytes(WHATSAPP.octets // 3 + 2))}
    channel = {"recipient": f"whatsapp:{PHONE}", "sender": f"whatsapp:{OURS}"}
    fits = await node.send(**channel, media_urls=(A, B, A))
    large = await node.send(**channel, media_urls=(A, B, last))
    await node.quiet()
    assert await node.status(fits) == ("sent", None)
    assert await node.status(large) == ("failed", TOO_LARGE)
    assert str(WHATSAPP.octets) in ((await node.history(large))[-1].data or "")


async def test_media_that_may_come_later_are_tried_again_and_then_given_up(node: Node) -> None:
    node.media = {A: MediaUnavailable(RETRIEVAL_FAILED, "HTTP 503", is_final=False)}
    message, lost = await node.send(media_urls=(A,)), await node.send(media_urls=(A,), body="lost")
    await node.quiet()
    for each in (message, lost):
        assert (waits := await node.waits(each)) is not None
        assert waits.waiting_for == "media"
        assert await node.status(each) == ("queued", None)
    await node.after(1.0)
    await node.amending.cancel(lost)
    node.media = {A: PNG}
    await node.after(2.0)
    assert await node.status(message) == ("sent", None)
    node.media = {A: MediaUnavailable(RETRIEVAL_FAILED, "HTTP 503", is_final=False)}
    hopeless = await node.send(media_urls=(A,))
    node.fetched.clear()
    await node.quiet()
    for _ in range(3):
        await node.after(60.0)
    assert await node.status(hopeless) == ("failed", RETRIEVAL_FAILED)
    assert len(node.fetched) == 3


async def test_media_that_cannot_be_stored_now_wait_for_the_database(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    write, is_away = node.engine.write, True

    async def away(operation: Any, *given: Any, **values: Any) -> Any:
        nonlocal is_away
        if operation is media.fill and is_away:
            is_away = False
            raise StoreUnavailable("the disk is full")
        return await write(operation, *given, **values)

    monkeypatch.setattr(node.engine, "write", away)
    monkeypatch.setattr(Backoff, "wait", AsyncMock())
    node.media = {A: PNG}
    message = await node.send(media_urls=(A,))
    await node.quiet()
    assert await node.status(message) == ("sent", None)
    assert [submission.attempt for submission in node.carrier.submitted] == [1]


async def test_a_slow_host_of_media_holds_up_no_other_message(make_node: MakeNode) -> None:
    node = await make_node(ScriptedCarrier(), hands_over=False)
    arrived = node.slow(A)
    slow, quick = await node.send("+15557000002", media_urls=(A,)), await node.send()
    await node.claims.claim_due_messages()
    await node.carrier.until_submitted(quick.id)
    assert node.carrier.submits_of(slow.id) == []
    arrived.set_result(PNG)
    await node.quiet()
    assert await node.status(slow) == ("sent", None)


@pytest.mark.parametrize("deduplicates", [True, False])
async def test_what_expires_while_its_media_are_fetched_is_not_sent(make_node: MakeNode, deduplicates: bool) -> None:
    node = await make_node(ScriptedCarrier(deduplicates=deduplicates))
    arrived = node.slow(A)
    message = await node.send(media_urls=(A,), validity_s=20)
    while not node.fetched:
        await node.engine.wait_for_change(0.05)
    node.clock.advance(20.0)
    arrived.set_result(PNG)
    await node.quiet()
    assert await node.status(message) == ("failed", 30036)
    assert await node.waits(message) is None
    assert node.carrier.submitted == []
