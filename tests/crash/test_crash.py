"""What was accepted survives `kill -9` at any instant, on both engines."""

import random
from pathlib import Path

import pytest

from tests.crash.inspection import Accounting
from tests.crash.rounds import crash


@pytest.mark.crash
async def test_every_accepted_message_survives_being_killed(store_url: str, tmp_path: Path) -> None:
    seed = random.SystemRandom().randrange(10**6)
    rounds: list[str] = [f"seed {seed}"]

    def tell(n: int, kind: str, found: Accounting) -> None:
        rounds.append(f"round {n}, {kind}: {found}")

    found = await crash(store_url, tmp_path, 2, seed, tell, messages=150)
    assert all(each.is_clean for each in found), "\n".join(rounds)
