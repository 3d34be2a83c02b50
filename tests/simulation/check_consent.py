"""Who wanted nothing more from whom, transaction by transaction, and that nobody was written to against it."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Final, Literal

import msgspec
from sqlalchemy import select

from parley.lib import ids
from parley.model.consent import KEYWORDS
from parley.model.message import Message
from parley.store import Operation, schema
from parley.store.engine.statements import Query
from tests.simulation.clients import Clients
from tests.simulation.phones import Phones
from tests.simulation.plan import POOL, SIGNALWIRES
from tests.simulation.world import World

OBJECTION: Final = 21610
Pair = tuple[str, str]
"""A number, or a service's SID; and a phone."""


class Numbered(msgspec.Struct, frozen=True):
    """An event, and its place among all."""

    seq: int
    kind: str
    data: str | None


class ConsentBooks:
    """The words that were said, each at its transaction."""

    def __init__(
        self,
        world: World,
        clients: Clients,
        phones: Phones,
        histories: Mapping[bytes, Sequence[Numbered]],
        keys: Mapping[str, bytes],
    ) -> None:
        self._world, self._clients, self._phones = world, clients, phones
        self._scope = ids.sid("MG", world.service_id)
        self._histories = histories
        self._confirmed = {
            bytes.fromhex(key.removeprefix("confirm:")): message_id
            for key, message_id in keys.items()
            if key.startswith("confirm:")
        }
        """What answers each STOP, START and HELP."""
        self._said: defaultdict[Pair, list[tuple[int, str]]] = defaultdict(list)
        """Of each pair, at which transaction, and what."""
        self._noted: defaultdict[bytes, list[Pair]] = defaultdict(list)
        """Whom each message spoke of."""
        for sender, recipient, kind, message_id in world.look(_changes()):
            self._said[sender, recipient].append((self._commit(message_id, "received"), kind))
            self._noted[message_id].append((sender, recipient))

    def check(self, outbound: Sequence[Message]) -> None:
        """Raise AssertionError for who was written to against its word, refused without one, or not heard."""
        self._check_words()
        confirmations = set(self._confirmed.values())
        for message in outbound:
            if message.id not in confirmations:
                self._check_one(message)
        for refusal in self._clients.refused:
            assert refusal.reason == "opted_out", f"refused: {refusal.reason}"
            pairs = [(sender, refusal.draft.recipient) for sender in self._senders(refusal.draft.sender)]
            assert any(
                written.began_at <= refusal.at
                and self._pair(written.inbound.recipient, written.inbound.sender) in pairs
                for written in self._phones.written
                if KEYWORDS.get(written.inbound.body) == "STOP"
            ), "refused, and nobody had opted out"

    def _check_words(self) -> None:
        """Each STOP and START was noted once, and of each pair the last stands; each STOP was confirmed."""
        stands = self._world.look(_stands())
        assert stands == {pair for pair, said in self._said.items() if said[-1][1] == "opt_out"}
        for written in self._phones.written:
            (id_,), said = written.ids, written.inbound
            heard = None if said.recipient == SIGNALWIRES else KEYWORDS.get(said.body)
            pair = self._pair(said.recipient, said.sender)
            own = (said.recipient, said.sender)
            expected = {None: [], "HELP": [], "STOP": [pair], "START": sorted({own, pair})}[heard]
            assert sorted(self._noted[id_]) == expected, f"{said.body} was noted as {self._noted[id_]}"
            assert heard != "STOP" or id_ in self._confirmed, "STOP was not confirmed"

    def _check_one(self, message: Message) -> None:
        if message.sender is None:
            return
        queued = self._commit(message.id, "queued")
        pairs = [(sender, message.recipient) for sender in self._senders(message.sender)]
        states = {self._state(pair, queued) for pair in pairs}
        if message.error_code == OBJECTION:
            assert not states.isdisjoint({"out", "unsure"}), "stopped, and nobody had opted out"
        else:
            assert "out" not in states, "written to, and had opted out"

    def _senders(self, sender: str) -> list[str]:
        """Whom a recipient may have opted out of, so that this sender does not write to it."""
        if not sender:
            return [self._scope, *POOL]
        return [sender, self._scope] if sender in POOL else [sender]

    def _pair(self, number: str, phone: str) -> Pair:
        return (self._scope if number in POOL else number, phone)

    def _state(self, pair: Pair, commit: int) -> Literal["in", "out", "unsure"]:
        """How a pair stood before a transaction; unsure when it changed in that."""
        state: Literal["in", "out"] = "in"
        for at, kind in self._said[pair]:
            if at == commit:
                return "unsure"
            if at < commit:
                state = "out" if kind == "opt_out" else "in"
        return state

    def _commit(self, message_id: bytes, kind: str) -> int:
        """The transaction of a message's event."""
        seq = next(event.seq for event in self._histories[message_id] if event.kind == kind)
        return bisect_left(self._world.database.commits, seq)


def _changes() -> Operation[list[tuple[str, str, str, bytes]]]:
    table = schema.consent_changes.c
    rows = yield Query(select(table.sender, table.recipient, table.kind, table.message_id).order_by(table.seq))
    return [(row[0], row[1], row[2], row[3]) for row in rows]


def _stands() -> Operation[set[Pair]]:
    rows = yield Query(select(schema.opt_outs.c.sender, schema.opt_outs.c.recipient))
    return {(row[0], row[1]) for row in rows}
