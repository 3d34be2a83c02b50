"""Follow messages by their status callbacks, and send once more what failed for a reason that may pass."""

from collections import defaultdict
from typing import Any

from arguments import arguments
from parley_twilio import connect
from twilio.rest import Client
from twilio.twiml.messaging_response import MessagingResponse
from webhooks import serve

MAY_PASS = {"30001", "30003", "30008"}
"""The queue was full, the phone was off, the reason is unknown. All else would fail again."""


class Tracker:
    """Sends messages and knows what became of them. `url` is where Twilio reaches `hear`."""

    def __init__(self, client: Client, url: str) -> None:
        self._client = client
        self.url = url
        self.told: defaultdict[str, list[str]] = defaultdict(list)
        """What each message went through, by its SID."""
        self.again: dict[str, str] = {}
        """The second attempt at a message that failed."""

    def send(self, attempt: int = 1, **message: Any) -> str:
        """Send a message, and follow it; returns its SID. The callback's URL says which attempt it is."""
        callback = f"{self.url}?attempt={attempt}"
        return str(self._client.messages.create(status_callback=callback, **message).sid)

    def hear(self, event: dict[str, str]) -> MessagingResponse:
        """Handle a status callback."""
        sid, status = event["MessageSid"], event["MessageStatus"]
        self.told[sid].append(status)
        if event["attempt"] == "1" and status in ("undelivered", "failed") and event["ErrorCode"] in MAY_PASS:
            body = self._client.messages(sid).fetch().body
            self.again[sid] = self.send(2, from_=event["From"], to=event["To"], body=body)
        return MessagingResponse()


if __name__ == "__main__":
    arguments(__doc__)
    serve({"/status": Tracker(connect(), "http://127.0.0.1:5005/status").hear})
