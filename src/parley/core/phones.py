"""The simulated phones: what arrived at each, how it behaves, and what it still has to report.

One object a process, which the simulator carrier writes through and its control API reads through. All of it is kept
in the record; behaviours and faults are also held in memory, where each submit looks at them.
"""

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Final

import msgspec

from parley.core.limits import Stopping
from parley.lib.clock import Clock
from parley.model.behaviour import CALM, USUAL, Behaviour, Faults
from parley.model.phone import Arrival, DueReceipt, Phone
from parley.store import Engine, Operation, media, phones, settings

_FAULTS: Final = "simulator.faults"
_FORGOTTEN: Final = "simulator.forgotten_at"
_POLL_S: Final = 1.0
"""A message that arrived through another node is seen within this."""

_behaviour: Final = msgspec.json.Decoder(Behaviour)
_faults: Final = msgspec.json.Decoder(Faults)


class Phones:
    """The simulated phones of all accounts. `disturbed` is called when faults were set, here or at another node."""

    def __init__(self, engine: Engine, clock: Clock, disturbed: Callable[[], None] = lambda: None) -> None:
        self._engine = engine
        self._clock = clock
        self._told: Mapping[str, str] = {}
        self._changes = 0
        self._watched: dict[str, list[asyncio.Event]] = {}
        self._is_stopping = False
        self._disturbed = disturbed
        self.behaviours: Mapping[str, Behaviour] = {}
        """Of the phones that were told how to behave, by address without channel."""
        self.faults = CALM

    def stop_waiting(self) -> None:
        """Let everybody go who waits for a message, because the process stops."""
        self._is_stopping = True
        for events in self._watched.values():
            for event in events:
                event.set()

    async def refresh(self) -> None:
        """Take over what was told to phones through other nodes. Raises StoreUnavailable."""
        changes = self._changes
        told = await self._engine.read(phones.behaviours)
        faults = await self._engine.read(settings.fetch, _FAULTS)
        if changes != self._changes:  # told here meanwhile: what was read may be older than that
            return
        if told != self._told:
            self._told = told
            self.behaviours = {address: _behaviour.decode(text) for address, text in told.items()}
        self._be(_faults.decode(faults) if faults is not None else CALM)

    def behaviour(self, phone: str) -> Behaviour:
        """How a phone behaves."""
        return self.behaviours.get(phone, USUAL)

    async def tell(self, phone: str, behaviour: Behaviour) -> None:
        """Make a phone behave so from now on."""
        text = msgspec.json.encode(behaviour).decode()
        await self._engine.write(phones.put_behaviour, phone, text)
        self._changes += 1
        self._told = {**self._told, phone: text}
        self.behaviours = {**self.behaviours, phone: behaviour}

    async def disturb(self, faults: Faults) -> None:
        """Make the carrier as a whole behave so from now on."""
        await self._engine.write(settings.put, _FAULTS, msgspec.json.encode(faults).decode(), self._clock.now())
        self._changes += 1
        self._be(faults)

    async def forget(self) -> None:
        """Forget every phone with its messages and calls, and all faults."""
        await self._engine.write(_forget, self._clock.now())
        self._changes += 1
        self._told = {}
        self.behaviours = {}
        self._be(CALM)

    def _be(self, faults: Faults) -> None:
        if faults != self.faults:
            self.faults = faults
            self._disturbed()

    async def record(self, arrivals: Sequence[Arrival], due: Sequence[DueReceipt]) -> Collection[str]:
        """Put messages on their phones, once each, and note the receipts owed. Raises StoreUnavailable.

        Returns those of the phones that are numbers of this server. What came there has to come in first: receipts for
        it are owed once `owe` says so.
        """
        ours = await self._engine.write(phones.record, arrivals, due)
        if self._watched:
            for arrival in arrivals:
                for event in self._watched.get(arrival.phone, ()):
                    event.set()
        return ours

    async def owe(self, due: Sequence[DueReceipt]) -> None:
        """Note receipts that are owed. Raises StoreUnavailable."""
        await self._engine.write(phones.owe, due)

    async def content(self, content_hash: bytes) -> bytes | None:
        """The octets of an attachment; None when they are gone."""
        return await self._engine.read(media.content, content_hash)

    async def take_due(self, now: int, limit: int, again_at: int) -> list[DueReceipt]:
        """Receipts to report now, the longest due first; nobody else reports them before `again_at`."""
        return await self._engine.write(phones.take_due, now, limit, again_at)

    async def next_due(self) -> int | None:
        """When the next receipt is to be reported."""
        return await self._engine.read(phones.next_due)

    async def settle(self, receipts: Sequence[DueReceipt]) -> None:
        """Note that these were reported for good."""
        await self._engine.write(phones.settle, receipts)

    async def active(self, account_id: bytes, limit: int) -> list[Phone]:
        """The phones that an account talked with since all were forgotten, the last active first; addresses with their
        channel.
        """
        forgotten_at = await self._engine.read(settings.fetch, _FORGOTTEN)
        return await self._engine.read(phones.list_phones, account_id, limit, int(forgotten_at or 0))

    async def inbox(
        self,
        account_id: bytes,
        phone: str,
        limit: int,
        since: int | None = None,
        contains: str | None = None,
        wait_s: float = 0.0,
    ) -> list[Arrival]:
        """What an account sent to a phone, newest first; waits up to `wait_s` for the first that matches.

        Raises Stopping when the process stops before that.
        """
        deadline = self._clock.monotonic() + wait_s
        event = asyncio.Event()
        self._watched.setdefault(phone, []).append(event)
        try:
            while True:
                event.clear()
                found = await self._engine.read(phones.inbox, phone, account_id, limit, since, contains)
                left = deadline - self._clock.monotonic()
                if found or left <= 0:
                    return found
                if self._is_stopping:
                    raise Stopping
                try:
                    async with asyncio.timeout(min(left, _POLL_S)):
                        await event.wait()
                except TimeoutError:
                    pass
        finally:
            watching = self._watched[phone]
            watching.remove(event)
            if not watching:
                del self._watched[phone]


def _forget(now: int) -> Operation[None]:
    yield from phones.forget_all()
    yield from settings.put(_FAULTS, "{}", now)
    yield from settings.put(_FORGOTTEN, str(now), now)  # the messages stay, and tell of phones
