"""The fenced blocks of a page, for tests that carry them out."""

import re
from pathlib import Path

import msgspec

_FENCE = re.compile(r"^```(?P<language>\w+)(?: (?P<name>\S+))?\n(?P<code>.*?)^```$", re.MULTILINE | re.DOTALL)


class Snippet(msgspec.Struct, frozen=True):
    """One fenced block; `name` is the file that it is to be saved as."""

    language: str
    name: str | None
    code: str


def snippets(page: Path) -> list[Snippet]:
    """A page's blocks, in its order."""
    return [Snippet(m["language"], m["name"], m["code"]) for m in _FENCE.finditer(page.read_text("utf-8"))]
