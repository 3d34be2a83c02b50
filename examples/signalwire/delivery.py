"""Follow messages by their status callbacks, and send once more what failed."""

from typing import Any

from space import Space


class Tracker:
    """Sends messages and knows what became of them. `url` is where `hear` is reached."""

    def __init__(self, space: Space, url: str) -> None:
        self._space, self._url = space, url
        self.told: dict[str, list[str]] = {}
        """What each message went through, by its id."""
        self.again: dict[str, str] = {}
        """The second attempt at a message that failed."""

    def send(self, sender: str, recipient: str, body: str) -> str:
        """Send a message, and follow it."""
        return self._space.send(sender, recipient, body, status_callback=self._url)

    def hear(self, event: dict[str, Any]) -> None:
        """Handle a status callback. States that are new to us are no error."""
        id = event["id"]
        self.told.setdefault(id, []).append(event["status"])
        # They may come twice, or late.
        if event["status"] in ("undelivered", "failed") and id not in self.again and id not in self.again.values():
            self.again[id] = self.send(event["from"], event["to"], event["body"])
