"""Carry documents out without a network: what they ask for is noted, and answered by the test."""

import json
from collections.abc import Callable
from typing import Any

from parley.api.signalwire.calling.conversation import Conversation, Transcript, known_of
from parley.api.signalwire.swml import messaging
from parley.api.signalwire.swml.fault import Faulty
from parley.model.call import Dial
from parley.webhooks.client import Answer, FetchFailed
from parley.webhooks.render import Fetch, Outcome, Redirect, Say, Script, Verb
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


class _Ran:
    """What came of a document."""

    def __init__(self, document: Any, outside: Outside | None) -> None:
        self.verbs: list[Verb] = []
        self.word: str | None = None
        """What it ended with, when it could not go on."""
        self.text = document if isinstance(document, (str, bytes)) else json.dumps(document)
        try:
            script = self._script()
            outcome: Outcome = None
            while True:
                verb = script.send(outcome)
                self.verbs.append(verb)
                outcome = (outside or sent)(verb)
        except StopIteration:
            pass
        except Faulty as error:
            self.word = error.word

    def _script(self) -> Script:
        raise NotImplementedError

    @property
    def replies(self) -> list[str]:
        """The texts that were sent."""
        return [verb.body for verb in self.verbs if isinstance(verb, Say)]

    @property
    def fetches(self) -> list[Fetch]:
        """What was asked of others."""
        return [verb for verb in self.verbs if isinstance(verb, Fetch)]


class Done(_Ran):
    """What came of a messaging document."""

    def __init__(self, document: Any, outside: Outside | None = None, **message: Any) -> None:
        self._message = {**MESSAGE, **message}
        super().__init__(document, outside)

    def _script(self) -> Script:
        return messaging.run(messaging.read_text(self.text), ACCOUNT, self._message, BASE)


class Called(_Ran):
    """What came of a calling document."""

    def __init__(self, document: Any, outside: Outside | None = None) -> None:
        self._transcript = Transcript()
        super().__init__(document, outside)

    def _script(self) -> Script:
        text = self.text if isinstance(self.text, str) else self.text.decode()
        dial = Dial(direction="inbound", sender="+15550001111", recipient="+15550002222", swml=text)
        known = known_of(OUTBOUND.id, dial, ACCOUNT)
        return Conversation(ACCOUNT, known, dial.recipient, dial, self._transcript).begin()

    @property
    def said(self) -> list[str]:
        """The texts that the caller heard."""
        return [entry["text"] for entry in self._transcript.entries if entry["method"] == "say"]


def sent(verb: Verb) -> Outcome:
    """Every reply is sent, and every request answered with nothing."""
    assert not isinstance(verb, Redirect), "SWML redirects nobody"
    return OUTBOUND if isinstance(verb, Say) else answered(b"")


def main(*steps: Any, **sections: Any) -> dict[str, Any]:
    """A document of these steps."""
    return {"version": "1.0.0", "sections": {"main": list(steps), **sections}}
