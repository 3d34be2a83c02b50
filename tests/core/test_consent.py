"""STOP, START and HELP: what counts as one, what it changes, and what is answered."""

from typing import Any

import pytest
from msgspec import json
from msgspec.structs import replace

from parley.core.refusal import Refused
from parley.model.account import OptOutHandling
from parley.model.consent import KEYWORDS, Replies
from parley.store import queue
from tests.carriers.scripted import ScriptedCarrier
from tests.core.conftest import MakeNode
from tests.core.node import OURS, PHONE, Node

URL = "http://127.0.0.1:9/inbound"
REPLIES = Replies(stop="Stopped.", start="Started.", help="Helped.")


@pytest.fixture
async def consenting(make_node: MakeNode) -> Node:
    """Return a node that owns a number which Twilio's API configured."""
    return await _with_number(await make_node(replies=REPLIES))


async def _with_number(node: Node, **values: Any) -> Node:
    blank = node.numbers.blank((await node.account()).id, OURS, "twilio")
    await node.numbers.own(replace(blank, request_url=URL, **values))
    return node


async def _bring(node: Node, body: str, ref: str | None = None) -> bytes:
    message_id = await node.carrier.bring(PHONE, OURS, body, ref)
    await node.quiet()
    return message_id


def _said(node: Node) -> list[str]:
    return [submission.body for submission in node.carrier.submitted]


async def _is_out(node: Node) -> bool:
    try:
        await node.send()
    except Refused as refused:
        return refused.reason == "opted_out"
    await node.quiet()
    node.carrier.submitted.pop()
    return False


async def _told(node: Node, message_id: bytes) -> str | None:
    [callback] = await node.engine.read(queue.callbacks_of, message_id)
    return json.decode(callback.data)["opt_out_type"] if callback.data is not None else None


@pytest.mark.parametrize("word", sorted(KEYWORDS))
@pytest.mark.parametrize("spelled", ["{0}", " \n{1}\t ", "{2}"])
async def test_each_keyword_does_and_says_what_it_should(consenting: Node, word: str, spelled: str) -> None:
    kind = KEYWORDS[word]
    if kind == "START":
        await _bring(consenting, "STOP")
        consenting.carrier.submitted.clear()
    message_id = await _bring(consenting, spelled.format(word, word.lower(), word.capitalize()))
    assert _said(consenting) == [{"STOP": "Stopped.", "START": "Started.", "HELP": "Helped."}[kind]]
    assert await _told(consenting, message_id) == kind
    assert await _is_out(consenting) == (kind == "STOP")


@pytest.mark.parametrize("body", ["STOP PLEASE", "please stop", "STOP.", "S T O P", "", "STOPP", "STOP" + "x" * 50])
async def test_only_a_whole_message_is_a_keyword(consenting: Node, body: str) -> None:
    message_id = await _bring(consenting, body)
    assert _said(consenting) == []
    assert await _told(consenting, message_id) is None
    assert not await _is_out(consenting)


async def test_an_opt_out_is_between_one_phone_and_one_number(consenting: Node) -> None:
    await _bring(consenting, "STOP")
    assert await _is_out(consenting)
    await consenting.send("+15557000002")
    await consenting.send(sender="+15550001111")
    await consenting.send(f"whatsapp:{PHONE}", sender=f"whatsapp:{OURS}")


async def test_stop_is_confirmed_each_time_and_help_gets_no_answer_while_opted_out(consenting: Node) -> None:
    for body in ("STOP", "STOP", "HELP", "START", "HELP"):
        await _bring(consenting, body)
    assert _said(consenting) == ["Stopped.", "Stopped.", "Started.", "Helped."]
    [message] = [s for s in consenting.carrier.submitted if s.body == "Helped."]
    assert (message.sender, message.recipient) == (OURS, PHONE)


async def test_a_keyword_that_the_carrier_brings_again_counts_once(consenting: Node) -> None:
    first = await _bring(consenting, "STOP", ref="a")
    await _bring(consenting, "START", ref="b")
    assert await _bring(consenting, "STOP", ref="a") == first
    assert not await _is_out(consenting)
    assert _said(consenting) == ["Stopped.", "Started."]


async def test_an_empty_reply_is_none(make_node: MakeNode) -> None:
    node = await _with_number(await make_node(replies=Replies(stop="", start="", help="")))
    for body in ("HELP", "STOP"):
        await _bring(node, body)
    assert _said(node) == []
    assert await _is_out(node)


@pytest.mark.parametrize(
    ("handling", "configured_by", "is_honoured"),
    [
        ("number", {"dialect": "twilio"}, True),
        ("number", {"dialect": "signalwire"}, False),
        ("number", {"dialect": "signalwire", "handler": "laml_webhooks"}, True),
        ("number", {"dialect": "twilio", "handler": "json_webhook"}, False),
        ("platform", {"dialect": "signalwire"}, True),
        ("app", {"dialect": "twilio"}, False),
    ],
)
async def test_who_honours_stop(
    make_node: MakeNode, handling: OptOutHandling, configured_by: dict[str, Any], is_honoured: bool
) -> None:
    node = await _with_number(await make_node(replies=REPLIES), **configured_by)
    account = await node.account()
    await node.accounts.change(replace(account, opt_out_handling=handling))
    message_id = await _bring(node, "STOP")
    assert _said(node) == (["Stopped."] if is_honoured else [])
    assert await _told(node, message_id) == ("STOP" if is_honoured else None)
    assert await _is_out(node) == is_honoured


async def test_a_message_that_the_carrier_brings_twice_is_one(make_node: MakeNode) -> None:
    carrier = ScriptedCarrier()
    node = await _with_number(await make_node(carrier))
    first = await carrier.bring(PHONE, OURS, "Hi", "ref-1")
    assert await carrier.bring(PHONE, OURS, "Hi", "ref-1") == first
    assert await carrier.bring(PHONE, OURS, "Hi", "ref-2") != first
    assert await carrier.bring(PHONE, OURS, "Hi") != await carrier.bring(PHONE, OURS, "Hi")
    assert len(await node.engine.read(queue.callbacks_of, first)) == 1
