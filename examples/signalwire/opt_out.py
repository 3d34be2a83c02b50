"""STOP, START and HELP: SignalWire leaves them to the app. And a chatbot for everything else."""

from collections.abc import Callable
from typing import Any

STOP = {"STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT"}
START = {"START", "UNSTOP", "SUBSCRIBE", "YES"}
ANSWERS = {"HOURS": "We are open from 9 to 17.", "WHERE": "Main Street 1."}


def chat(word: str) -> str:
    """Answer a command."""
    return ANSWERS.get(word, f"Ask for {', '.join(sorted(ANSWERS))}.")


class OptOuts:
    """Who wants to hear nothing. A database, in earnest."""

    def __init__(self, answer: Callable[[str], str] = chat) -> None:
        self._answer = answer
        self.phones: set[str] = set()

    def receive(self, event: dict[str, Any]) -> str | None:
        """Handle a message: what to reply."""
        phone, word = event["from"], event["body"].strip().upper()
        if word in STOP:
            self.phones.add(phone)
            return "You will hear no more of us. START brings us back."
        if word in START:
            self.phones.discard(phone)
            return "Welcome back. STOP ends it."
        if phone in self.phones:
            return None
        return "Ask us anything, or say STOP." if word == "HELP" else self._answer(word)
