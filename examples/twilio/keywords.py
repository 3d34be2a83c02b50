"""Answer by the first word of a message. STOP, START and HELP are the platform's: it has answered them already."""

from collections.abc import Callable

from arguments import arguments
from twilio.twiml.messaging_response import MessagingResponse
from webhooks import serve

BALANCES = {"+15550001111": 2500}
"""Cents, by phone. A database, in earnest."""


def balance(phone: str, _rest: str) -> str:
    """Tell what somebody has."""
    return f"You have ${BALANCES.get(phone, 0) / 100:.2f}."


def echo(_phone: str, rest: str) -> str:
    """Say it again."""
    return rest or "Echo what?"


def commands(_phone: str, _rest: str) -> str:
    """Tell what can be asked."""
    return "Ask for " + ", ".join(sorted(word.upper() for word in ANSWERS)) + "."


ANSWERS: dict[str, Callable[[str, str], str]] = {"balance": balance, "echo": echo, "menu": commands}


def route(event: dict[str, str]) -> MessagingResponse:
    """Handle a message."""
    answer = MessagingResponse()
    if "OptOutType" in event:
        return answer
    word, _, rest = event["Body"].strip().partition(" ")
    answer.message(ANSWERS.get(word.lower(), commands)(event["From"], rest.strip()))
    return answer


if __name__ == "__main__":
    arguments(__doc__)
    serve({"/sms": route})
