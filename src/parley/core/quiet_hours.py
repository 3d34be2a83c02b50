"""Quiet hours: when a recipient is left alone, by every clock that may hang on the recipient's wall."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from msgspec.structs import replace

from parley.core.cache import FRESH_S, Cache
from parley.core.refusal import Refused
from parley.core.resources import Resources
from parley.lib.clock import Clock
from parley.model.service import QuietHours, Service
from parley.store import Engine, scheduled

MOST_MINUTES: Final = 23 * 60
"""The longest that quiet hours may be, so that a day which is an hour longer has an hour left too."""
_DAY_US: Final = 86_400_000_000
_MINUTE_US: Final = 60_000_000
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_OF_ACCOUNT: Final = "account"
_KNOWN_US: Final = round(2 * FRESH_S * 1_000_000)
"""Within so long every node knows of a change."""
_TOGETHER: Final = 1000


class Quiet:
    """The quiet hours that accounts and services have set. A service's own stand in for its account's.

    What is held by hours that are changed is looked at again within two seconds: others may hold it longer, or none.
    """

    def __init__(
        self, engine: Engine, accounts: Resources[QuietHours], services: Resources[Service], clock: Clock
    ) -> None:
        self._engine = engine
        self._clock = clock
        self._accounts = accounts
        self._services = services
        self._known: Cache[bytes, tuple[QuietHours | None]] = Cache(clock)
        self._changes = -1

    def is_free(self, account_id: bytes) -> bool:
        """Whether an account is known to have set none, its services aside. False says nothing."""
        if (changes := self._accounts.changes) != self._changes:
            self._changes = changes
            self._known.clear()
        return self._known.get(account_id) == (None,)

    async def of(self, account_id: bytes, service_id: bytes | None = None) -> QuietHours | None:
        """Those that a message keeps, as they were within the last second."""
        if service_id is not None:
            service = await self._services.find(account_id, service_id)
            if service is not None and service.value.quiet_hours is not None:
                return service.value.quiet_hours
        changes = self._changes
        kept = await self._accounts.named(account_id, _OF_ACCOUNT)
        hours = None if kept is None else kept.value
        if changes == self._changes:
            self._known.put(account_id, (hours,))
        return hours

    async def of_service(self, account_id: bytes, service_id: bytes) -> QuietHours | None:
        """A service's own, as the record has them. Raises Refused(not_found)."""
        return (await self._services.fetch(account_id, service_id)).value.quiet_hours

    async def set_for_service(self, account_id: bytes, service_id: bytes, hours: QuietHours | None) -> None:
        """Set or remove a service's. Raises Refused(not_found)."""
        await self._services.change(
            account_id, service_id, lambda it: replace(it, value=replace(it.value, quiet_hours=hours))
        )
        await self._look_again(account_id)

    async def set_for_account(self, account_id: bytes, hours: QuietHours | None) -> None:
        """Set or remove an account's."""
        await self._set_for_account(account_id, hours)
        await self._look_again(account_id)

    async def _set_for_account(self, account_id: bytes, hours: QuietHours | None) -> None:
        self._accounts.forget()
        kept = await self._accounts.named(account_id, _OF_ACCOUNT)
        try:
            if kept is None and hours is not None:
                await self._accounts.add(account_id, hours, name=_OF_ACCOUNT)
            elif kept is not None and hours is not None:
                await self._accounts.change(account_id, kept.id, lambda it: replace(it, value=hours))
            elif kept is not None:
                await self._accounts.drop(account_id, kept.id)
        except Refused:  # another request set or removed them meanwhile
            await self._set_for_account(account_id, hours)

    async def _look_again(self, account_id: bytes) -> None:
        """Have all that the hours of an account and its services hold fall due, once every node knows of a change."""
        at = self._clock.now() + _KNOWN_US
        held = await self._engine.read(scheduled.held_by_hours, account_id, (at, b""), _TOGETHER)
        while held:
            await self._engine.write(scheduled.hasten, [message_id for _, message_id in held], at)
            held = await self._engine.read(scheduled.held_by_hours, account_id, held[-1], _TOGETHER)


def fault(hours: QuietHours) -> str | None:
    """What is wrong with hours that somebody wants to set."""
    if minutes(hours.start) is None or minutes(hours.end) is None:
        return "start and end are times of day, spelt HH:MM"
    if not 0 < length(hours) <= MOST_MINUTES:
        return f"Quiet hours last from a minute to {MOST_MINUTES // 60} hours"
    return None


def minutes(text: str) -> int | None:
    """Minutes after midnight of `HH:MM`; None for what is not spelt so."""
    hours, colon, rest = text.partition(":")
    if not (text.isascii() and colon and len(hours) == len(rest) == 2 and hours.isdigit() and rest.isdigit()):
        return None
    return int(hours) * 60 + int(rest) if int(hours) < 24 and int(rest) < 60 else None


def length(hours: QuietHours) -> int:
    """Minutes from start to end; 0 when they are the same."""
    return (_minutes(hours.end) - _minutes(hours.start)) % (24 * 60)


def free_at(hours: QuietHours, zones: Sequence[ZoneInfo], at: int) -> int:
    """The first moment from `at` on, in microseconds, at which it is quiet in none of the zones.

    A recipient whose digits leave half the world open may never have such a moment: then the one at which it is quiet
    in the fewest. It is never more than a day away.
    """
    if not any(_is_quiet(hours, zone, at) for zone in zones):
        return at
    # All that can make it free is the end of some zone's quiet hours.
    ends = sorted({end for zone in zones for end in _ends(hours, zone, at)})
    return min(ends, key=lambda end: sum(_is_quiet(hours, zone, end) for zone in zones), default=at + _DAY_US)


def _ends(hours: QuietHours, zone: ZoneInfo, at: int) -> Iterator[int]:
    """When quiet hours end in a zone, within the next day."""
    latest = at + _DAY_US
    is_quiet = _is_quiet(hours, zone, at)
    while (at := _turn(hours, zone, at)) <= latest:
        if is_quiet:
            yield at
        is_quiet = not is_quiet


def _turn(hours: QuietHours, zone: ZoneInfo, at: int) -> int:
    """The next moment at which quiet hours begin or end by the clocks of a zone."""
    is_quiet = _is_quiet(hours, zone, at)
    while True:
        boundary = _minutes(hours.end if is_quiet else hours.start) * _MINUTE_US
        until = at + (boundary - _time_of_day(zone, at)) % _DAY_US
        if _offset(zone, at) == _offset(zone, until):
            return until
        # The clocks are set on the way there: go as far as that, and look at them again.
        at = _transition(zone, at, until)
        if _is_quiet(hours, zone, at) != is_quiet:
            return at


def _transition(zone: ZoneInfo, before: int, after: int) -> int:
    """When the clocks of a zone are set, between two moments that they tell differently."""
    while after - before > 1:
        middle = (before + after) // 2
        if _offset(zone, middle) == _offset(zone, before):
            before = middle
        else:
            after = middle
    return after


def _is_quiet(hours: QuietHours, zone: ZoneInfo, at: int) -> bool:
    since_start = (_time_of_day(zone, at) - _minutes(hours.start) * _MINUTE_US) % _DAY_US
    return since_start < length(hours) * _MINUTE_US


def _time_of_day(zone: ZoneInfo, at: int) -> int:
    """Microseconds since midnight by the clocks of a zone."""
    return (at + _offset(zone, at)) % _DAY_US


def _offset(zone: ZoneInfo, at: int) -> int:
    offset = (_EPOCH + timedelta(microseconds=at)).astimezone(zone).utcoffset()
    assert offset is not None
    return offset // timedelta(microseconds=1)


def _minutes(text: str) -> int:
    found = minutes(text)
    assert found is not None, text
    return found
