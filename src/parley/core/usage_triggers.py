"""Usage triggers: watch what accounts use, and owe a callback for what has reached its value."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

import msgspec
from msgspec.structs import replace

from parley.core.accounts import Accounts
from parley.core.resources import Resources
from parley.core.usage import Usage
from parley.lib.clock import Clock
from parley.lib.ids import Ids
from parley.model.callback import Callback
from parley.model.resource import Resource
from parley.model.usage import CATEGORIES, DAY_US, Amount, Used
from parley.model.usage_trigger import Recurring, UsageTrigger

EVERY_S: Final = 30.0
_SOON_S: Final = 1.0
AT_ONCE: Final = 10_000
"""Triggers that are looked at in one turn."""

Trigger = Resource[UsageTrigger]
Told = Callable[[Trigger, int], Mapping[str, str]]
"""What a trigger's callback says, from the trigger as it has fired and the value that it found."""


class UsageTriggers:
    """The triggers of all accounts. Every node watches: of two that find the same, one changes nothing.

    `wake` is called when a callback is owed.
    """

    def __init__(
        self,
        kept: Resources[UsageTrigger],
        accounts: Accounts,
        usage: Usage,
        clock: Clock,
        ids: Ids,
        told: Told,
        wake: Callable[[], None],
    ) -> None:
        self.kept = kept
        self._accounts = accounts
        self._usage = usage
        self._clock = clock
        self._ids = ids
        self._told = told
        self._wake = wake
        self._seen_to: tuple[int, bytes] | None = None
        """The due time and id of the last one that was looked at, while there are more."""

    async def add(self, account_id: bytes, trigger: UsageTrigger) -> Trigger:
        """Keep a trigger, which is watched from now on."""
        return await self.kept.add(account_id, trigger, due_at=self._clock.now())

    async def current(self, account_id: bytes, triggers: Sequence[UsageTrigger]) -> list[int]:
        """What the present period of each has of what it watches, with the subaccounts', in millionths.

        All triggers of one period are answered by one question to the record.
        """
        today = self._usage.today
        accounts = await self._accounts.family(account_id)
        used = {
            day: await self._usage.used(accounts, day, today)
            for day in {first_day(trigger.recurring, today) for trigger in triggers}
        }
        return [_seen(trigger, used[first_day(trigger.recurring, today)]) for trigger in triggers]

    async def turn(self) -> float:
        """Look at the triggers that can fire, or at the next of very many; seconds until the next look. Those of closed
        accounts are not looked at again. Raises StoreUnavailable.
        """
        by_account: dict[bytes, list[Trigger]] = {}
        due = await self.kept.due(AT_ONCE, self._seen_to)
        for trigger in due:
            by_account.setdefault(trigger.account_id, []).append(trigger)
        for account_id, triggers in by_account.items():
            account = await self._accounts.by_id(account_id)
            if account is None or account.status == "closed":
                for trigger in triggers:
                    await self.kept.put(replace(trigger, due_at=None))
                continue
            found = await self.current(account_id, [trigger.value for trigger in triggers])
            for trigger, current in zip(triggers, found, strict=True):
                if current >= trigger.value.value:
                    await self._fire(trigger, current)
        is_longer = len(due) == AT_ONCE
        self._seen_to = (due[-1].due_at or 0, due[-1].id) if is_longer else None
        return _SOON_S if is_longer else EVERY_S

    async def _fire(self, trigger: Trigger, current: int) -> None:
        now = self._clock.now()
        next_day = next_first_day(trigger.value.recurring, self._usage.today)
        fired = replace(
            trigger,
            value=replace(trigger.value, fired_at=now),
            updated_at=now,
            due_at=None if next_day is None else next_day * DAY_US,
        )
        plain = Callback.owed(
            self._ids.new(),
            (trigger.account_id, trigger.id),
            "twilio",
            trigger.value.callback_url,
            "sent",
            at=now,
            node=None,
        )
        notice = replace(
            plain,
            kind="notice",
            method=trigger.value.callback_method,
            data=msgspec.json.encode(self._told(fired, current)).decode(),
        )
        if await self.kept.put(fired, owes=[notice]):
            self._wake()


def _seen(trigger: UsageTrigger, used: Sequence[Used]) -> int:
    leaves = CATEGORIES[trigger.category].leaves
    return trigger.value_of(sum((one.amount for one in used if one.category in leaves), Amount()))


def first_day(recurring: Recurring, today: int) -> int:
    """The first day of the period that a day is in, both counted from 1970-01-01."""
    day = datetime.fromtimestamp(today * 86_400, UTC)
    match recurring:
        case "daily":
            return today
        case "monthly":
            return today - day.day + 1
        case "yearly":
            return today - day.timetuple().tm_yday + 1
        case "alltime":
            return 0


def next_first_day(recurring: Recurring, today: int) -> int | None:
    """The first day of the period after the one that a day is in; None when there is none."""
    if recurring == "alltime":
        return None
    day = today + 1
    while first_day(recurring, day) != day:
        day += 1
    return day
