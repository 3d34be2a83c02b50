"""How the process is: /healthz, /readyz and /metrics.

None of the three asks for credentials, on purpose: supervisors, load balancers and scrapers expect that, and the three
tell counts and the state of Parley's parts, never a message, an address or an account. Where even that is too much,
keep the paths from the internet at the proxy.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

import structlog
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from starlette.types import Receive, Scope, Send

from parley.api.http.endpoint import Reply, json_reply, respond

log = structlog.get_logger(__name__)

Check = Callable[[], Awaitable[str | None]]
"""Says in a sentence what is wrong, or None."""

CHECK_S: Final = 5.0
"""A check that takes longer has failed."""
_FRESH: Final = ((b"cache-control", b"no-store"),)


class Open:
    """Serves an answer to whoever asks."""

    def __init__(self, answer: Callable[[], Awaitable[Reply]]) -> None:
        self._answer = answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        await respond(send, await self._answer())


class Health:
    """Whether the process lives, and whether it can serve. `checks` are named; all of them run at each question."""

    def __init__(self, checks: Mapping[str, Check], registry: CollectorRegistry) -> None:
        self._checks = dict(checks)
        self._registry = registry
        self.is_stopping = False
        """Set when the process has begun to stop: nothing new should be sent to it."""

    async def live(self) -> Reply:
        """GET /healthz: 200 while the process lives, 503 once it stops."""
        if self.is_stopping:
            return json_reply(503, {"status": "stopping"}, _FRESH)
        return json_reply(200, {"status": "ok"}, _FRESH)

    async def ready(self) -> Reply:
        """GET /readyz: 200 when every check is well, else 503 with what is wrong by the check's name."""
        troubles = {"process": "it is stopping"} if self.is_stopping else await self._troubles()
        if troubles:
            return json_reply(503, {"status": "not ready", "troubles": troubles}, _FRESH)
        return json_reply(200, {"status": "ready", "checks": list(self._checks)}, _FRESH)

    async def metrics(self) -> Reply:
        """GET /metrics, in Prometheus' text format."""
        return Reply(200, generate_latest(self._registry), CONTENT_TYPE_LATEST.encode(), _FRESH)

    async def _troubles(self) -> dict[str, str]:
        said = await asyncio.gather(*(_ask(name, check) for name, check in self._checks.items()))
        return {name: trouble for name, trouble in zip(self._checks, said, strict=True) if trouble is not None}


async def _ask(name: str, check: Check) -> str | None:
    try:
        async with asyncio.timeout(CHECK_S):
            return await check()
    except TimeoutError:
        return f"no answer within {CHECK_S:.0f} s"
    except Exception as error:  # noqa: BLE001  # whatever it is, is what is wrong
        log.warning("a check failed", check=name, error=repr(error))
        return "the check itself failed; the log says how"
