"""One attempt at a callback: the request, the immediate retries that its URL asks for, and what a failure is worth."""

import re
from collections.abc import Callable
from typing import Final

from msgspec.structs import replace

from parley.lib.clock import Clock
from parley.model.callback import Callback
from parley.model.message import Dialect
from parley.webhooks.client import Answer, Client, FetchFailed, Request
from parley.webhooks.hosts import Hosts, host_of
from parley.webhooks.http_date import instant
from parley.webhooks.overrides import Overrides, split_url
from parley.webhooks.render import Fetch, Rendered

REFUSED_ATTEMPTS: Final = 3
"""Attempts, within seconds, at a host that answers by an error of its own: a message's later callbacks wait no
longer."""
_PASSING: Final = frozenset({408, 429, 502, 503, 504})
"""Answers that say nothing of the callback, but that the app is away or busy: as good as none."""

HTTP_ERROR: Final = 11217
_DELAY = re.compile(r"[0-9]{1,9}", re.ASCII)
_UNREACHED: Final = 11205

_SIGNALWIRE: Final = Overrides(connect_ms=2_000, read_ms=5_000, total_ms=15_000, retries=0)
_REDIRECTS: Final[dict[Dialect, int]] = {"twilio": 10, "signalwire": 3}


class Failed(Exception):
    """An attempt that failed. `worth_attempts` says how many attempts this kind of failure is worth in all; None: as
    many as there is time for. The host asked to be left alone for `retry_after_s`.
    """

    def __init__(
        self, code: int, reason: str, outcome: str, worth_attempts: int | None, retry_after_s: float = 0.0
    ) -> None:
        super().__init__(outcome)
        self.code = code
        self.reason = reason
        self.outcome = outcome
        self.worth_attempts = worth_attempts
        self.retry_after_s = retry_after_s


class Held(Exception):
    """No attempt: by the time that its turn came, its host was being left alone."""


class Attempts:
    """Makes requests to customers' hosts, and tells the hosts' breakers how they went."""

    def __init__(self, client: Client, clock: Clock, hosts: Hosts) -> None:
        self._client = client
        self._clock = clock
        self._hosts = hosts

    async def status(self, callback: Callback, rendered: Rendered, is_wanted: Callable[[], bool]) -> str:
        """Tell of a state; how it went. Raises Failed, and Held when it is not wanted once its turn has come."""
        answer = await self.request(callback.dialect, callback.url, rendered, is_wanted=is_wanted)
        return f"HTTP {answer.status}"

    def check_before_fallback(self, url: str) -> None:
        """Raise Failed, as an attempt at a URL that has a fallback would, where its host is left alone."""
        host = host_of(url)
        if self._hosts.is_held(host):
            reason = self._hosts.reason(host)
            raise Failed(_UNREACHED, reason, f"{_UNREACHED}: {reason}", None)

    async def fetch(self, fetch: Fetch) -> Answer | FetchFailed:
        """What a script asks for on its way: one try, whose failure is an outcome like others. A host that is left
        alone is not asked, unless this is its probe.
        """
        rendered = fetch.request
        host = host_of(rendered.url)
        if not self._hosts.admit(host):
            return FetchFailed(_UNREACHED, f"the host is left alone for a while: {self._hosts.reason(host)}", "connect")
        is_probe = self._hosts.is_probed(host)
        request = Request(
            method=rendered.method,
            url=rendered.url,
            headers=dict(rendered.headers),
            body=rendered.body,
            connect_s=min(fetch.total_s, _SIGNALWIRE.connect_ms / 1000),
            read_s=fetch.total_s,
            total_s=fetch.total_s,
            max_redirects=_REDIRECTS["signalwire"],
        )
        try:
            answer = await self._client.fetch(request)
        except FetchFailed as error:
            if error.phase == "redirect":
                self._hosts.answered(host, rendered.url)
            elif error.phase != "refused" and not error.is_ours:
                self._hosts.failed(host, error.reason, "" if error.phase == "connect" else rendered.url)
                self._hosts.note(host, fetch.account_id)
            return error
        else:
            self._hosts.answered(host, rendered.url)
            return answer
        finally:
            if is_probe:
                self._hosts.settle(host)

    async def request(
        self,
        dialect: Dialect,
        configured_url: str,
        rendered: Rendered,
        cookies: dict[str, str] | None = None,
        is_wanted: Callable[[], bool] | None = None,
    ) -> Answer:
        """A 2xx answer to `rendered`, by the timeouts and retries of the URL as it was configured. Raises Failed, and
        Held when it is not wanted once its turn has come.
        """
        host = host_of(configured_url)
        bare, overrides = split_url(configured_url)
        if dialect == "signalwire" and bare == configured_url:
            overrides = _SIGNALWIRE
        request = Request(
            method=rendered.method,
            url=rendered.url,
            headers=dict(rendered.headers),
            body=rendered.body,
            cookies=cookies or {},
            connect_s=overrides.connect_ms / 1000,
            read_s=overrides.read_ms / 1000,
            total_s=overrides.total_ms / 1000,
            max_redirects=_REDIRECTS[dialect],
        )
        deadline = self._clock.monotonic() + request.total_s  # for all tries together
        tries = 0
        while True:
            tries += 1
            try:
                if is_wanted is None or tries > 1:
                    answer = await self._client.fetch(request)
                else:
                    answer = await self._client.fetch(request, is_wanted)
            except FetchFailed as error:
                if not error.code or (error.is_ours and is_wanted is not None and tries == 1):
                    raise Held from None
                is_retried = error.phase != "refused" and overrides.is_retried(
                    "ct" if error.phase == "connect" else "rt"
                )
                left_s = deadline - self._clock.monotonic()
                if not is_retried or tries > overrides.retries or left_s <= 0:
                    worth = 1 if error.phase == "refused" else None
                    if error.phase == "redirect":
                        self._hosts.answered(host, configured_url)
                    elif error.phase != "refused" and not error.is_ours:
                        self._hosts.failed(host, error.reason, "" if error.phase == "connect" else configured_url)
                    raise Failed(error.code, error.reason, str(error), worth) from None
            else:
                self._hosts.answered(host, configured_url)
                if answer.is_ok:
                    return answer
                left_s = deadline - self._clock.monotonic()
                is_retried = overrides.is_retried(f"{answer.status // 100}xx")
                if not is_retried or tries > overrides.retries or left_s <= 0:
                    raise self._refused(answer)
            request = replace(request, total_s=left_s)

    def _refused(self, answer: Answer) -> Failed:
        said = f"HTTP {answer.status}"
        if answer.status in _PASSING:
            retry_after_s = _seconds(answer.headers.get("retry-after", ""), self._clock.now())
            return Failed(HTTP_ERROR, said, said, None, retry_after_s)
        return Failed(HTTP_ERROR, said, said, REFUSED_ATTEMPTS if answer.status >= 500 else 1)


def _seconds(retry_after: str, now: int) -> float:
    """A Retry-After from now on, be it seconds or a date (RFC 9110, 10.2.3); 0 when it is neither."""
    if _DELAY.fullmatch(retry_after):
        return float(retry_after)
    asked = instant(retry_after)
    return 0.0 if asked is None else max(0.0, (asked - now) / 1_000_000)
