"""Chance that a test can repeat."""

import random
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")


class Dice:
    """Draws the same every time."""

    def __init__(self, seed: int = 1) -> None:
        self._random = random.Random(seed)

    def uniform(self, low: float, high: float) -> float:
        return self._random.uniform(low, high)

    def choice(self, items: Sequence[T]) -> T:
        return self._random.choice(items)

    def token(self, size: int) -> str:
        return self._random.randbytes(size).hex()
