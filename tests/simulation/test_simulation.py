"""A few histories in the suite; `python -m tests.simulation` lives through as many as one likes."""

import pytest
from structlog.testing import capture_logs

from tests.simulation.history import live


@pytest.mark.parametrize("seed", range(1, 17))
def test_a_history(seed: int) -> None:
    with capture_logs():
        live(seed)
