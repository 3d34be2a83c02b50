"""Chance and secrets, as everything above this layer sees them: injected, so that tests decide what is drawn."""

import secrets
from collections.abc import Sequence
from random import SystemRandom
from typing import Protocol, TypeVar

T = TypeVar("T")


class Randomness(Protocol):
    """What the rest of Parley asks of chance."""

    def uniform(self, low: float, high: float) -> float:
        """A number between `low` and `high`."""
        ...

    def choice(self, items: Sequence[T]) -> T:
        """One of `items`, which must not be empty."""
        ...

    def token(self, size: int) -> str:
        """A secret of `size` random bytes, spelled in letters, digits, '-' and '_' (4 characters for 3 bytes)."""
        ...


class SystemRandomness:
    """The host's own source, fit for secrets."""

    __slots__ = ("_source",)

    def __init__(self) -> None:
        self._source = SystemRandom()

    def uniform(self, low: float, high: float) -> float:
        """A number between `low` and `high`."""
        return self._source.uniform(low, high)

    def choice(self, items: Sequence[T]) -> T:
        """One of `items`, which must not be empty."""
        return self._source.choice(items)

    def token(self, size: int) -> str:
        """A secret of `size` random bytes, spelled in letters, digits, '-' and '_'."""
        return secrets.token_urlsafe(size)


def entropy(size: int) -> bytes:
    """That many bytes of the host's own source, fit for keys and nonces."""
    return secrets.token_bytes(size)


def backoff_s(attempt: int, base_s: float, cap_s: float, randomness: Randomness) -> float:
    """Seconds to wait before try `attempt` + 1: doubling from `base_s` to `cap_s`, less up to half of it.

    The jitter keeps what failed together from coming back together. `attempt` counts from 1.
    """
    whole = min(cap_s, base_s * 2.0 ** min(attempt - 1, 64))
    return randomness.uniform(whole / 2, whole)
