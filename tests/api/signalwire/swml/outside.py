"""Carry messaging documents out without a network: what they ask for is noted, and answered by the test."""

import json
from collections.abc import Callable
from typing import Any

from parley.api.signalwire.swml import messaging
from parley.api.signalwire.swml.fault import Faulty
from parley.webhooks.client import Answer, FetchFailed
from parley.webhooks.render import Fetch, Outcome, Redirect, Say, Verb
from tests.api.signalwire.values import ACCOUNT, OUTBOUND

BASE = "https://app.example/in"
MESSAGE: dict[str, Any] = {
    "message_id": "0190b1c2-0000-7000-8000-000000000001",
    "from": "+15550001111",
    "to": "+15550002222",
    "body": " Yes ",
    "type": "mms",
    "media": [{"url": "https://media.example/0", "content_type": "image/png", "size": 9}],
    "segments": 1,
}

Outside = Callable[[Verb], Outcome]


def answered(body: Any, status: int = 200, *, is_truncated: bool = False) -> Answer:
    """An answer of JSON, or of octets."""
    octets = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Answer(
        status=status,
        headers={"content-type": "application/json"},
        set_cookies=(),
        body=octets,
        url=BASE,
        is_truncated=is_truncated,
    )


LATE = FetchFailed(11200, "no whole answer in time", "read")
LOST = FetchFailed(11205, "could not connect", "connect")


class Done:
    """What came of a document."""

    def __init__(self, document: Any, outside: Outside | None = None, **message: Any) -> None:
        self.verbs: list[Verb] = []
        self.word: str | None = None
        """What it ended with, when it could not go on."""
        text = document if isinstance(document, (str, bytes)) else json.dumps(document)
        try:
            script = messaging.run(messaging.read_text(text), ACCOUNT, {**MESSAGE, **message}, BASE)
            outcome: Outcome = None
            while True:
                verb = script.send(outcome)
                self.verbs.append(verb)
                outcome = (outside or sent)(verb)
        except StopIteration:
            pass
        except Faulty as error:
            self.word = error.word

    @property
    def replies(self) -> list[str]:
        """The texts that were sent."""
        return [verb.body for verb in self.verbs if isinstance(verb, Say)]

    @property
    def fetches(self) -> list[Fetch]:
        """What was asked of others."""
        return [verb for verb in self.verbs if isinstance(verb, Fetch)]


def sent(verb: Verb) -> Outcome:
    """Every reply is sent, and every request answered with nothing."""
    assert not isinstance(verb, Redirect), "SWML redirects nobody"
    return OUTBOUND if isinstance(verb, Say) else answered(b"")


def main(*steps: Any, **sections: Any) -> dict[str, Any]:
    """A document of these steps."""
    return {"version": "1.0.0", "sections": {"main": list(steps), **sections}}
