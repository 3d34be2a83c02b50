"""Read one method's parameters: every one known, and of its type."""

import math
from collections.abc import Collection, Mapping
from typing import Any

from parley.api.signalwire.swml.fault import Faulty


class Given:
    """The parameters of a method. `short` is the one that a bare text stands for.

    Its methods raise Faulty(swml_invalid_document) for what is of another type.
    """

    def __init__(self, method: str, value: Any, allowed: Collection[str], short: str | None = None) -> None:
        self.method = method
        if short is not None and isinstance(value, str):
            value = {short: value}
        if value is None:
            value = {}
        if not isinstance(value, dict):
            raise Faulty("swml_invalid_document", f"{method} is not an object")
        for name in value:
            if name not in allowed:
                raise Faulty("swml_invalid_document", f"{name[:40]} is not a parameter of {method}")
        self.values: Mapping[str, Any] = value

    def text(self, name: str) -> str | None:
        """A text, or None when it is not given."""
        value = self.values.get(name)
        return None if value is None else self._plain(name, value)

    def required(self, name: str, word: str = "swml_invalid_document") -> str:
        """A text that has to be there. Raises Faulty(word) without it."""
        value = self.text(name)
        if not value:
            raise Faulty(word, f"{self.method} needs {name}")
        return value

    def texts(self, name: str) -> tuple[str, ...]:
        """An array of texts."""
        value = self.values.get(name)
        if value is None:
            return ()
        if not isinstance(value, list):
            raise Faulty("swml_invalid_document", f"{name} of {self.method} is not an array")
        return tuple(self._plain(name, each) for each in value)

    def object(self, name: str) -> dict[str, Any]:
        """An object; an empty one when it is not given."""
        value = self.values.get(name)
        if value is not None and not isinstance(value, dict):
            raise Faulty("swml_invalid_document", f"{name} of {self.method} is not an object")
        return value or {}

    def choice(self, name: str, choices: Collection[str], default: str) -> str:
        """One of some words."""
        value = (self.text(name) or default).upper()
        if value not in choices:
            raise Faulty("swml_invalid_document", f"{name} of {self.method} is not one of {', '.join(choices)}")
        return value

    def number(self, name: str, default: float, most: float) -> float:
        """A number above 0; what is more than `most` is `most`."""
        value = self.values.get(name, default)
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value < math.inf:
            raise Faulty("swml_invalid_document", f"{name} of {self.method} is not a number above 0")
        return float(min(value, most))  # in this order: not every whole number is a float

    def whole(self, name: str, default: int, most: int) -> int:
        """A whole number above 0; what is more than `most` is `most`."""
        value = self.number(name, default, most)
        if not value.is_integer():
            raise Faulty("swml_invalid_document", f"{name} of {self.method} is not a whole number")
        return int(value)

    def flag(self, name: str) -> bool:
        """True or false, which is the default."""
        value = self.values.get(name, False)
        if not isinstance(value, bool):
            raise Faulty("swml_invalid_document", f"{name} of {self.method} is neither true nor false")
        return value

    def _plain(self, name: str, value: Any) -> str:
        if not isinstance(value, str):
            raise Faulty("swml_invalid_document", f"{name} of {self.method} is not a string")
        if "\0" in value:
            raise Faulty("swml_invalid_document", f"{name} of {self.method} has a character that is not allowed")
        return value
