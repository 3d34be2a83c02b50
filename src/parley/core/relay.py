"""Relay: bring each event to a connected client that receives its context, on whichever node that is.

An event is in the record until a client has it. A node claims those for which one of its clients has room, so that who
reads slowly is offered no more than it can hold, and what nobody takes waits in the record, and is given up in time.
"""

from collections.abc import Collection, Iterable, Sequence
from typing import Final, Protocol

import structlog
from msgspec import json
from msgspec.structs import replace
from prometheus_client import CollectorRegistry, Counter, Gauge

from parley.core.record import Record
from parley.lib.clock import Clock
from parley.model.message import Media, Message
from parley.model.relay import RelayEvent, RelaySession
from parley.store import News, StoreUnavailable, relay
from parley.store.relay_owed import Target

log = structlog.get_logger(__name__)

WINDOW: Final = 256
"""Events that one client may have been sent and not have taken."""
KEPT_US: Final = 600_000_000
"""A session whose client is gone can be restored for so long."""
_BATCH: Final = 500
_CHUNK: Final = 500
_EVERYTHING_S: Final = 5.0
"""Every client's targets are looked at so often: what other nodes' news did not lead to is found then."""
_SWEEP_S: Final = 10.0
_POLL_S: Final = 1.0


class Subscriber(Protocol):
    """A connected client, as its events reach it."""

    protocol: str
    """Its session's name."""
    account_id: bytes
    contexts: set[str]
    """What it receives, beside its own protocol."""
    held: int
    """Events that it was told and has not taken."""

    def tell(self, event: RelayEvent, message: Message, media: Sequence[Media]) -> None:
        """Send an event, at once and without waiting; `took` or `returned` follows."""
        ...

    def end(self, reason: str) -> None:
        """Close the connection: another one took over its session."""
        ...


class Relay:
    """This node's clients, and the loop that tells them what the record owes them.

    With `to_all` each client of a context gets its events; otherwise one of them, in turn, and a message's states the
    same one.
    """

    def __init__(
        self, record: Record, clock: Clock, registry: CollectorRegistry, give_up_s: float, *, to_all: bool
    ) -> None:
        self._record = record
        self._engine = record.engine
        self._node = record.node
        self._clock = clock
        self._give_up_us = round(give_up_s * 1_000_000)
        self.to_all = to_all
        self.nudge = record.relay_waits
        self._clients: dict[str, Subscriber] = {}
        self._receivers: dict[Target, dict[str, Subscriber]] = {}
        self._took: list[int] = []
        self._written: list[tuple[int, str]] = []
        self._back: list[RelayEvent] = []
        self._doubted: list[int] = []
        self._left: set[str] = set()
        self._entering: set[str] = set()
        self._ghosts: set[str] = set()
        self._orphans: set[str] = set()
        self._full: set[Target] = set()
        self._has_news = True
        self._everything_at = self._sweep_at = self._taken_at = 0.0
        self._engine.on_news(self._heard)
        self._connected = Gauge("parley_relay_sessions", "Relay clients connected.", registry=registry)
        self._connected.set_function(lambda: len(self._clients))
        self._events = Counter(
            "parley_relay_events_total", "Relay events, by what became of them.", ["outcome"], registry=registry
        )
        self.dropped = Counter(
            "parley_relay_dropped_total",
            "Relay clients that were disconnected, by reason.",
            ["reason"],
            registry=registry,
        )

    def __len__(self) -> int:
        return len(self._clients)

    async def enter(
        self, client: Subscriber, contexts: Collection[str], protocol: str | None, new_protocol: str
    ) -> bool:
        """Connect a client under the session that it names, if that is known and its account's, or under a new one.

        Whether it was restored, with what it received before. `client.protocol` and `contexts` are set.
        """
        listed = json.encode(list(contexts)).decode()
        named = RelaySession(protocol or new_protocol, client.account_id, listed, self._node, self._clock.now())
        names = {named.protocol, new_protocol}
        self._entering |= names
        try:
            known = None
            if protocol is not None:
                known = await self._engine.write(relay.enter, named, is_named=True)
            if known is None:
                named = replace(named, protocol=new_protocol)
                await self._engine.write(relay.enter, named, is_named=False)
        finally:
            self._entering -= names
        client.protocol = named.protocol
        client.contexts = set(contexts if known is None else known)
        if (before := self._clients.get(client.protocol)) is not None:
            self.leave(before)
            before.end("taken_over")
        self._clients[client.protocol] = client
        self._listen(client, (client.protocol, *client.contexts))
        return known is not None

    def leave(self, client: Subscriber) -> None:
        """The client is gone. What it had not taken is told to another; its session can be restored for a while."""
        if self._clients.get(client.protocol) is not client:
            return
        del self._clients[client.protocol]
        self._forget(client, (client.protocol, *client.contexts))
        self._left.add(client.protocol)
        self.nudge.set()

    async def receive(self, client: Subscriber, contexts: Collection[str]) -> None:
        """Let a client receive these contexts, too. Returns once that is durable."""
        new = set(contexts) - client.contexts
        await self._note(client, client.contexts | new)
        client.contexts |= new
        if self._clients.get(client.protocol) is client:
            self._listen(client, new)

    async def unreceive(self, client: Subscriber, contexts: Collection[str]) -> None:
        """Let a client receive these contexts no more. Returns once that is durable."""
        old = set(contexts) & client.contexts
        await self._note(client, client.contexts - old)
        client.contexts -= old
        self._forget(client, old)

    async def _note(self, client: Subscriber, contexts: Collection[str]) -> None:
        await self._engine.write(relay.receive, client.protocol, self._node, sorted(contexts), self._clock.now())

    def _listen(self, client: Subscriber, targets: Iterable[str]) -> None:
        for target in targets:
            key = (client.account_id, target)
            self._receivers.setdefault(key, {})[client.protocol] = client
            self._record.relayed.add(key)
        self.nudge.set()

    def _forget(self, client: Subscriber, targets: Iterable[str]) -> None:
        for target in targets:
            key = (client.account_id, target)
            receivers = self._receivers.get(key)
            if receivers is not None and receivers.get(client.protocol) is client:
                del receivers[client.protocol]
                if not receivers:
                    del self._receivers[key]

    def took(self, client: Subscriber, seqs: Sequence[int]) -> None:
        """A client has these events."""
        self._took += seqs
        self._events.labels("delivered").inc(len(seqs))
        self._has_room(client, len(seqs))

    def wrote(self, client: Subscriber, seqs: Sequence[int]) -> None:
        """These events were written to a client that acknowledges nothing: it has them, if the session is still its."""
        self._written += [(seq, client.protocol) for seq in seqs]
        self._events.labels("delivered").inc(len(seqs))
        self._has_room(client, len(seqs))

    def returned(self, client: Subscriber, events: Sequence[RelayEvent]) -> None:
        """A client went away before it took these events."""
        self._back += events
        self._events.labels("returned").inc(len(events))
        self._has_room(client, len(events))

    def _has_room(self, client: Subscriber, count: int) -> None:
        client.held -= count
        self._record.relayed |= self._full
        self._full.clear()
        self.nudge.set()

    def _heard(self, news: News) -> None:
        if News.RELAY in news:
            self._has_news = True
            self.nudge.set()

    async def turn(self) -> float:
        """Tell what is owed now; seconds until there may be more."""
        await self._let_go()
        if self._clock.monotonic() >= self._sweep_at:
            await self.sweep()
        await self._part_from_taken()
        await self._settle_written()
        wanted = await self._waiting(await self._look())
        took, self._took = self._took, []
        back, self._back = self._back, []
        if not took and not back and not wanted and not self._doubted:
            return _POLL_S
        freed = [event.seq for event in back] + self._doubted
        try:
            claimed, new = await self._engine.write(relay.turn, self._node, took, freed, wanted, to_all=self.to_all)
        except StoreUnavailable:
            self._took += took
            self._back += back
            # The claim may stand though its answer was lost, and nobody would ever tell what it claimed.
            self._doubted += wanted
            raise
        was_doubted, self._doubted = bool(self._doubted), []
        if was_doubted:
            self._everything_at = 0.0
        self._record.relayed.update(new, ((event.account_id, event.target) for event in back))
        for event, message, media in claimed:
            self._tell(event, message, media)
        return 0.0 if was_doubted or self._record.relayed - self._full else _POLL_S

    async def _part_from_taken(self) -> None:
        """End the connections of clients that took their sessions to another node."""
        now = self._clock.monotonic()
        if not self._has_news and now < self._taken_at:
            return
        self._taken_at = now + _POLL_S
        taken = await self._engine.read(relay.taken, self._node)
        for protocol in await self._engine.write(relay.part, self._node, taken) if taken else ():
            if (client := self._clients.get(protocol)) is not None:
                self.leave(client)
                client.end("taken_over")

    async def _settle_written(self) -> None:
        if not self._written:
            return
        written, self._written = self._written, []
        try:
            is_any_back = await self._engine.write(relay.written, self._node, written)
        except StoreUnavailable:
            self._written = written + self._written
            raise
        if is_any_back:
            self._taken_at = self._everything_at = 0.0

    async def _look(self) -> dict[Target, int]:
        """For whom there may be events, of those who are connected here and have room, and for how many."""
        now = self._clock.monotonic()
        found, self._record.relayed = self._record.relayed, set()
        if self._has_news:
            self._has_news = False
            found |= await self._engine.read(relay.fresh, _BATCH)
        if now >= self._everything_at:
            self._everything_at = now + _EVERYTHING_S
            found |= self._receivers.keys()
        rooms = {target: self._room(target) for target in found if target in self._receivers}
        self._full |= {target for target, room in rooms.items() if room <= 0}
        return {target: room for target, room in rooms.items() if room > 0}

    def _room(self, target: Target) -> int:
        """How many events the clients of a target can still hold."""
        return sum(max(0, WINDOW - client.held) for client in self._receivers[target].values())

    async def _waiting(self, rooms: dict[Target, int]) -> list[int]:
        """What waits for these targets, as much as they have room for; what is left is looked for again."""
        by_account: dict[bytes, list[str]] = {}
        for account_id, target in rooms:
            by_account.setdefault(account_id, []).append(target)
        wanted: list[int] = []
        for account_id, names in by_account.items():
            for start in range(0, len(names), _CHUNK):
                some = names[start : start + _CHUNK]
                found = await self._engine.read(relay.waiting, account_id, some, _BATCH)
                for seq, target in found:
                    rooms[account_id, target] -= 1
                    if rooms[account_id, target] >= 0:
                        wanted.append(seq)
                if len(found) == _BATCH:
                    self._record.relayed.update((account_id, name) for name in some)
        self._record.relayed.update(target for target, room in rooms.items() if room < 0)
        return sorted(wanted)

    def _tell(self, event: RelayEvent, message: Message | None, media: Sequence[Media]) -> None:
        if message is None or message.deleted_at is not None:
            self._took.append(event.seq)
            return
        client = self._choose(event, message)
        if client is None:
            self._back.append(event)
            return
        client.held += 1
        client.tell(event, message, media)

    def _choose(self, event: RelayEvent, message: Message) -> Subscriber | None:
        receivers = self._receivers.get((event.account_id, event.target), {})
        roomy = [client for client in receivers.values() if client.held < WINDOW]
        if not roomy:
            return None
        if message.is_outbound:  # one client sees all of a message's states, as long as it stays
            return max(roomy, key=lambda client: hash((event.message_id, client.protocol)))
        chosen = roomy[0]
        receivers[chosen.protocol] = receivers.pop(chosen.protocol)  # next time another's turn comes first
        return chosen

    async def _let_go(self) -> None:
        """Note which sessions have no client any more."""
        left = self._left - self._entering - self._clients.keys()
        self._left.clear()
        if left:
            try:
                await self._engine.write(relay.leave, self._node, sorted(left), self._clock.now())
            except StoreUnavailable:
                self._left |= left
                raise

    async def sweep(self) -> None:
        """Hold the record's sessions against the clients, and give up what no client took in time."""
        await self._compare()
        now = self._clock.now()
        given_up = await self._engine.write(
            relay.sweep, now, now - KEPT_US, now - self._give_up_us, _BATCH, to_all=self.to_all
        )
        if given_up:
            self._events.labels("given_up").inc(given_up)
            log.warning("Relay events that no client took were given up", count=given_up)
        # There may be more than one sweep takes.
        self._sweep_at = self._clock.monotonic() + (0.0 if given_up >= _BATCH else _SWEEP_S)

    async def _compare(self) -> None:
        """Hold the record's sessions of this node against its clients. What differs twice in a row is mended: a session
        that nobody has, since an `enter` was committed without an answer; a client whose session was taken for lost,
        since this node's lease had ended for a moment.
        """
        is_alike = await self._engine.read(relay.count, self._node) == len(self._clients)
        if is_alike and not self._ghosts and not self._orphans:
            return
        held = await self._engine.read(relay.connected, self._node)
        ghosts, orphans = held - self._clients.keys() - self._entering, self._clients.keys() - held
        self._left |= ghosts & self._ghosts
        lost = [self._session(self._clients[protocol]) for protocol in orphans & self._orphans]
        self._ghosts, self._orphans = ghosts, orphans
        if lost:
            await self._engine.write(relay.adopt, lost)
        if self._left:
            self.nudge.set()

    def _session(self, client: Subscriber) -> RelaySession:
        listed = json.encode(sorted(client.contexts)).decode()
        return RelaySession(client.protocol, client.account_id, listed, self._node, self._clock.now())
