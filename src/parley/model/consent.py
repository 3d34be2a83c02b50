"""Consent: whether a recipient takes messages from a sender, and the words that change it."""

from typing import Final, Literal

import msgspec

OptOutType = Literal["STOP", "START", "HELP"]

KEYWORDS: Final[dict[str, OptOutType]] = {
    **dict.fromkeys(("STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT"), "STOP"),
    **dict.fromkeys(("START", "UNSTOP", "SUBSCRIBE", "YES"), "START"),
    **dict.fromkeys(("HELP", "INFO"), "HELP"),
}


class Replies(msgspec.Struct, frozen=True):
    """What the platform answers to a keyword. An empty text means no answer."""

    stop: str = "You are unsubscribed and will get no more messages from this number. Reply START to subscribe again."
    start: str = (
        "You are subscribed again. Reply HELP for help or STOP to unsubscribe. Message and data rates may apply."
    )
    help: str = "Reply STOP to unsubscribe. Message and data rates may apply."


class OptOut(msgspec.Struct, frozen=True):
    """One recipient who wants nothing more from one sender."""

    account_id: bytes
    sender: str
    recipient: str
    keyword: str
    created_at: int


def keyword_of(body: str) -> OptOutType | None:
    """The kind of keyword that `body` is: the whole message, case and surrounding space folded; else None."""
    if len(body) > 40:  # no keyword comes near; spares folding a long text
        return None
    return KEYWORDS.get(body.strip().upper())
