"""A few histories in the suite; `python -m tests.simulation` lives through as many as one likes."""

import pytest
from structlog.testing import capture_logs

from tests.simulation.history import live


@pytest.mark.parametrize(
    "seed",
    [
        *range(1, 13),
        33,  # a later callback was handed over while an earlier one was in a dead node's hands
        41,
        89,  # a node that started after the clock was set back named its callbacks before those there were
        117,
    ],
)
def test_a_history(seed: int) -> None:
    with capture_logs():
        live(seed)
