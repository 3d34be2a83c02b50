"""What a callback is after an attempt, or after it found its host left alone: due again, or given up and why."""

from typing import Literal

import structlog
from msgspec.structs import replace

from parley.core.backoff import Backoff
from parley.lib.clock import Clock
from parley.model.callback import Callback
from parley.webhooks.attempt import HTTP_ERROR, Failed

log = structlog.get_logger(__name__)

GIVE_UP_S = 1800.0
"""Half an hour: what is older would not help the app that was away."""


class Retries:
    """How often and for how long a callback is tried.

    `attempts` overrules what each kind of failure is worth by itself; a failure that no attempt can mend stays final.
    After `give_up_s` seconds since the callback was owed (or replayed) it is tried no more; a host that asks for more
    patience than that (Retry-After) gets one attempt at their end.
    """

    def __init__(
        self, clock: Clock, backoff: Backoff, attempts: int | None = None, give_up_s: float = GIVE_UP_S
    ) -> None:
        self._clock = clock
        self._backoff = backoff
        self._attempts = attempts
        self._give_up_us = round(give_up_s * 1_000_000)

    def after(self, callback: Callback, failure: Failed, not_before: int = 0) -> Callback:
        """A callback after an attempt that failed. Its host is not asked before `not_before`."""
        now, attempts = self._clock.now(), callback.attempts + 1
        # An app that answered an inbound webhook by an error has been asked, and so was its fallback.
        is_final = failure.worth_attempts == 1 or (callback.kind == "inbound" and failure.code == HTTP_ERROR)
        most = 1 if is_final else self._attempts or failure.worth_attempts
        deadline = self._deadline(callback)
        if (most is not None and attempts >= most) or now >= deadline:
            return self.ended(callback, "gave_up", failure.outcome)
        asked_us = round(failure.retry_after_s * 1_000_000)
        due_at = min(max(now + max(self._backoff.delay_us(attempts), asked_us), not_before), deadline)
        return replace(callback, node=None, due_at=due_at, attempts=attempts, outcome=failure.outcome)

    def parked(self, callback: Callback, due_at: int, reason: str) -> Callback:
        """A callback whose host is left alone until `due_at`, for `reason`: that is no attempt."""
        deadline = self._deadline(callback)
        if self._clock.now() >= deadline:
            outcome = f"its host was not reached in {self._give_up_us // 1_000_000} s: {reason}"
            return self._finished(callback, "gave_up", outcome, callback.attempts)
        return put_off(callback, min(due_at, deadline))

    def ended(self, callback: Callback, state: Literal["delivered", "gave_up"], outcome: str) -> Callback:
        """A callback after its last attempt."""
        return self._finished(callback, state, outcome, callback.attempts + 1)

    def _finished(
        self, callback: Callback, state: Literal["delivered", "gave_up"], outcome: str, attempts: int
    ) -> Callback:
        if state == "gave_up":
            log.info(
                "callback given up",
                message=callback.message_id.hex(),
                kind=callback.kind,
                attempts=attempts,
                outcome=outcome,
            )
        finished_at = self._clock.now()
        return replace(callback, state=state, node=None, attempts=attempts, outcome=outcome, finished_at=finished_at)

    def _deadline(self, callback: Callback) -> int:
        return max(callback.created_at, callback.finished_at or 0) + self._give_up_us


def put_off(callback: Callback, due_at: int) -> Callback:
    """A callback that is nobody's, and not due before `due_at`."""
    return replace(callback, node=None, due_at=max(callback.due_at, due_at))
