"""What may be wrong with a SWML document, in SignalWire's words."""

from typing import Final

from parley.api.signalwire.failures import SWML_NUMBERS
from parley.webhooks.render import UnreadableAnswer

_MOST: Final = 200
"""Characters of a reason."""


class Faulty(UnreadableAnswer):
    """A document, or a step of one, that cannot be carried out. `word` is SignalWire's, one of SWML_NUMBERS."""

    def __init__(self, word: str, reason: str) -> None:
        # A name of the document's may hold a NUL or half a character, which not every record takes.
        plain = reason[:_MOST].replace("\0", "\N{REPLACEMENT CHARACTER}").encode("utf-8", "replace").decode()
        super().__init__(SWML_NUMBERS[word], f"{word}: {plain}")
        self.word = word
        self.plain = plain
