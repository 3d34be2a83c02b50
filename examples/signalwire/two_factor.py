"""Codes for a second factor: six digits, good for five minutes and three guesses."""

import hmac
import secrets
import time
from collections.abc import Callable

from space import Space


class Codes:
    """Sends codes, and checks them once."""

    def __init__(self, space: Space, sender: str, now: Callable[[], float] = time.monotonic) -> None:
        self._space, self._sender, self._now = space, sender, now
        self._open: dict[str, tuple[str, float, int]] = {}
        """Code, deadline and guesses left, by phone."""

    def send(self, phone: str) -> None:
        """Send a new code, which replaces the one before."""
        code = f"{secrets.randbelow(1_000_000):06}"
        self._space.send(self._sender, phone, f"Your code is {code}. It is good for 5 minutes.")
        self._open[phone] = code, self._now() + 300, 3

    def check(self, phone: str, guess: str) -> bool:
        """Whether it is the code; a code that was right is used up."""
        code, until, left = self._open.pop(phone, ("", 0.0, 0))
        if not code or self._now() > until:
            return False
        if hmac.compare_digest(code.encode(), guess.encode()):
            return True
        if left > 1:
            self._open[phone] = code, until, left - 1
        return False
