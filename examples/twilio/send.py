"""Send a text, and say what went wrong in words of one's own: python send.py +15551234567 +15550001111 "Hello"."""

import sys

from arguments import arguments
from parley_twilio import connect
from twilio.base.exceptions import TwilioRestException
from twilio.rest import Client

REASONS = {
    20003: "The account SID or the auth token is wrong",
    20429: "Too many requests at once",
    21211: "That is not a phone number",
    21408: "The account may not write to that country",
    21606: "The sender is not ours",
    21608: "The recipient is not verified",
    21610: "They have opted out",
    21612: "This sender cannot reach them",
    21614: "That number takes no texts",
    21617: "The text is too long",
}


def send(client: Client, sender: str, recipient: str, body: str, status_callback: str | None = None) -> str:
    """Send a text and return its SID. `status_callback` is a URL that hears what becomes of it."""
    given = {"status_callback": status_callback} if status_callback else {}
    return str(client.messages.create(from_=sender, to=recipient, body=body, **given).sid)


def explain(error: TwilioRestException) -> str:
    """Put an error into words."""
    return REASONS.get(error.code, f"{error.msg} ({error.code})")


if __name__ == "__main__":
    given = arguments(__doc__, sender=str, recipient=str, body=str)
    try:
        print(send(connect(), *given))
    except TwilioRestException as error:
        sys.exit(explain(error))
