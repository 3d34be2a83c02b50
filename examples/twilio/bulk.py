"""Tell many people the same: python bulk.py MG... "The shop is closed today" < numbers.txt."""

import sys
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from arguments import arguments
from parley_twilio import connect
from twilio.base.exceptions import TwilioRestException
from twilio.rest import Client


@dataclass(frozen=True)
class Outcome:
    """What became of one recipient's message: it has a SID, or an error's code."""

    recipient: str
    sid: str | None = None
    error: int | None = None


def send_all(client: Client, service: str, body: str, recipients: Iterable[str], at_once: int = 8) -> list[Outcome]:
    """Send to each recipient once. One that is refused keeps no other from getting theirs.

    The service paces what its senders may send: there is nothing to wait for here.
    """

    def send(recipient: str) -> Outcome:
        try:
            message = client.messages.create(messaging_service_sid=service, to=recipient, body=body)
        except TwilioRestException as error:
            return Outcome(recipient, error=error.code)
        return Outcome(recipient, sid=message.sid)

    with ThreadPoolExecutor(at_once) as pool:
        return list(pool.map(send, dict.fromkeys(recipients)))


if __name__ == "__main__":
    service, body = arguments(__doc__, service=str, body=str)
    outcomes = send_all(connect(), service, body, sys.stdin.read().split())
    for refused in (each for each in outcomes if each.error):
        print(refused.recipient, refused.error)
    print(f"{sum(1 for each in outcomes if each.sid)} of {len(outcomes)} were taken")
