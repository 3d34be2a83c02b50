"""Randomness: tokens that fit a URL, and a back-off that doubles within its bounds."""

import re
from collections.abc import Sequence
from typing import TypeVar

from hypothesis import given
from hypothesis import strategies as st

from parley.lib.randomness import Randomness, SystemRandomness, backoff_s

T = TypeVar("T")


class Lowest:
    def uniform(self, low: float, high: float) -> float:
        return low

    def choice(self, items: Sequence[T]) -> T:
        return items[0]

    def token(self, size: int) -> str:
        return "A" * size


def test_tokens_fit_a_url_and_differ() -> None:
    source: Randomness = SystemRandomness()
    tokens = {source.token(24) for _ in range(50)}
    assert len(tokens) == 50
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{32}", each) for each in tokens)
    assert source.choice([7]) == 7
    assert 1 <= source.uniform(1, 2) <= 2


def test_backoff_doubles_to_its_cap() -> None:
    assert [backoff_s(attempt, 1.0, 30.0, Lowest()) for attempt in range(1, 8)] == [0.5, 1, 2, 4, 8, 15, 15]


@given(st.integers(1, 10**9), st.floats(0.01, 60), st.floats(60, 86_400))
def test_backoff_stays_in_bounds(attempt: int, base_s: float, cap_s: float) -> None:
    assert base_s / 2 <= backoff_s(attempt, base_s, cap_s, SystemRandomness()) <= cap_s
