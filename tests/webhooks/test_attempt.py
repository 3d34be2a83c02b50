"""One attempt: its tries share the time that the callback's URL gives them; what scripts ask for spares dead hosts."""

from typing import cast

import pytest

from parley.lib.randomness import SystemRandomness
from parley.webhooks.attempt import Attempts, Failed
from parley.webhooks.client import Answer, Client, FetchFailed, Request
from parley.webhooks.hosts import FIRST_S, OPENS_AFTER, Hosts
from parley.webhooks.render import Fetch, Rendered
from tests.clock import ManualClock

URL = "http://app.example/sms"


class SlowClient:
    """Answers as it is told, each time after so many seconds."""

    def __init__(self, clock: ManualClock, takes_s: float, status: int | None) -> None:
        self._clock = clock
        self._takes_s = takes_s
        self._status = status
        self.given_s: list[float] = []

    async def fetch(self, request: Request) -> Answer:
        self.given_s.append(round(request.total_s, 3))
        self._clock.advance(self._takes_s)
        if self._status is None:
            raise FetchFailed(11200, "no whole answer in time", "read")
        return Answer(status=self._status, headers={}, set_cookies=(), body=b"", url=request.url)


@pytest.mark.parametrize("status", [None, 500])
@pytest.mark.parametrize(
    ("fragment", "takes_s", "given_s"),
    [
        ("#rc=5&rp=all&tt=10000", 4.0, [10.0, 6.0, 2.0]),
        ("#rc=5&rp=all&tt=10000", 10.0, [10.0]),
        ("#rc=1&rp=all", 4.0, [15.0, 11.0]),
        ("", 1.0, [15.0]),
    ],
)
async def test_tries_share_the_total_time(
    status: int | None, fragment: str, takes_s: float, given_s: list[float]
) -> None:
    clock = ManualClock()
    client = SlowClient(clock, takes_s, status)
    attempts = Attempts(cast("Client", client), clock, Hosts(clock, SystemRandomness()))
    with pytest.raises(Failed):
        await attempts.request("twilio", URL + fragment, Rendered("POST", URL, (), b""))
    assert client.given_s == given_s


class DeadClient:
    """Reaches nobody, or fails as it is told."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.failure: FetchFailed | None = FetchFailed(11205, "no connection", "connect")

    async def fetch(self, request: Request) -> Answer:
        self.asked.append(request.url)
        if self.failure is not None:
            raise self.failure
        return Answer(status=500, headers={}, set_cookies=(), body=b"", url=request.url)


async def test_what_a_script_asks_for_spares_a_host_that_is_left_alone() -> None:
    clock, client = ManualClock(), DeadClient()
    hosts = Hosts(clock, SystemRandomness())
    attempts = Attempts(cast("Client", client), clock, hosts)
    mine = b"an account's id."
    here, elsewhere = (Fetch(Rendered("POST", url, (), b""), 5.0, mine) for url in (URL, "http://other.example/"))
    for _ in range(OPENS_AFTER + 3):
        found = await attempts.fetch(here)
    assert isinstance(found, FetchFailed)
    assert (len(client.asked), found.reason, found.is_late) == (
        OPENS_AFTER,
        "the host is left alone for a while: no connection",
        False,
    )
    assert [(trouble.host, trouble.state) for trouble in hosts.seen_by(mine)] == [("app.example:80", "open")]
    await attempts.fetch(elsewhere)
    assert len(client.asked) == OPENS_AFTER + 1
    clock.advance(FIRST_S)
    client.failure = FetchFailed(11321, "it is forbidden", "refused")  # a probe that asks nobody leaves its place
    await attempts.fetch(here)
    client.failure = None
    for _ in range(2):
        answer = await attempts.fetch(here)
        assert isinstance(answer, Answer)
    assert len(client.asked) == OPENS_AFTER + 4
    assert not hosts.is_troubled("app.example:80")
