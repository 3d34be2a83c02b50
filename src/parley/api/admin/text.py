"""Find in a message what a test wants of it: the one-time code."""

import re
from typing import Final

from parley.lib.web_links import LINK

# Four to eight digits that stand alone, also as `123-456` or `123 456` and after a sender's letters as in `G-123456`;
# not a piece of a longer number, an amount, a date, a time or a word.
_CODE: Final = re.compile(
    r"(?<![\w$£€+.%])(?<![0-9][,:/ -])(?:[A-Z]{1,3}-)?"
    r"(?P<digits>[0-9]{3}[- ][0-9]{3}|[0-9]{4,8})(?![\w%])(?![.,:/ -][0-9])",
    re.ASCII,
)
_BOUND: Final = re.compile(r"^@\S+ #(?P<digits>[0-9]{4,8})(?:\s|$)", re.ASCII | re.MULTILINE)
"""The last line of a code bound to a site, as browsers read it: `@example.com #123456`."""
_NAMED: Final = re.compile(r"\b(?:code|codes|otp|pin|passcode|password|verification|verify|token|tan)\b", re.IGNORECASE)


def code(body: str) -> str | None:
    """The one-time code of a text: 4 to 8 digits without separators, or None.

    Of several candidates it is the one nearest to a word such as `code` or `PIN`; without such a word, the first.
    """
    if (bound := _BOUND.search(body)) is not None:
        return bound["digits"]
    text = LINK.sub(lambda match: " " * len(match[0]), body)
    found = list(_CODE.finditer(text))
    if not found:
        return None
    names = [match.span() for match in _NAMED.finditer(text)]
    best = min(found, key=lambda match: min((_distance(match.span(), name) for name in names), default=0))
    return best["digits"].replace("-", "").replace(" ", "")


def _distance(one: tuple[int, int], other: tuple[int, int]) -> int:
    """Characters between two spans."""
    return max(one[0] - other[1], other[0] - one[1], 0)
