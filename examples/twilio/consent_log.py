"""Keep a log of who opts out and in. The platform honours the words by itself, and says in `OptOutType` what it took
a message for; its answer has gone out already, so that there is nothing for us to say.
"""

import csv
import sys
from datetime import UTC, datetime
from typing import TextIO

from arguments import arguments
from twilio.twiml.messaging_response import MessagingResponse
from webhooks import serve

MEANINGS = {"STOP": "out", "START": "in"}


class ConsentLog:
    """Writes one line for each change of mind: when, who, towards whom, which way, in which word."""

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self._lines = csv.writer(file)

    def receive(self, event: dict[str, str]) -> MessagingResponse:
        """Handle a message."""
        if way := MEANINGS.get(event.get("OptOutType", "")):
            # Of a service they opt out as a whole, and not of one of its numbers.
            towards = event.get("MessagingServiceSid", event["To"])
            self._lines.writerow([datetime.now(UTC).isoformat(), event["From"], towards, way, event["Body"].strip()])
            self._file.flush()
        return MessagingResponse()


if __name__ == "__main__":
    arguments(__doc__)
    serve({"/sms": ConsentLog(sys.stdout).receive})
