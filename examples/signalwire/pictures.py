"""Pictures in and out: keep those that come, and send one's own back."""

from typing import Any

import requests


class Album:
    """Keeps the pictures that are sent to it, and answers how many it has."""

    def __init__(self) -> None:
        self.pictures: list[tuple[str, bytes]] = []
        """Type and content."""

    def receive(self, event: dict[str, Any]) -> str:
        """Handle a message. The URLs need no credentials, and expire."""
        for url in event["media"]:
            answer = requests.get(url, timeout=10)
            if answer.ok and answer.headers["Content-Type"].startswith("image/"):
                self.pictures.append((answer.headers["Content-Type"], answer.content))
        return f"{len(self.pictures)} pictures so far."
