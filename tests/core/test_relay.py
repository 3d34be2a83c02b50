"""What a Relay client receives, where the record cannot be written."""

from collections.abc import Sequence
from unittest.mock import AsyncMock

import pytest
from msgspec.structs import replace
from prometheus_client import CollectorRegistry

from parley.core.relay import Relay
from parley.model.message import Media, Message
from parley.model.relay import RelayEvent
from parley.store import StoreUnavailable
from tests.core.node import OURS, PHONE, Node


class Client:
    """A client that keeps what it is told."""

    protocol = ""
    held = 0

    def __init__(self, account_id: bytes) -> None:
        self.account_id = account_id
        self.contexts: set[str] = set()
        self.told: list[str] = []

    def tell(self, event: RelayEvent, message: Message, media: Sequence[Media]) -> None:
        self.told.append(message.body)

    def end(self, reason: str) -> None:
        raise AssertionError(reason)


async def test_a_client_that_could_not_leave_a_context_receives_it_still(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    account_id = (await node.account()).id
    number = node.numbers.blank(account_id, OURS, "signalwire")
    await node.numbers.own(replace(number, handler="relay_context", relay_context="office"))
    relay = Relay(node.record, node.clock, CollectorRegistry(), 60.0, to_all=False)
    client = Client(account_id)
    await relay.enter(client, ["office"], None, "one")
    monkeypatch.setattr(node.engine, "write", AsyncMock(side_effect=StoreUnavailable("away")))
    with pytest.raises(StoreUnavailable):
        await relay.unreceive(client, ["office"])
    monkeypatch.undo()
    await node.carrier.bring(PHONE, OURS, "Hello")
    await relay.turn()
    assert (client.contexts, client.told) == ({"office"}, ["Hello"])
    await relay.unreceive(client, ["office"])
    await node.carrier.bring(PHONE, OURS, "Anybody there?")
    await relay.turn()
    assert (client.contexts, client.told) == (set(), ["Hello"])
