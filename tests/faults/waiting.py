"""Wait for what a server is to come to, by asking it."""

import time
from collections.abc import Callable

_PATIENCE_S = 60


def until(holds: Callable[[], bool]) -> None:
    """Ask, as long as the server takes for its answers, until it holds; a test fails that waits for ever."""
    ends_at = time.monotonic() + _PATIENCE_S
    while not holds():
        assert time.monotonic() < ends_at, "it did not come"
