"""A circuit breaker per host: who cannot be reached is left alone for a growing while, and then asked by one probe.

A handler that takes requests and gives no answer may be the only one of its app that does. So the probe goes to another
path, if one is wanted; and once another has answered, what that handler does says nothing of the host any more.
Only hosts in trouble are remembered. What a node knows of them is its own, and forgotten at its end.
"""

from collections.abc import Callable
from functools import lru_cache, partial
from typing import Final, Literal
from urllib.parse import urlsplit

import msgspec
from prometheus_client import CollectorRegistry, Counter, Gauge

from parley.core.backoff import Backoff
from parley.lib.clock import Clock
from parley.lib.randomness import Randomness

State = Literal["troubled", "open", "half_open"]

OPENS_AFTER: Final = 5
"""Failures in a row, without any answer between them, after which a host is left alone."""
FIRST_S: Final = 5.0
"""For how long at first; it doubles with each probe that fails, less up to half of it by chance."""
MOST_S: Final = 120.0

_GRACE_US: Final = 20_000_000
"""A probe takes no longer: what waits for its outcome is due after that."""
STEP_US: Final = 2_000
"""What waits falls due one after the other, so that a backlog neither fills the node's hands nor storms the host."""
_PROBES: Final = 2
"""Callbacks parked until the very end of a break, one of which will be the probe if no newer one is."""
_WAY_US: Final = 1_000_000
"""For so long after a break a path that has failed leaves the probe to one that has not, and is wanted."""
_MOST_REMEMBERED: Final = 10_000
_MOST_PATHS: Final = 64
"""Paths of one host that are remembered for having failed: more than are asked until callbacks are given up."""
_MOST_OF_PATH: Final = 200
"""Characters of a path that tell it from others: it comes from a client's URL."""
_REMEMBERED_US: Final = 1_800_000_000
"""For so long after its last failure a host is remembered that answers elsewhere."""
_STATES: Final[tuple[State, ...]] = ("troubled", "open", "half_open")
_PORTS: Final = {"http": 80, "https": 443}


@lru_cache(maxsize=4096)
def host_of(url: str) -> str:
    """`host:port` of a URL in lower case, without userinfo; empty for one that is malformed."""
    try:
        parts = urlsplit(url)
        port = parts.port or _PORTS.get(parts.scheme, 0)
    except ValueError:
        return ""
    name = (parts.hostname or "").removesuffix(".")
    return f"[{name}]:{port}" if ":" in name else f"{name}:{port}" if name else ""


@lru_cache(maxsize=4096)
def _path_of(url: str) -> str:
    try:
        return urlsplit(url).path[:_MOST_OF_PATH]
    except ValueError:
        return ""


class Trouble(msgspec.Struct, frozen=True):
    """A host in trouble as others may see it. Times in microseconds; `until` is None while it is not open."""

    host: str
    state: State
    failures: int
    """Without any answer between them."""
    since: int
    until: int | None
    reason: str
    parked: int
    """Callbacks sent back to wait in the record since the host was last asked."""


class _Host:
    """What is known of a host in trouble."""

    __slots__ = (
        "accounts", "failed_at", "failures", "has_hope", "has_parked", "is_probed", "is_well", "openings", "parked",
        "paths", "reason", "since", "until",
    )  # fmt: skip

    def __init__(self, since: int) -> None:
        self.failures = 0
        self.openings = 0
        self.since = since
        self.failed_at = since
        self.is_well = False
        """Whether it answers, but at `paths`."""
        self.until: int | None = None
        self.is_probed = False
        self.parked = 0
        self.has_parked = False
        self.has_hope = False
        """Whether a callback to a path that has not failed is parked until the very end of the break."""
        self.paths: set[str] = set()
        """Those that were asked, and gave no answer."""
        self.reason = ""
        self.accounts: set[bytes] = set()


class Hosts:
    """Every host's breaker. closed -> (failures in a row) -> open -> (time) -> half open -> closed or open again."""

    def __init__(self, clock: Clock, randomness: Randomness, registry: CollectorRegistry | None = None) -> None:
        self._clock = clock
        self._backoff = Backoff(randomness, FIRST_S, MOST_S)
        self._hosts: dict[str, _Host] = {}
        self._heals: list[Callable[[str], None]] = []
        gauge = Gauge(
            "parley_callback_hosts", "Hosts of callbacks in trouble, by the state of their breaker.", ["state"],
            registry=registry,
        )  # fmt: skip
        for state in _STATES:
            gauge.labels(state).set_function(partial(self._count, state))
        self._opened = Counter(
            "parley_callback_host_openings_total", "Times that a host was left alone for a while.", registry=registry
        )
        self._parked = Counter(
            "parley_callbacks_parked_total", "Callbacks sent back to wait for a host in trouble.", registry=registry
        )

    def __len__(self) -> int:
        return len(self._hosts)

    def is_troubled(self, name: str) -> bool:
        """Whether the last exchange with a host failed: it gets few places."""
        host = self._hosts.get(name)
        return host is not None and not host.is_well

    def is_held(self, name: str) -> bool:
        """Whether a host is left alone now, or has its probe under way."""
        host = self._hosts.get(name)
        return host is not None and host.until is not None and (host.is_probed or self._now_before(host))

    def admit(self, name: str, url: str = "") -> bool:
        """Whether a host may be asked now. Once half open that is so for one, whose probe ends by `answered`, `failed`
        or `settle`. A `url` whose path has failed gives way to a callback to another that is due as well.
        """
        host = self._hosts.get(name)
        if host is None or host.until is None:
            return True
        if host.is_probed or self._now_before(host):
            return False
        if host.has_hope and _path_of(url) in host.paths and host.until <= self._clock.now() < host.until + _WAY_US:
            return False
        host.is_probed = True
        host.has_hope = False
        host.parked = 0
        return True

    def is_probed(self, name: str) -> bool:
        """Whether a probe is under way."""
        host = self._hosts.get(name)
        return host is not None and host.is_probed

    def settle(self, name: str) -> None:
        """A probe ended without asking the host anything: the next one may be it."""
        if (host := self._hosts.get(name)) is not None:
            host.is_probed = False

    def on_heal(self, heal: Callable[[str], None]) -> None:
        """Have `heal` called with the name of a host that answers again, when callbacks wait for it."""
        self._heals.append(heal)

    def answered(self, name: str, url: str = "") -> None:
        """A host answered when it was asked for `url`, be it by an error of its own: it is in good standing."""
        host = self._hosts.get(name)
        if host is None:
            return
        host.paths.discard(_path_of(url))
        if url and host.paths and self._clock.now() < host.failed_at + _REMEMBERED_US:
            has_parked = host.has_parked
            host.is_well = True
            host.is_probed = host.has_parked = host.has_hope = False
            host.failures = host.openings = host.parked = 0
            host.until = None
        else:
            del self._hosts[name]
            has_parked = host.has_parked
        if has_parked:
            for heal in self._heals:
                heal(name)

    def ask_again(self) -> None:
        """End every break: another node found a host well. Those that are not are found out by a probe each."""
        now = self._clock.now()
        for host in self._hosts.values():
            if host.until is not None and not host.is_probed:
                host.until = min(host.until, now)

    def failed(self, name: str, reason: str, url: str = "") -> None:
        """A host could not be reached, or gave no answer in time. With a `url` it was reached, and asked for that."""
        now = self._clock.now()
        host = self._hosts.get(name)
        if host is None:
            if not name:
                return
            if len(self._hosts) >= _MOST_REMEMBERED:  # hosts come from clients' URLs
                del self._hosts[next(iter(self._hosts))]
            host = self._hosts[name] = _Host(now)
        host.reason = reason
        host.failed_at = now
        path = _path_of(url)
        if url and host.is_well and path in host.paths:
            return
        host.is_well = False
        host.failures += 1
        if url and len(host.paths) < _MOST_PATHS:
            host.paths.add(path)
        if host.until is not None and not host.is_probed:
            return  # a straggler from before it was left alone
        if host.is_probed or host.failures >= OPENS_AFTER:
            host.is_probed = False
            host.openings += 1
            host.until = now + self._backoff.delay_us(host.openings)
            host.parked = 0
            host.has_hope = False
            self._opened.inc()

    def park(self, name: str, account_id: bytes, url: str = "") -> int:
        """When a callback to a host that is left alone, and to `url` there, falls due again."""
        now = self._clock.now()
        host = self._hosts.get(name)
        if host is None or host.until is None:
            return now
        host.accounts.add(account_id)
        host.parked += 1
        self._parked.inc()
        ends = max(now, min(host.until, now + round(MOST_S * 1_000_000)))
        if not host.is_probed:
            has_failed = _path_of(url) in host.paths
            if url and host.paths and not has_failed and not host.has_hope:
                host.has_hope = True
                return ends
            if host.parked <= _PROBES:
                return ends + _WAY_US if host.has_hope and has_failed else ends
        host.has_parked = True
        return ends + _GRACE_US + host.parked * STEP_US

    def note(self, name: str, account_id: bytes) -> None:
        """Remember whose callbacks a host in trouble gets: these accounts may see how it is."""
        if (host := self._hosts.get(name)) is not None:
            host.accounts.add(account_id)

    def reason(self, name: str) -> str:
        """Why a host is in trouble; empty when it is not."""
        host = self._hosts.get(name)
        return host.reason if host is not None else ""

    def seen_by(self, account_id: bytes) -> list[Trouble]:
        """The hosts in trouble that an account's callbacks go to, the longest in trouble first."""
        return [
            Trouble(name, _state(host), host.failures, host.since, host.until, host.reason, host.parked)
            for name, host in self._hosts.items()
            if account_id in host.accounts
        ]

    def _now_before(self, host: _Host) -> bool:
        assert host.until is not None
        now = self._clock.now()
        # A wall clock that was set back must not leave a host alone for longer than any break lasts.
        return now < host.until <= now + round(MOST_S * 1_000_000)

    def _count(self, state: str) -> int:
        return sum(_state(host) == state for host in self._hosts.values())


def _state(host: _Host) -> State:
    return "half_open" if host.is_probed else "open" if host.until is not None else "troubled"
