"""One attempt: its tries share the time that the callback's URL gives them."""

from typing import cast

import pytest

from parley.lib.randomness import SystemRandomness
from parley.webhooks.attempt import Attempts, Failed
from parley.webhooks.client import Answer, Client, FetchFailed, Request
from parley.webhooks.hosts import Hosts
from parley.webhooks.render import Rendered
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
