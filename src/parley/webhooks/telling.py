"""Tell an app one thing once: find whose it is, word it, make the attempt, and say what the callback is afterwards."""

from collections.abc import Mapping

import structlog
from prometheus_client import Counter

from parley.core.accounts import Accounts
from parley.core.backoff import Backoff
from parley.core.metrics import Metrics
from parley.lib.clock import Clock
from parley.model.account import Account
from parley.model.callback import Callback
from parley.model.message import Dialect, Message
from parley.store import StoreUnavailable
from parley.webhooks import notice
from parley.webhooks.attempt import HTTP_ERROR, REFUSED_ATTEMPTS, Attempts, Failed, Held
from parley.webhooks.hosts import Hosts
from parley.webhooks.parking import Parking
from parley.webhooks.render import Renderer
from parley.webhooks.reply import Replies
from parley.webhooks.retries import Retries, put_off

log = structlog.get_logger(__name__)


class Telling:
    """One attempt at one callback, counted; what it means for the callback is `Retries`' to say."""

    def __init__(
        self,
        accounts: Accounts,
        renderers: Mapping[Dialect, Renderer],
        attempts: Attempts,
        hosts: Hosts,
        parking: Parking,
        retries: Retries,
        replies: Replies,
        clock: Clock,
        backoff: Backoff,
        metrics: Metrics,
    ) -> None:
        self._accounts = accounts
        self._renderers = renderers
        self._attempts = attempts
        self._breakers = hosts
        self._parking = parking
        self._retries = retries
        self._replies = replies
        self._clock = clock
        self._backoff = backoff
        self._metrics = metrics
        self._counted: dict[tuple[str, str], Counter] = {}

    async def tell(self, host: str, callback: Callback, message: Message | None, *, is_probe: bool) -> Callback:
        """The callback as it is after one attempt, or after none, when its host is left alone by the time that its
        turn has come, or the database is away.
        """
        if (message is None or message.deleted_at is not None) and callback.kind != "notice":
            return self._retries.ended(callback, "gave_up", "the message was deleted")
        started = self._clock.monotonic()
        try:
            account = await self._accounts.by_id(callback.account_id)
            if account is None:
                return self._retries.ended(callback, "gave_up", "the account is gone")
            said = await self._said(host, account, callback, message, is_probe=is_probe)
        except Held:
            return self._parking.parked(host, callback)
        except StoreUnavailable as error:  # the app may have been asked, and what it said is not done: that is ours
            log.warning("a callback waits for the database", message=callback.message_id.hex(), error=str(error))
            return put_off(callback, self._clock.now() + self._backoff.delay_us(1))
        except Failed as failure:
            self._count(callback, "failed", started)
            return self._after(host, callback, failure)
        except Exception as error:  # a fault of ours must not leave it in this node's hands for ever
            log.exception("callback delivery failed", message=callback.message_id.hex())
            self._count(callback, "failed", started)
            outcome = f"internal error: {type(error).__name__}"
            return self._after(host, callback, Failed(HTTP_ERROR, outcome, outcome, REFUSED_ATTEMPTS))
        self._count(callback, "delivered", started)
        return self._retries.ended(callback, "delivered", said)

    async def _said(
        self, host: str, account: Account, callback: Callback, message: Message | None, *, is_probe: bool
    ) -> str:
        """How the attempt went. Raises Failed, Held and StoreUnavailable."""
        if message is not None and callback.kind == "inbound":
            return await self._replies.inbound(account, message, callback, is_probe=is_probe)
        if message is None or callback.kind == "notice":
            rendered = notice.rendered(account, callback)
        else:
            rendered = self._renderers[callback.dialect].status(account, message, callback)
        return await self._attempts.status(callback, rendered, lambda: is_probe or not self._breakers.is_held(host))

    def _after(self, host: str, callback: Callback, failure: Failed) -> Callback:
        self._breakers.note(host, callback.account_id)
        not_before = self._parking.park(host, callback) if self._breakers.is_held(host) else 0
        return self._retries.after(callback, failure, not_before)

    def _count(self, callback: Callback, outcome: str, started: float) -> None:
        counted = self._counted.get((callback.kind, outcome))
        if counted is None:  # finding a child by its labels costs more than counting
            counted = self._counted[callback.kind, outcome] = self._metrics.callbacks.labels(callback.kind, outcome)
        counted.inc()
        self._metrics.callback_seconds.observe(self._clock.monotonic() - started)
