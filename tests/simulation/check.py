"""What must be so after any history."""

from collections import Counter, defaultdict

import msgspec
from msgspec import json
from sqlalchemy import func, select

from parley.model.callback import TELLS_BEGINNING, Callback
from parley.model.message import FINAL, Message
from parley.store import Operation, media, schema
from parley.store.audit import audit
from parley.store.engine.statements import Query
from tests.core.node import STATES
from tests.simulation.check_consent import ConsentBooks, Numbered
from tests.simulation.clients import Clients
from tests.simulation.phones import Phones
from tests.simulation.plan import POOL
from tests.simulation.world import World


def check(world: World, clients: Clients, phones: Phones) -> None:
    """Hold the record against what everybody outside saw. Raises AssertionError."""
    for task in world.tasks:
        task.result()
    books = world.look(audit(STATES, world.clock.now()))
    assert books.is_clean, json.encode(books).decode()
    _Check(world, clients, phones).run()


class _Check:
    def __init__(self, world: World, clients: Clients, phones: Phones) -> None:
        self.world, self.clients, self.phones = world, clients, phones
        self.network, self.apps = world.network, world.apps
        self.found = world.look(_everything())
        self.histories = world.look(_histories())
        self.callbacks = world.look(_callbacks())
        self.keys = world.look(_keys())

    def run(self) -> None:
        inbound = [message for message in self.found if message.direction == "inbound"]
        outbound = [message for message in self.found if message.direction != "inbound"]
        self._check_taken([message for message in outbound if message.direction == "outbound-api"])
        self._check_received(inbound)
        for message in inbound:
            self._check_told(message)
        self._check_answers([message for message in outbound if message.direction == "outbound-reply"])
        if not self.world.plan.deduplicates and self.world.plan.policy == "hold":
            assert not self.network.repeated, "submitted though it may have been sent"
            assert all(count == 1 for count in self.network.taken.values()), "sent twice"
        for message in outbound:
            self._check_message(message)
            self._check_submits(message)
            self._check_callbacks(message)
        self._check_senders(outbound)
        self._check_usage()
        ConsentBooks(self.world, self.clients, self.phones, self.histories, self.keys).check(outbound)

    def _check_taken(self, taken: list[Message]) -> None:
        by_text = {message.body: message for message in taken}
        assert len(by_text) == len(taken), "a message was accepted twice for one key"
        assert by_text.keys() == self.clients.sent.keys(), "a message was lost, or came from nowhere"
        assert {text: m.id for text, m in self.clients.sent.items()} == {text: m.id for text, m in by_text.items()}

    def _check_received(self, inbound: list[Message]) -> None:
        named = [id_ for written in self.phones.written for id_ in written.ids]
        assert len(named) == len(self.phones.written), "an inbound message got several names"
        assert sorted(named) == sorted(message.id for message in inbound), "an inbound message was lost, or doubled"
        by_id = {message.id: message for message in inbound}
        for written in self.phones.written:
            (id_,) = written.ids
            said = written.inbound
            message = by_id[id_]
            assert (message.sender, message.recipient, message.body) == (said.sender, said.recipient, said.body)
            stored = self.world.look(media.of_messages([id_])).get(id_, [])
            assert len(stored) == message.num_media == len(said.media)

    def _check_told(self, message: Message) -> None:
        """An inbound message is told of once, and what its app answered was sent, or refused on the record."""
        (webhook,) = self.callbacks[message.id]
        assert webhook.state != "delivered" or self.apps.asked[message.id], "delivered, and nobody heard"
        replies = self.apps.replied.get(message.id, ()) if webhook.state == "delivered" else ()
        refused = [event for event in self.histories[message.id] if "the reply was refused" in (event.data or "")]
        sent = [reply for reply in replies if any(other.body == reply for other in self.found)]
        assert len(sent) + len(refused) >= len(replies), "a reply was lost"

    def _check_answers(self, answers: list[Message]) -> None:
        """Nobody is answered twice: each reply has one text, each confirmation one key."""
        confirmed = {self.keys[key] for key in self.keys if key.startswith("confirm:")}
        replies = Counter(message.body for message in answers if message.id not in confirmed)
        assert all(count == 1 for count in replies.values()), "replied twice"
        assert replies.keys() <= {text for texts in self.apps.replied.values() for text in texts}
        assert confirmed <= {message.id for message in answers}

    def _check_message(self, message: Message) -> None:
        taken = self.network.taken.get(message.id, 0)
        assert taken <= 1 or message.uncertain or self.world.plan.deduplicates, "sent twice, and not marked uncertain"
        if message.id in self.clients.canceled or message.status == "canceled":
            assert message.status == "canceled", "a cancel that was confirmed did not hold"
            assert not taken or self._may_leave_unmarked, "canceled, and sent all the same"
        if message.status in ("sent", "delivered", "read"):
            assert taken, f"{message.status}, and never sent"
        if message.id in self.network.acknowledged:
            assert message.status in FINAL, f"its receipts were taken, and it is {message.status}"

    @property
    def _may_leave_unmarked(self) -> bool:
        """Whether a message may be free to be canceled though a node that died, or stood still, was submitting it.

        Where a carrier deduplicates, nothing says before a submit that it is made.
        """
        plan = self.world.plan
        return plan.deduplicates and bool(plan.deaths or plan.halts)

    def _check_submits(self, message: Message) -> None:
        asked = self.clients.asked.get(message.body)
        for submit in self.network.submits.get(message.id, ()):
            assert message.expires_at is not None
            assert submit.wall_at < message.expires_at, "submitted after its validity"
            if asked is not None and asked.send_at is not None:
                assert submit.latest >= asked.send_at, "submitted before its time"
            canceled_at = self.clients.canceled.get(message.id)
            if canceled_at is not None and not self._may_leave_unmarked:
                assert submit.at <= canceled_at, "submitted after it was canceled"
            sent = submit.submission
            assert (sent.sender, sent.recipient, sent.body) == (message.sender, message.recipient, message.body)
            assert len(sent.media) == message.num_media, "sent without its media"

    def _check_callbacks(self, message: Message) -> None:
        history = self.histories[message.id]
        moves = history if message.dialect in TELLS_BEGINNING else history[1:]
        order = [event.kind for event in moves if event.kind in STATES[message.dialect]]
        owed = self.callbacks.get(message.id, [])
        heard = self.apps.heard.get(message.id, [])
        if message.status_callback is not None:
            assert [callback.status for callback in owed] == order, "callbacks out of order, or missing"
        first = list(dict.fromkeys(request.status for request in heard))
        assert first == [status for status in order if status in first], f"told in the order {first} of {order}"
        told = {request.callback_id for request in heard}
        for callback in owed:
            assert callback.state != "delivered" or callback.id in told, "delivered, and nobody heard"

    def _check_senders(self, outbound: list[Message]) -> None:
        """A service writes from its pool, and if it is sticky, always from the same number to one phone.

        Unless a client named another: who writes to that phone from then on depends on which came last.
        """
        stuck: defaultdict[str, set[str]] = defaultdict(set)
        named: set[str] = set()
        for message in outbound:
            if message.service_id is None or message.sender is None:
                continue
            assert message.sender in POOL[: self.world.plan.pool]
            queued = next((e for e in self.histories[message.id] if e.kind == "queued" and e.data), None)
            if queued is not None:
                stuck[message.recipient].add(message.sender)
                if _Chosen.of(queued).why == "given":
                    named.add(message.recipient)
        if self.world.plan.is_sticky:
            changed = [phone for phone, senders in stuck.items() if len(senders) > 1 and phone not in named]
            assert not changed, f"the service changed its number to {changed}"

    def _check_usage(self) -> None:
        """Hold the usage that nodes counted between their deaths against each message's history."""
        charged = [
            message
            for message in self.found
            if any(event.kind in ("sent", "received") for event in self.histories[message.id])
        ]
        count, price = self.world.look(_used(self.world.account.id))
        assert count == len(charged), "usage was counted twice, or not at all"
        assert price == sum(message.price or 0 for message in charged)


class _Chosen(msgspec.Struct):
    """Why a sender was chosen, as an event keeps it."""

    why: str

    @staticmethod
    def of(event: Numbered) -> "_Chosen":
        return json.decode(event.data or "", type=_Chosen)


def _everything() -> Operation[list[Message]]:
    rows = yield Query(select(schema.messages))
    return [Message(*row) for row in rows]


def _histories() -> Operation[dict[bytes, list[Numbered]]]:
    """Each message's events, in order."""
    table = schema.events.c
    rows = yield Query(select(table.message_id, table.seq, table.kind, table.data).order_by(table.seq))
    found: defaultdict[bytes, list[Numbered]] = defaultdict(list)
    for message_id, *event in rows:
        found[message_id].append(Numbered(*event))
    return found


def _callbacks() -> Operation[dict[bytes, list[Callback]]]:
    """Each message's callbacks, in order."""
    rows = yield Query(select(schema.callbacks).order_by(schema.callbacks.c.id))
    found: defaultdict[bytes, list[Callback]] = defaultdict(list)
    for callback in (Callback(*row) for row in rows):
        found[callback.message_id].append(callback)
    return found


def _used(account_id: bytes) -> Operation[tuple[int, int]]:
    """How many of an account's messages were counted, and what they cost."""
    table = schema.usage.c
    rows = yield Query(select(func.sum(table["count"]), func.sum(table["price"])).where(table.account_id == account_id))
    return rows[0][0] or 0, rows[0][1] or 0


def _keys() -> Operation[dict[str, bytes]]:
    """The message that each idempotency key made."""
    table = schema.idempotency.c
    rows = yield Query(select(table.key, table.message_id))
    return {row[0]: row[1] for row in rows}
