"""STOP, START and HELP: what counts as one, what it changes, and what is answered."""

from typing import Any

import pytest
from msgspec import json
from msgspec.structs import replace

from parley.core.refusal import Refused
from parley.model.account import OptOutHandling
from parley.model.consent import KEYWORDS, NETWORK_REPLIES, Replies
from parley.model.number import RELAY_HANDLERS
from parley.model.service import KeywordReply, PoolSender, SenderKind, Service
from parley.store import messages, opt_outs, queue
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


async def test_yes_from_who_never_opted_out_answers_something_else(consenting: Node) -> None:
    message_id = await _bring(consenting, "Yes")
    assert _said(consenting) == []
    assert await _told(consenting, message_id) is None
    await _bring(consenting, "START")
    assert _said(consenting) == ["Started."]


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
    await node.accounts.change(account.id, lambda it: replace(it, opt_out_handling=handling))
    message_id = await _bring(node, "STOP")
    assert _said(node) == (["Stopped."] if is_honoured else [])
    assert await _told(node, message_id) == ("STOP" if is_honoured else None)
    assert await _is_out(node) == is_honoured


@pytest.mark.parametrize("handler", sorted(map(str, RELAY_HANDLERS)))
async def test_stop_is_left_to_relays_clients(make_node: MakeNode, handler: str) -> None:
    values = {"dialect": "signalwire", "handler": handler, "relay_context": "office"}
    node = await _with_number(await make_node(replies=REPLIES), **values)
    await _bring(node, "STOP")
    assert _said(node) == []
    assert not await _is_out(node)


async def test_a_message_that_the_carrier_brings_twice_is_one(make_node: MakeNode) -> None:
    carrier = ScriptedCarrier()
    node = await _with_number(await make_node(carrier))
    first = await carrier.bring(PHONE, OURS, "Hi", "ref-1")
    assert await carrier.bring(PHONE, OURS, "Hi", "ref-1") == first
    assert await carrier.bring(PHONE, OURS, "Hi", "ref-2") != first
    assert await carrier.bring(PHONE, OURS, "Hi") != await carrier.bring(PHONE, OURS, "Hi")
    assert len(await node.engine.read(queue.callbacks_of, first)) == 1


TOLL_FREE = "+18005551234"
SHORT_CODE = "24601"


async def _in_service(node: Node, address: str = OURS, **settings: Any) -> tuple[bytes, bytes]:
    """Put a number into a service of the account's; the account and the service."""
    account_id = (await node.account()).id
    number = await node.numbers.own(replace(node.numbers.blank(account_id, address, "twilio"), request_url=URL))
    plain = Service(friendly_name="x", inbound_request_url=URL)
    service = await node.outbound.services.add(account_id, replace(plain, **settings))
    kind: SenderKind = "phone_number" if address.startswith("+") else "short_code"
    await node.outbound.pool_senders.add(
        account_id, PoolSender(kind, address, "US"), parent_id=service.id, name=address, id=number.id
    )
    return account_id, service.id


async def _out_of(node: Node, account_id: bytes) -> list[tuple[str, str, str]]:
    found = await node.engine.read(opt_outs.page, account_id, 100)
    return [(each.sender, each.recipient, each.keyword) for each in found]


async def test_with_a_service_stop_is_for_all_of_it(make_node: MakeNode) -> None:
    node = await make_node(replies=REPLIES)
    await _with_number(node)
    await _bring(node, "STOP")
    account_id, service_id = await _in_service(node)
    message_id = await _bring(node, "quit")
    service = f"MG{service_id.hex()}"
    assert await _out_of(node, account_id) == [(OURS, PHONE, "STOP"), (service, PHONE, "QUIT")]
    [said] = await node.engine.read(opt_outs.history, account_id, service, PHONE, 10)
    assert (said.kind, said.source, said.said_by, said.message_id) == ("opt_out", "inbound", PHONE, message_id)
    assert await _is_out(node)
    await _bring(node, "START")
    assert await _out_of(node, account_id) == []
    assert not await _is_out(node)
    await _bring(node, "STOP")
    assert await _out_of(node, account_id) == [(service, PHONE, "STOP")]
    with pytest.raises(Refused, match="opted_out"):
        await node.send(sender=OURS)
    taken = await node.send(service_id=service_id, sender="")
    ended = await node.engine.read(messages.fetch, account_id, taken.id)
    assert ended is not None
    assert ended.error_code == 21610


async def test_a_service_has_words_of_its_own_and_those_for_a_country_come_first(make_node: MakeNode) -> None:
    node = await make_node(replies=REPLIES)
    words = (
        KeywordReply("STOP", ("ALTO", "STOP"), "Adios."),
        KeywordReply("STOP", ("ALTO",), "Adeus.", "pt", "PT"),
        KeywordReply("START", ("HOLA",), "Hola."),
        KeywordReply("HELP", ("ALTO",), "Here it is a place.", "de", "DE"),
        KeywordReply("HELP", ("AYUDA",), ""),
    )
    account_id, _ = await _in_service(node, keywords=words)
    for body in ("alto", "hola", "Ayuda", "UNSUBSCRIBE", "start", "stop"):
        await _bring(node, body)
    assert _said(node) == ["Adios.", "Hola.", "Adios."]
    node.carrier.submitted.clear()
    for phone in ("+351912345678", "+4915123456789"):
        await node.carrier.bring(phone, OURS, "Alto")
        await node.quiet()
    assert _said(node) == ["Adeus.", "Here it is a place."]
    assert [recipient for _, recipient, _ in await _out_of(node, account_id)] == ["+15557000001", "+351912345678"]


async def test_the_toll_free_network_has_its_own_words_and_answers(make_node: MakeNode) -> None:
    node = await make_node(replies=REPLIES)
    account_id = (await node.account()).id
    await node.numbers.own(replace(node.numbers.blank(account_id, TOLL_FREE, "twilio"), request_url=URL))
    outs = []
    for body in ("UNSUBSCRIBE", "HELP", "stop", "YES", "unstop"):
        await node.carrier.bring(PHONE, TOLL_FREE, body)
        await node.quiet()
        outs.append([sender for sender, _, _ in await _out_of(node, account_id)])
    assert outs == [[], [], [TOLL_FREE], [TOLL_FREE], []]
    assert _said(node) == [NETWORK_REPLIES.stop, NETWORK_REPLIES.start]
    assert all(reply.startswith("NETWORK MSG:") for reply in _said(node))


async def test_in_a_service_a_toll_free_number_has_the_services_words_after_the_networks(make_node: MakeNode) -> None:
    node = await make_node(replies=REPLIES)
    words = (KeywordReply("STOP", ("STOP", "ENOUGH"), "Ours."), KeywordReply("HELP", ("HELP",), "Our help."))
    await _in_service(node, TOLL_FREE, keywords=words)
    for body in ("HELP", "STOP", "START", "ENOUGH"):
        await node.carrier.bring(PHONE, TOLL_FREE, body)
        await node.quiet()
    assert _said(node) == ["Our help.", NETWORK_REPLIES.stop, NETWORK_REPLIES.start, "Ours."]


async def test_a_short_code_has_no_words_but_its_services(make_node: MakeNode) -> None:
    node = await make_node(replies=REPLIES)
    account_id = (await node.account()).id
    await node.numbers.own(replace(node.numbers.blank(account_id, SHORT_CODE, "twilio"), request_url=URL))
    await node.carrier.bring(PHONE, SHORT_CODE, "STOP")
    await node.quiet()
    assert (await _out_of(node, account_id), _said(node)) == ([], [])
    _, service_id = await _in_service(node, "24602")
    await node.carrier.bring(PHONE, "24602", "STOP")
    await node.quiet()
    assert await _out_of(node, account_id) == [(f"MG{service_id.hex()}", PHONE, "STOP")]
    assert _said(node) == ["Stopped."]
