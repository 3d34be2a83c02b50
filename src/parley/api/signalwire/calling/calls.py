"""Place simulated calls: check them, carry their documents out, and keep what happens while it does.

A call is in the record before anybody is told of it. The node that took it carries it out in a task of its own; a call
whose node died is ended by the next node that looks, which says so in it.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

import structlog
from msgspec import json
from msgspec.structs import replace

from parley.api.signalwire.calling.carrying import Carrying, Lost
from parley.api.signalwire.calling.methods import read
from parley.api.signalwire.swml.fault import Faulty
from parley.core.backoff import Backoff
from parley.core.limits import Busy, Stopping
from parley.core.numbers import Numbers
from parley.core.refusal import Refused
from parley.core.send import Draft
from parley.lib.clock import Clock
from parley.lib.ids import Ids
from parley.model.account import Account
from parley.model.address import SIGNALWIRE, InvalidAddress, parse_recipient, parse_sender
from parley.model.call import Call, Dial, Placed
from parley.model.message import Message
from parley.model.number import Number
from parley.store import Engine, StoreUnavailable, calls
from parley.store.accept import IdempotencyKey
from parley.webhooks.client import Answer, FetchFailed
from parley.webhooks.render import Fetch

R = TypeVar("R")

log = structlog.get_logger(__name__)

MOST_UNDER_WAY: Final = 500
"""Calls that one node carries out at once."""
_TOGETHER: Final = 100
_LOOK_S: Final = 2.0
_POLL_S: Final = 0.5
"""A call that ends on another node is seen within this."""
_LISTED: Final = 100
_PLATFORM: Final = "Parley"
"""Who calls when no number of the account's does."""
_SCRIPT_URL: Final = "call_relay_script_url"


class Calls:
    """All simulated calls, and the tasks of those that this node carries out. `send` and `fetch` are the ways out for
    texts and requests.
    """

    def __init__(
        self,
        engine: Engine,
        node: bytes,
        numbers: Numbers,
        send: Callable[[Draft], Awaitable[Message]],
        fetch: Callable[[Fetch], Awaitable[Answer | FetchFailed]],
        clock: Clock,
        ids: Ids,
        backoff: Backoff,
    ) -> None:
        self._engine = engine
        self._node = node
        self._numbers = numbers
        self._send = send
        self._fetch = fetch
        self._clock = clock
        self._ids = ids
        self._backoff = backoff
        self._under_way: dict[bytes, asyncio.Task[None]] = {}
        self._missing: set[bytes] = set()
        self._stopping = asyncio.Event()

    async def find(self, account_id: bytes, call_id: bytes, wait_s: float = 0.0) -> Placed | None:
        """One of the account's calls, once it is over or `wait_s` have passed."""
        deadline = self._clock.monotonic() + wait_s
        while True:
            found = await self._engine.read(calls.fetch, account_id, call_id)
            left = deadline - self._clock.monotonic()
            if found is None or found.call.ended_at is not None or left <= 0:
                return found
            if self._stopping.is_set():
                raise Stopping
            stops = asyncio.create_task(self._stopping.wait())
            over = self._under_way.get(call_id, stops)
            try:
                await asyncio.wait((stops, over), timeout=min(left, _POLL_S), return_when=asyncio.FIRST_COMPLETED)
            finally:
                stops.cancel()

    def stop_waiting(self) -> None:
        """Let everybody go who waits for a call's end, because the process stops."""
        self._stopping.set()

    async def dial(self, account: Account, dial: Dial, key: IdempotencyKey | None = None) -> Placed:
        """Call a phone from one of the account's numbers; the call, which has begun and is durable, or the one that the
        same request made before.

        Raises Refused for numbers that cannot call, Busy, and UnreadableAnswer for `swml` that is no document.
        """
        await self._number(account, dial.sender)
        return await self._place(account, dial, dial.sender, key)

    async def ring(self, account: Account, dial: Dial) -> Placed:
        """Have a phone call one of the account's numbers, which answers by its own SWML when `dial` has none.

        Raises Refused, Busy and UnreadableAnswer as `dial` does.
        """
        number = await self._number(account, dial.recipient)
        if dial.swml is None and dial.url is None:
            url = json.decode(number.extras).get(_SCRIPT_URL) if number.extras else None
            if url is None:
                raise Faulty("swml_missing_entry_point", "the number has no SWML for calls: give swml or url")
            dial = replace(dial, url=url)
        return await self._place(account, dial, dial.recipient, None)

    async def say(self, account_id: bytes, phone: str, text: str) -> None:
        """Call a phone, which hears a text. Returns once that is durable."""
        now = self._clock.now()
        transcript = ({"method": "say", "text": text},)
        call = Call("outbound-api", _PLATFORM, phone, "completed", now, now, transcript)
        await self._engine.write(calls.begin, Placed(self._ids.new(), call), account_id, None)

    async def of_phone(self, account_id: bytes, phone: str) -> list[Placed]:
        """An account's calls with a phone, the newest first, of its last hundred."""
        newest = await self._engine.read(calls.newest, account_id, _LISTED)
        return [each for each in newest if phone in (each.call.sender, each.call.recipient)]

    async def turn(self) -> float:
        """End the calls that were cut off by their nodes' deaths; seconds until there may be more.

        Raises StoreUnavailable.
        """
        # A call whose beginning was committed without an answer is in nobody's hands.
        missing = await self._engine.read(calls.held, self._node) - self._under_way.keys()
        lost, self._missing = missing & self._missing, missing
        found = [*await self._engine.read(calls.cut_off, _TOGETHER), *lost]
        if not found:
            return _LOOK_S
        ended = await self._engine.write(calls.end, found, self._node, self._clock.now())
        log.warning("ended calls whose server had stopped", count=ended)
        return 0.0 if ended == _TOGETHER else _LOOK_S

    async def ended(self) -> None:
        """Wait until nothing is under way here."""
        if self._under_way:
            await asyncio.wait(self._under_way.values())

    def cancel(self) -> None:
        """Give up what is under way: another node ends it."""
        for task in self._under_way.values():
            task.cancel()

    async def _number(self, account: Account, text: str) -> Number:
        try:
            address = parse_sender(text, SIGNALWIRE)
        except InvalidAddress as error:
            raise Refused("sender_invalid", text) from error
        number = await self._numbers.sender(account.id, address, "signalwire")
        if number is None or address.channel != "sms":
            raise Refused("sender_invalid", text)
        return number

    async def _place(self, account: Account, dial: Dial, ours: str, key: IdempotencyKey | None) -> Placed:
        if account.status != "active":
            raise Refused("account_suspended")
        _check_phone(dial.recipient if ours == dial.sender else dial.sender)
        if dial.swml is not None:
            read(dial.swml)  # before anything is done
        if len(self._under_way) >= MOST_UNDER_WAY:
            raise Busy("Too many calls are under way")
        call = Call(dial.direction, dial.sender, dial.recipient, "in-progress", self._clock.now(), None, ())
        placed = Placed(self._ids.new(), call)
        begun = await self._engine.write(calls.begin, placed, account.id, self._node, key)
        if begun is None:
            raise Refused("key_reused")
        if begun != placed.id:
            return await self._engine.read(calls.fetch, account.id, begun) or placed
        carrying = Carrying(account, dial, ours, placed, self._text, self._fetch, self._tell)
        task = asyncio.create_task(self._carry(carrying), name="call")
        self._under_way[placed.id] = task
        task.add_done_callback(lambda _: self._under_way.pop(placed.id))
        return placed

    async def _carry(self, carrying: Carrying) -> None:
        try:
            try:
                await carrying.run(self._clock.now)
            except Lost:
                raise
            except Exception:  # a fault of ours, which must not leave a call under way for ever
                log.exception("a call failed")
                await carrying.fail("internal_error_occurred", "the call could not be carried out", self._clock.now())
        except Lost:
            log.warning("a call is carried out no further: another server ended it, or it was forgotten")

    async def _tell(self, placed: Placed) -> None:
        if not await self._durably(lambda: self._engine.write(calls.tell, placed, self._node)):
            raise Lost

    async def _text(self, draft: Draft) -> Message:
        return await self._durably(lambda: self._send(draft))

    async def _durably(self, act: Callable[[], Awaitable[R]]) -> R:
        """Do what is the same when it is done again, until the record takes it."""
        failures = 0
        while True:
            try:
                return await act()
            except StoreUnavailable as error:
                failures += 1
                log.warning("the database is away", loop="calls", error=str(error))
                await self._backoff.wait(failures)


def _check_phone(text: str) -> None:
    try:
        address = parse_recipient(text, SIGNALWIRE)
    except InvalidAddress as error:
        raise Refused("recipient_invalid", text) from error
    if address.channel != "sms":
        raise Refused("recipient_invalid", text)
