"""Consent: whether a recipient takes messages from a sender, and the words that change it."""

from typing import Final, Literal

import msgspec

OptOutType = Literal["STOP", "START", "HELP"]

KEYWORDS: Final[dict[str, OptOutType]] = {
    **dict.fromkeys(("STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT"), "STOP"),
    **dict.fromkeys(("START", "UNSTOP", "YES"), "START"),
    **dict.fromkeys(("HELP", "INFO"), "HELP"),
}
RETURNING: Final = frozenset({"YES"})
"""Words that take back an opt-out, and from whoever has not opted out are an answer to something else."""
NETWORK_KEYWORDS: Final[dict[str, OptOutType]] = {"STOP": "STOP", "START": "START", "UNSTOP": "START"}
"""The words that the toll-free network itself honours."""
MOST_KEYWORD: Final = 40
"""Characters of a keyword."""


class Replies(msgspec.Struct, frozen=True):
    """What the platform answers to a keyword. An empty text means no answer."""

    stop: str = "You are unsubscribed and will get no more messages from this number. Reply START to subscribe again."
    start: str = (
        "You are subscribed again. Reply HELP for help or STOP to unsubscribe. Message and data rates may apply."
    )
    help: str = "Reply STOP to unsubscribe. Message and data rates may apply."


NETWORK_REPLIES: Final = Replies(
    stop="NETWORK MSG: You replied STOP and will get no more messages from this number. Reply UNSTOP to resume.",
    start="NETWORK MSG: You will get messages from this number again. Reply STOP to get no more.",
    help="",
)
"""What the toll-free network answers. Nobody can change it; HELP is the app's to answer."""


class Heard(msgspec.Struct, frozen=True):
    """The keyword that a message is: what it asks for, as it was written, and the answer to it (empty: none)."""

    kind: OptOutType
    word: str
    reply: str


Source = Literal["inbound", "api", "import"]
"""Where a word of consent came from: the recipient's own message, one call of the API, or an import."""


class OptOut(msgspec.Struct, frozen=True):
    """One recipient who wants nothing more from one sender: a number, or a whole service by its `MG...` SID."""

    account_id: bytes
    sender: str
    recipient: str
    keyword: str
    """What they wrote, in capitals; empty where they wrote nothing to us."""
    created_at: int
    source: Source = "inbound"


class ConsentChange(msgspec.Struct, frozen=True):
    """A recipient's word on a sender, for the record. What stands between two is what the last one says."""

    account_id: bytes
    sender: str
    recipient: str
    at: int
    kind: Literal["opt_out", "opt_in"]
    keyword: str
    source: Source
    said_by: str
    """Who said so: the recipient's address, or the SID of the credentials that called."""
    message_id: bytes | None = None
    """The inbound message that said it."""

    @property
    def pair(self) -> tuple[bytes, str, str]:
        """Account, sender and recipient."""
        return self.account_id, self.sender, self.recipient


def word_of(body: str) -> str:
    """The keyword that `body` may be: the whole message, case and surrounding space folded; empty for a long text."""
    return "" if len(body) > MOST_KEYWORD else body.strip().upper()
