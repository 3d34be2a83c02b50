"""The load: creates over several connections at once, until they are done or the server is gone."""

import asyncio
from collections.abc import Iterator

import aiohttp
import msgspec

from tests.node import ACCOUNT_SID, AUTH_TOKEN, Node

CONNECTIONS = 16
AUTH = {"Authorization": aiohttp.encode_basic_auth(ACCOUNT_SID, AUTH_TOKEN)}
MESSAGES = f"/2010-04-01/Accounts/{ACCOUNT_SID}/Messages"


class Create(msgspec.Struct, frozen=True):
    """One message to send. Its body is its own, so that it is known again wherever it turns up."""

    recipient: str
    body: str
    callback: str | None


class Creates:
    """What was asked for, and what of it was promised: the SIDs whose 201 arrived to its last octet."""

    def __init__(self) -> None:
        self.by_body: dict[str, Create] = {}
        self.accepted: dict[str, Create] = {}
        self._counted = asyncio.Condition()

    async def run(self, node: Node, creates: list[Create]) -> None:
        """Send these, and return when all are answered or the server is gone. An answer that is no 201 is an error."""
        self.by_body |= {create.body: create for create in creates}
        waiting = iter(creates)
        connector = aiohttp.TCPConnector(limit=CONNECTIONS)
        async with (
            aiohttp.ClientSession(node.base_url, headers=AUTH, connector=connector) as session,
            asyncio.TaskGroup() as group,
        ):
            for _ in range(CONNECTIONS):
                group.create_task(self._send(session, waiting))

    async def _send(self, session: aiohttp.ClientSession, waiting: Iterator[Create]) -> None:
        for create in waiting:
            form = {"To": create.recipient, "From": "+15551234567", "Body": create.body}
            if create.callback is not None:
                form["StatusCallback"] = create.callback
            try:
                async with session.post(f"{MESSAGES}.json", data=form) as answer:
                    body = await answer.read()
            except (aiohttp.ClientError, OSError):
                return
            if answer.status != 201:
                raise AssertionError(f"{answer.status}: {body.decode()}")
            await self.took(msgspec.json.decode(body)["sid"], create)

    async def took(self, sid: str, create: Create) -> None:
        """Note a promise."""
        async with self._counted:
            self.accepted[sid] = create
            self._counted.notify_all()

    async def reach(self, accepted: int) -> None:
        """Return once so many were accepted."""
        async with self._counted:
            await self._counted.wait_for(lambda: len(self.accepted) >= accepted)
