"""SWML's variables: paths such as `message.media[0].url`, and texts that name them in `%{...}`.

A document may copy what it knows over and over, so every value that is made is weighed.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec

from parley.api.signalwire.swml.fault import Faulty

MAX_WEIGHT: Final = 64 * 1024
"""Characters and members of one value, all that is inside it included."""

MAX_KEPT: Final = 8 * MAX_WEIGHT
"""The same of all variables together."""

MAX_HANDLED: Final = 16 * MAX_WEIGHT
"""The same of all values that one script looks at and makes, each time that it does: the event loop waits for it."""

Evaluate = Callable[[str], Any]
"""What stands between the braces, made a value."""

_encode: Final = msgspec.json.Encoder().encode
_NAME: Final = r"[A-Za-z_][A-Za-z0-9_-]*"
PATH: Final = re.compile(rf"{_NAME}(?:\.{_NAME}|\.?[0-9]+|\[(?:[0-9]{{1,6}}|'[^'\]]*'|\"[^\"\]]*\")\])*", re.ASCII)
_PART = re.compile(rf"({_NAME})|\[?([0-9]{{1,6}})\]?|\['([^'\]]*)'\]|\[\"([^\"\]]*)\"\]", re.ASCII)
_INDEX = re.compile(r"[0-9]{1,6}", re.ASCII)
PERCENT: Final = re.compile(r"%\{([^{}]*)\}")
"""Of messaging documents."""
EITHER: Final = re.compile(r"[%$]\{([^{}]*)\}")
"""Of calling documents, where both mean the same."""


def at_path(roots: Mapping[str, Any], path: str) -> Any:
    """What a path leads to, from the roots, or else from `vars` among them; None where it leads to nothing."""
    parts = [next(group for group in match.groups() if group is not None) for match in _PART.finditer(path)]
    if not parts:
        return None
    value: Any = roots if parts[0] in roots else roots.get("vars")
    for part in parts:
        if isinstance(value, Mapping):
            value = value.get(part)
        elif isinstance(value, list) and _INDEX.fullmatch(part) and int(part) < len(value):
            value = value[int(part)]
        else:
            return None
    return value


def as_text(value: Any) -> str:
    """A value as it reads inside a text: nothing for none, true and false, numbers plainly, the rest as JSON."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return _encode(value).decode()


def fill(value: Any, pattern: re.Pattern[str], evaluate: Evaluate) -> Any:
    """A value of a document with its variables in place. A text that is one variable takes that variable's value.

    Raises Faulty(swml_invalid_document) when its texts become too long; `weigh` what comes of it.
    """
    left = MAX_WEIGHT

    def text(given: str) -> Any:
        nonlocal left
        whole = pattern.fullmatch(given)
        if whole is not None:
            return evaluate(whole[1].strip())
        filled = fill_text(given, pattern, evaluate)
        left -= len(filled)
        if left < 0:
            raise too_heavy()
        return filled

    return _filled(value, text)


def fill_text(text: str, pattern: re.Pattern[str], evaluate: Evaluate) -> str:
    """A text with its variables in place. Raises Faulty(swml_invalid_document) when it becomes too long."""
    if "{" not in text:
        return text
    parts: list[str] = []
    length = done = 0
    for match in pattern.finditer(text):
        found = as_text(evaluate(match[1].strip()))
        parts += (text[done : match.start()], found)
        done = match.end()
        length += len(found)
        if length > MAX_WEIGHT:
            raise too_heavy()
    parts.append(text[done:])
    return "".join(parts)


def weigh(value: Any, most: int = MAX_WEIGHT) -> int:
    """A value's weight. Raises Faulty(swml_invalid_document) for one that is too large to keep."""
    left, waiting = most, [value]
    while waiting:
        each = waiting.pop()
        if isinstance(each, str):
            left -= len(each)
        elif isinstance(each, dict):
            left -= sum(map(len, each))
            waiting += each.values()
        elif isinstance(each, list):
            waiting += each
        left -= 1
        if left < len(waiting):
            raise too_heavy(most)
    return most - left


def _filled(value: Any, text: Callable[[str], Any]) -> Any:
    if isinstance(value, str):
        return text(value)
    if isinstance(value, dict):
        return {name: _filled(each, text) for name, each in value.items()}
    if isinstance(value, list):
        return [_filled(each, text) for each in value]
    return value


def too_heavy(most: int = MAX_WEIGHT) -> Faulty:
    """What is raised for a value that is too large."""
    return Faulty("swml_invalid_document", f"a value grows beyond {most} characters")
