"""What was accepted survives `kill -9` at any instant, on both engines; and the inspection that says so can say no."""

import random
import sqlite3
from pathlib import Path

import pytest

from tests.crash.callbacks import listening
from tests.crash.creates import Create, Creates
from tests.crash.inspection import Accounting, inspect
from tests.crash.rounds import PHONES, crash
from tests.node import Node

pytestmark = pytest.mark.crash


async def test_every_accepted_message_survives_being_killed(store_url: str, tmp_path: Path) -> None:
    seed = random.SystemRandom().randrange(10**6)
    rounds: list[str] = [f"seed {seed}"]

    def tell(n: int, kind: str, found: Accounting) -> None:
        rounds.append(f"round {n}, {kind}: {found}")

    found = await crash(store_url, tmp_path, 2, seed, tell, messages=150)
    assert all(each.is_clean for each in found), "\n".join(rounds)


async def test_the_inspection_sees_what_is_missing_or_wrong(tmp_path: Path) -> None:
    creates = Creates()
    async with listening() as callbacks:
        with Node(f"sqlite:///{tmp_path}/parley.db", tmp_path) as node:
            await creates.run(node, [Create(PHONES[0], f"message {n}", callbacks.url) for n in range(6)])
            before = await inspect(node, creates, callbacks)
            assert before.is_clean, before
            assert before.called_back == before.accepted == 6

            lost, reworded, unshown, untold, stuck, _ = sorted(creates.accepted)
            database = sqlite3.connect(tmp_path / "parley.db", isolation_level=None)
            for sql, sid in (
                ("DELETE FROM messages WHERE id = ?", lost),
                ("UPDATE messages SET body = 'another' WHERE id = ?", reworded),
                ("DELETE FROM arrivals WHERE message_id = ?", unshown),
                ("UPDATE messages SET status = 'sent' WHERE id = ?", stuck),
            ):
                database.execute(sql, (bytes.fromhex(sid[2:]),))
            database.close()
            callbacks.told[untold].remove("delivered")
            after = await inspect(node, creates, callbacks, within_s=0.0)

    assert not after.is_clean
    assert (after.lost, after.absent, after.strangers, after.callbacks_missing) == (1, 1, 1, 1)
    assert (after.wrong, after.unfinished, after.final) == (3, 1, 4)
