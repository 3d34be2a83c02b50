"""Find the http and https URLs in a text that people wrote, without the punctuation around them."""

import re
from collections.abc import Iterator
from typing import Final

# Typographic quotes and the punctuation of East Asian scripts, which is set without a space, end a URL as a space does.
_ENDING: Final = r"\s\x00-\x1f\x7f<>\"'`\\^{}|“”„‘’‚«»‹›「」『』【】《》（），。、！？；：…"
# An apostrophe is a part of what follows the host where it stands within a word, as in /o'brien; else it is a quote.
LINK: Final = re.compile(
    rf"https?://(?=_*[^\W_]|\[[\dA-F:.]+\])[^/?#{_ENDING}]+(?:[/?#](?:[^{_ENDING}]|'(?=[\w/%]))*)?",
    re.IGNORECASE,
)
"""A URL, perhaps with what ends the sentence around it."""
_TRAILING: Final = ".,;:!?)]*_~'"
_OPENING: Final = {")": "(", "]": "["}


def spans(text: str) -> Iterator[tuple[int, int]]:
    """Where each URL of a text begins and ends, in order."""
    for match in LINK.finditer(text):
        yield match.start(), match.start() + len(_trimmed(match[0]))


def links(text: str) -> list[str]:
    """The URLs of a text, in order."""
    return [text[begin:end] for begin, end in spans(text)]


def _trimmed(url: str) -> str:
    """A URL without what ends the sentence around it; a bracket stays where the URL itself opened it."""
    while url[-1] in _TRAILING:
        opening = _OPENING.get(url[-1])
        if opening is not None and url.count(opening) >= url.count(url[-1]):
            break
        url = url[:-1]
    return url
