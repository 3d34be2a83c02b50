"""Orders: numbers are assigned to campaigns, one by one, by whichever node finds that an order is due.

An order first makes its assignments, and settles them a while later, when its campaign is decided. A node that dies on
the way leaves nothing half done: another begins the same step again, and what was done of it stands.
"""

import asyncio
import hashlib
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, Final

from msgspec.structs import replace

from parley.core.numbers import Numbers
from parley.core.refusal import Refused
from parley.core.resources import Resources
from parley.core.review import Reviewing
from parley.lib.clock import Clock
from parley.model.callback import Callback
from parley.model.number import Number
from parley.model.registry import Assignment, Campaign, Order
from parley.model.resource import Resource

_TOGETHER: Final = 100
_POLL_S: Final = 1.0


class Orders:
    """The orders of all accounts. `owes` tells which callbacks are owed for a step; `wake` is called when some are."""

    def __init__(
        self,
        reviewing: Reviewing,
        numbers: Numbers,
        clock: Clock,
        owes: Callable[[Resource[Any]], Sequence[Callback]],
        wake: Callable[[], None],
    ) -> None:
        self._reviewing = reviewing
        self.campaigns = reviewing.registry.campaigns
        self.orders = reviewing.registry.orders
        self.assignments = reviewing.registry.assignments
        self._numbers = numbers
        self._clock = clock
        self._owes = owes
        self._wake = wake
        self.nudge = asyncio.Event()
        """Set when there may be something to do."""

    async def place(
        self, campaign: Resource[Campaign], numbers: Sequence[Number], status_callback: str | None
    ) -> Resource[Order]:
        """Order that numbers be assigned to a campaign. Raises Refused(number_taken) for one that is in a campaign."""
        for number in numbers:
            if await self.assignments.named(number.account_id, number.address) is not None:
                raise Refused("number_taken", number.address)
        order = Order(
            campaign.value.brand_id or b"",
            tuple(number.address for number in numbers),
            status_callback=status_callback,
        )
        made = await self.orders.add(campaign.account_id, order, parent_id=campaign.id, due_at=self._clock.now())
        self.nudge.set()
        return made

    async def move(self, number: Number, campaign: Resource[Campaign] | None) -> None:
        """Have a number assigned to a campaign, by an order of its own, or to none. What was ordered for it before and
        has not begun is withdrawn: what was asked last holds.
        """
        waits = [
            order
            for order in await self.orders.family(number.account_id)
            if order.value.state == "pending" and number.address in order.value.numbers
        ]
        stands = await self.assignments.named(number.account_id, number.address)
        bound = [order.parent_id for order in waits] if stands is None else [stands.parent_id]
        if campaign is not None and bound == [campaign.id]:
            return
        for order in waits:
            await self._withdraw(order, number.address)
        stands = await self.assignments.named(number.account_id, number.address)  # by an order that has begun meanwhile
        if stands is not None:
            await self.assignments.drop(number.account_id, stands.id)
        if campaign is not None:
            await self.place(campaign, (number,), None)

    async def _withdraw(self, order: Resource[Order], address: str) -> None:
        """Take a number out of an order that has not begun; the order goes with its last one."""

        def without(before: Resource[Order]) -> Resource[Order]:
            if before.value.state != "pending":
                return before
            numbers = tuple(each for each in before.value.numbers if each != address)
            return replace(before, value=replace(before.value, numbers=numbers))

        with suppress(Refused):  # it is gone with its campaign
            left = await self.orders.change(order.account_id, order.id, without)
            if not left.value.numbers:
                await self.orders.drop(order.account_id, order.id)

    async def turn(self) -> float:
        """Take every order that is due one step further; seconds until there may be more. Raises StoreUnavailable."""
        due = await self.orders.due(_TOGETHER)
        for order in due:
            await (self._begin if order.value.state == "pending" else self._settle)(order)
        return 0.0 if len(due) == _TOGETHER else _POLL_S

    async def _begin(self, order: Resource[Order]) -> None:
        for address in order.value.numbers:
            await self._assign(order, address)
        settles_at = self._clock.now() + round(self._reviewing.reviewers.delay_s * 1_000_000)
        await self._put(self.orders, replace(order, value=replace(order.value, state="processing"), due_at=settles_at))
        self.nudge.set()

    async def _assign(self, order: Resource[Order], address: str) -> None:
        # The id is made of what it stands for, so that two nodes that begin the same order make one assignment.
        id = hashlib.blake2b(order.id + address.encode(), digest_size=16).digest()
        number = await self._numbers.by_address(address)
        is_ours = number is not None and number.account_id == order.account_id
        value = Assignment(
            order.value.brand_id,
            order.id,
            number.id if number is not None else b"",
            address,
            status_callback=order.value.status_callback,
        )
        try:
            if is_ours:
                await self._add(order, id, value, name=address)
                return
        except Refused:  # made already, in a campaign by another order, or the number was released
            if await self.assignments.find(order.account_id, id) is not None:
                return
        try:
            await self._add(order, id, replace(value, state="failed"), name=None)
        except Refused:  # made already, or the campaign was dropped
            return

    async def _add(self, order: Resource[Order], id: bytes, value: Assignment, *, name: str | None) -> None:
        made = Resource(id, order.account_id, value, self._clock.now(), self._clock.now(), order.parent_id, name)
        owes = self._owes(made)
        await self.assignments.add(
            order.account_id,
            value,
            parent_id=order.parent_id,
            name=name,
            id=id,
            owes=owes,
            number=name,  # what is assigned stays the account's until it is: it may be released at this moment
        )
        if owes:
            self._wake()

    async def _settle(self, order: Resource[Order]) -> None:
        assert order.parent_id is not None
        campaign = await self.campaigns.find(order.account_id, order.parent_id)
        verdict = "rejected" if campaign is None else campaign.value.verdict
        if verdict == "pending":
            later = self._clock.now() + round(_POLL_S * 1_000_000)
            await self._put(self.orders, replace(order, due_at=later))
            return
        for address in order.value.numbers:
            id = hashlib.blake2b(order.id + address.encode(), digest_size=16).digest()
            await self._decide(order.account_id, id, is_approved=verdict == "approved")
        value = replace(
            order.value,
            state="processed" if verdict == "approved" else "failed",
            processed_at=self._clock.now(),
        )
        await self._put(self.orders, replace(order, value=value, due_at=None))

    async def _decide(self, account_id: bytes, id: bytes, *, is_approved: bool) -> None:
        try:
            assignment = await self.assignments.fetch(account_id, id)
        except Refused:  # its number was released, or it was taken back
            return
        if assignment.value.state != "pending":
            return
        value = replace(assignment.value, state="completed" if is_approved else "failed")
        name = assignment.name if is_approved else None
        await self._put(self.assignments, replace(assignment, value=value, name=name))

    async def _put(self, kind: Resources[Any], after: Resource[Any]) -> None:
        """Store a step, and owe what it is told by. Of two nodes that take it, one changes nothing."""
        stored = replace(after, updated_at=self._clock.now())
        owes = self._owes(stored)
        if await kind.put(stored, owes=owes) and owes:
            self._wake()
