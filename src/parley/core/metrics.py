"""What is counted, for Prometheus: one registry, made by the app and read by /metrics."""

from collections import Counter as Tally
from collections.abc import Mapping, Sequence
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from parley.lib.clock import Clock
from parley.model.message import Message
from parley.store.changes import Change

_SECONDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15)


class Metrics:
    """The counters of one process."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        registry = self.registry
        self._accepted = Counter(
            "parley_messages_accepted_total",
            "Messages taken into the record.",
            ["direction", "dialect"],
            registry=registry,
        )
        self.dropped = Counter(
            "parley_messages_dropped_total",
            "Inbound messages that were not kept, since their service has no inbound URL.",
            registry=registry,
        )
        self._states = Counter(
            "parley_message_states_total", "Changes of state, by the state entered.", ["status"], registry=registry
        )
        self._failures = Counter(
            "parley_message_failures_total", "Messages undelivered or failed, by code.", ["code"], registry=registry
        )
        self._submits = Counter(
            "parley_submits_total",
            "Submits answered, by carrier and outcome.",
            ["carrier", "outcome"],
            registry=registry,
        )
        self.callbacks = Counter(
            "parley_callback_attempts_total",
            "Callback attempts, by kind and outcome.",
            ["kind", "outcome"],
            registry=registry,
        )
        self.callback_seconds = Histogram(
            "parley_callback_seconds", "Duration of a callback attempt.", buckets=_SECONDS, registry=registry
        )
        self._requests = Counter(
            "parley_http_requests_total",
            "Requests answered, by surface and status.",
            ["surface", "status"],
            registry=registry,
        )
        self.pending = Gauge("parley_pending_messages", "Messages that wait to be submitted.", registry=registry)
        self._waiting = Gauge(
            "parley_waiting_messages", "Messages that wait, by what they wait for.", ["reason"], registry=registry
        )
        self.uncertain = Gauge(
            "parley_uncertain_messages",
            "Messages that may have been sent, whose outcome is not known.",
            registry=registry,
        )
        self.owed = Gauge("parley_pending_callbacks", "Callbacks that wait to be delivered.", registry=registry)
        self.loop_progress = Gauge(
            "parley_loop_last_progress_seconds",
            "Unix time of a background loop's last turn.",
            ["loop"],
            registry=registry,
        )

        self.event_loop_lag = Gauge(
            "parley_event_loop_lag_seconds", "The event loop's worst delay of late.", registry=registry
        )
        self.requests_waiting = Gauge(
            "parley_requests_waiting", "Requests under way, by kind.", ["kind"], registry=registry
        )
        self.intake_waiting = Gauge(
            "parley_intake_waiting", "Writes that wait for the next transaction.", registry=registry
        )
        self._answers: dict[tuple[str, int], Counter] = {}
        self._stuck_after: dict[str, float] = {}

    def progressed(self, loop: str, clock: Clock, within_s: float) -> None:
        """Note a turn of a background loop, which promises the next one."""
        self._stuck_after[loop] = clock.monotonic() + within_s  # whatever becomes of the wall clock
        self.loop_progress.labels(loop).set(clock.now() / 1_000_000)

    def stuck(self, clock: Clock) -> list[str]:
        """The background loops that should have turned again by now."""
        now = clock.monotonic()
        return [loop for loop, at in self._stuck_after.items() if now > at]

    def accepted(self, messages: Sequence[Message]) -> None:
        """Count messages taken."""
        for (direction, dialect), count in Tally((m.direction, m.dialect) for m in messages).items():
            self._accepted.labels("inbound" if direction == "inbound" else "outbound", dialect).inc(count)

    def moved(self, changes: Sequence[Change | Message]) -> None:
        """Count changes of state that happened."""
        if not changes:
            return
        for status, count in Tally(change.status for change in changes).items():
            self._states.labels(status).inc(count)
        for change in changes:
            if change.error_code is not None:
                self._failures.labels(str(change.error_code)).inc()

    def answered(self, surface: str, status: int) -> None:
        """Count an HTTP request by the surface that it was for, and how it was answered."""
        child = self._answers.get((surface, status))
        if child is None:  # finding a child by its labels costs more than counting
            child = self._answers[surface, status] = self._requests.labels(surface, str(status))
        child.inc()

    def waiting(self, reasons: Mapping[str | None, int], due: str) -> None:
        """Say how many messages wait for what; `due` is what the rest waits for, which is due and nobody's reason."""
        self._waiting.clear()
        for reason, count in reasons.items():
            self._waiting.labels(reason or due).inc(count)

    def submitted(self, carrier: str, outcome: str, count: int) -> None:
        """Count answers of a carrier."""
        self._submits.labels(carrier, outcome).inc(count)
