"""Tell what a caller's own function refused inside an operation from what went wrong with the operation."""

from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


class Declined(Exception):
    """The caller's function raised `error`: nothing changes, and its caller is told that very error."""

    def __init__(self, error: Exception) -> None:
        super().__init__(repr(error))
        self.error = error


def decided(change: Callable[[T], T], before: T) -> T:
    """What a caller's function makes of a value. Raises Declined."""
    try:
        return change(before)
    except Exception as error:
        raise Declined(error) from error
