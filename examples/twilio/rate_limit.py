"""Answer a phone five times a minute at most, so that two robots do not talk to each other for ever."""

import time
from collections import OrderedDict, deque
from collections.abc import Callable

from arguments import arguments
from twilio.twiml.messaging_response import MessagingResponse
from webhooks import serve


class RateLimit:
    """Allows each phone `most` events within any `within_s` seconds. One process; Redis for several."""

    def __init__(self, most: int = 5, within_s: float = 60, now: Callable[[], float] = time.monotonic) -> None:
        self._most, self._within_s, self._now = most, within_s, now
        self._seen: OrderedDict[str, deque[float]] = OrderedDict()

    def allows(self, phone: str) -> bool:
        """Count an event, unless it is one too many."""
        now = self._now()
        # The phone that was quiet longest comes first: whoever was quiet for long enough is forgotten.
        while self._seen and next(iter(self._seen.values()))[-1] <= now - self._within_s:
            self._seen.popitem(last=False)
        times = self._seen.setdefault(phone, deque())
        while times and times[0] <= now - self._within_s:
            times.popleft()
        if len(times) >= self._most:
            return False
        times.append(now)
        self._seen.move_to_end(phone)
        return True


class Greeter:
    """Answers politely, but not without end."""

    def __init__(self, limit: RateLimit) -> None:
        self._limit = limit

    def receive(self, event: dict[str, str]) -> MessagingResponse:
        """Handle a message."""
        answer = MessagingResponse()
        if self._limit.allows(event["From"]):
            answer.message(f"You said: {event['Body']}")
        return answer


if __name__ == "__main__":
    arguments(__doc__)
    serve({"/sms": Greeter(RateLimit()).receive})
