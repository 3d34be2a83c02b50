"""Two nodes on one PostgreSQL: what one of them suffers, the other makes good; and both act as one."""

import asyncio
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.crash.cluster import Cluster, cluster
from tests.crash.creates import AUTH, MESSAGES
from tests.node import ACCOUNT_SID

pytestmark = pytest.mark.crash

TOLL_FREE = "+18005550100"
PACE = 20
NUMBERS = f"/2010-04-01/Accounts/{ACCOUNT_SID}/IncomingPhoneNumbers"


async def test_a_node_that_is_killed_is_followed_by_the_other(empty_postgres_url: str, tmp_path: Path) -> None:
    async with cluster(empty_postgres_url, tmp_path) as both:
        victim, survivor = both.nodes
        await both.under_load(partial(both.kill, victim))
        outcome = await both.inspect(survivor)  # how soon, `make crash` says: here the machine may be busy
    assert outcome.is_clean, f"{outcome}\n{survivor.last_words()}"


async def test_two_nodes_act_as_one(empty_postgres_url: str, tmp_path: Path) -> None:
    async with cluster(empty_postgres_url, tmp_path, {"pace_toll_free": str(PACE)}) as both:
        await both.under_load(both.cut_off)
        outcome = await both.inspect(both.nodes[0])
        assert outcome.is_clean, outcome
        await both.under_load(both.restart_in_turn)
        outcome = await both.inspect(both.nodes[1])
        assert outcome.is_clean, outcome
        await _configuration_is_seen_by_the_other(both)
        await _a_pace_is_kept_by_both_together(both)


async def _configuration_is_seen_by_the_other(both: Cluster) -> None:
    """Change where a number's messages go through one node; within a second the other acts by it."""
    one, other = both.nodes
    async with aiohttp.ClientSession(headers=AUTH, raise_for_status=True) as session:
        made = await _post(session, f"{one.base_url}{NUMBERS}.json", PhoneNumber="+15550001111")
        for n in range(3):
            name = f"name {n}"
            await _post(session, f"{one.base_url}{NUMBERS}/{made['sid']}.json", FriendlyName=name)
            async with asyncio.timeout(1.0):
                while True:
                    async with session.get(f"{other.base_url}{NUMBERS}/{made['sid']}.json") as answer:
                        if (await answer.json())["friendly_name"] == name:
                            break


async def _a_pace_is_kept_by_both_together(both: Cluster) -> None:
    """Send on both nodes at once from a paced number: its messages leave a slot apart, whoever took them."""
    messages = PACE
    async with aiohttp.ClientSession(headers=AUTH, raise_for_status=True) as session:
        made = await asyncio.gather(
            *(
                _post(
                    session,
                    f"{both.nodes[n % 2].base_url}{MESSAGES}.json",
                    To=f"+1415556{n:04d}",
                    From=TOLL_FREE,
                    Body=f"paced {n}",
                )
                for n in range(messages)
            )
        )
    sids = [bytes.fromhex(message["sid"][2:]) for message in made]
    sent = await both.sent_at(sids)
    assert len(sent) == messages
    least_us = (messages - 1) * 1_000_000 // PACE
    # The first leaves at its slot at the earliest, and so does the last; what lies between may gather at a node.
    assert sent[-1] - sent[0] >= least_us * 0.8, sent


async def _post(session: aiohttp.ClientSession, url: str, **form: str) -> dict[str, Any]:
    async with session.post(url, data=form) as answer:
        made: dict[str, Any] = await answer.json()
        return made
