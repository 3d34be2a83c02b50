"""Our client with a Parley: the guides' code, which names no contexts, and a refusal."""

import asyncio
from pathlib import Path

import pytest
import requests

from parley.realtime import Client, Message, Refused
from tests.server import Server, serve

NUMBER, PHONE = "+15559990001", "+15559990002"


def prepare(server: Server) -> None:
    """Lead a number to a context, and have a phone write to it."""
    with requests.Session() as http:
        http.auth = (server.project_id, server.auth_token)
        message = {"from": NUMBER, "to": PHONE, "body": "Mine"}
        assert http.post(f"{server.base_url}/api/messaging/messages", json=message).status_code == 201
        url = f"{server.base_url}/api/relay/rest/phone_numbers"
        (number,) = http.get(url, params={"filter_number": NUMBER}).json()["data"]
        handler = {"message_handler": "relay_context", "message_relay_context": "office"}
        assert http.put(f"{url}/{number['id']}", json=handler).status_code == 200
        said = {"to": NUMBER, "body": "Hi"}
        url = f"{server.base_url}/simulator/phones/{PHONE}/messages"
        assert http.post(url, json=said).status_code == 201


async def test_the_guides_code(tmp_path: Path) -> None:
    with serve(f"sqlite:///{tmp_path}/parley.db", relay_default_context="office") as server:
        await asyncio.to_thread(prepare, server)
        heard: asyncio.Queue[Message] = asyncio.Queue()
        async with Client(project=server.project_id, token=server.auth_token, host=server.base_url) as client:
            client.messaging.on("message.received")(heard.put_nowait)
            client.messaging.on("message.updated")(heard.put_nowait)
            connected = asyncio.create_task(client.connect())
            first = await heard.get()
            assert (first.body, first.from_number, first.context, first.state) == ("Hi", PHONE, "office", "received")
            result = await client.messaging.send(from_number=NUMBER, to_number=PHONE, body="You said: Hi")
            states = [await heard.get()]
            while states[-1].state != "delivered":
                states.append(await heard.get())
            assert {each.message_id for each in states} == {result.message_id}
            with pytest.raises(Refused) as refused:
                await client.messaging.send(from_number=NUMBER, to_number="nobody", body="Hello")
            assert (refused.value.code, refused.value.errors[0]["code"]) == ("422", "invalid_to_number")
        await connected
