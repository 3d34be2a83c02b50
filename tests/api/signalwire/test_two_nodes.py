"""SWML, calls and Relay on two nodes: what one of them dies over the other goes on with, and each knows what was set on
the other as soon as it hears of it.
"""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests

from parley.store import News, queue
from tests.api.signalwire.client import Client
from tests.api.signalwire.relay.client import RelayClient, signalwire
from tests.clock import AheadClock
from tests.node import Node
from tests.receiver import Received, Receiver, Reply
from tests.server import ACCOUNT_SID, AUTH_TOKEN, Server, serve

NUMBER, PHONE = "+15551234567", "+15559810001"
KEY = "a key for tests that is long enough"
LEASE_S = 11


class Survivor:
    """A node that outlives another."""

    def __init__(self, server: Server, clock: AheadClock) -> None:
        self.server, self._clock = server, clock
        self.client = Client(server)

    def inherit(self) -> None:
        """See that the other's lease is over, without waiting for it to end."""
        self._clock.ahead_s += LEASE_S
        self.server.run(self._outlive())
        self.server.look()

    async def _outlive(self) -> None:
        """What its next look at the leases does, which would come in some seconds, or comes at this very moment."""
        app, now = self.server.app, self._clock.now()
        assert await app.engine.write(queue.stay, app.record.node, now + LEASE_S * 1_000_000)
        await app.engine.write(queue.rescue, now)


@contextmanager
def two(url: str, directory: Path) -> Iterator[tuple[Survivor, Node]]:
    """A node that stays, in this process, and one to kill."""
    clock = AheadClock()
    with (
        Node(url, directory, name="b", secret_key=KEY, settings={"auth_token": AUTH_TOKEN}) as dying,
        serve(url, clock, node_name="a") as server,
    ):
        yield Survivor(server, clock), dying


def test_what_a_dead_node_was_telling_comes_again_from_the_other(postgres_store_url: str, tmp_path: Path) -> None:
    with two(postgres_store_url, tmp_path) as (a, b):
        project = a.server.project_id
        a.client.ask("PUT", number_path(a.client), 200, json={"message_relay_context": "office"})
        first, welcome = signalwire(b.base_url, project, AUTH_TOKEN, contexts=["office"])
        first.acks = False
        sent = a.client.phone_sends(PHONE, NUMBER, "Hello")
        assert first.event("messaging.receive")["params"]["message_id"] == sent
        b.kill()
        first.close()
        again, known = signalwire(a.server.base_url, project, AUTH_TOKEN, protocol=welcome["protocol"])
        with again:
            assert known["session_restored"] is True
            a.inherit()
            assert again.event("messaging.receive")["params"]["message_id"] == sent
            assert told_once(again, sent)


def told_once(relay: RelayClient, message_id: str) -> bool:
    """Whether nothing more of a message came by now."""
    relay.result("signalwire.ping")
    return message_id not in json.dumps(list(relay.frames))


class App:
    """An app that answers once it is let, and tells which of its paths were asked."""

    def __init__(self, receiver: Receiver, answers: dict[str, bytes]) -> None:
        self.let = threading.Event()
        self.asked = {path: threading.Event() for path in answers}
        self._answers = answers
        self.url = receiver.url
        receiver.answer = self._answer

    def _answer(self, request: Received) -> Reply:
        self.asked[request.path].set()
        self.let.wait(30)
        return Reply(200, self._answers[request.path])


def test_a_conversation_and_a_call_that_a_dead_node_left(
    postgres_store_url: str, tmp_path: Path, receiver: Receiver
) -> None:
    """The message's webhook is asked again, and answers once; the call is ended, and says so."""
    app = App(receiver, {"/in": b'{"reply":"Once"}', "/call": b"{}"})
    with two(postgres_store_url, tmp_path) as (a, b):
        setting = {"message_handler": "json_webhook", "message_request_url": f"{app.url}/in"}
        a.client.ask("PUT", number_path(a.client), 200, json=setting)
        swml = json.dumps({"sections": {"main": [{"request": {"url": f"{app.url}/call"}}]}})
        call = asked(
            b, "/api/calling/calls", {"command": "dial", "params": {"from": NUMBER, "to": PHONE, "swml": swml}}
        )
        assert app.asked["/call"].wait(30)
        assert a.client.raw("GET", f"/simulator/calls/{call['id']}").json()["status"] == "in-progress"
        asked(b, f"/simulator/phones/{PHONE}/messages", {"to": NUMBER, "body": "Hi"})
        assert app.asked["/in"].wait(30)
        b.kill()
        app.let.set()
        a.inherit()
        (arrived,) = a.client.inbox(PHONE, contains="Once")
        assert arrived["body"] == "Once"
        over = a.client.raw("GET", f"/simulator/calls/{call['id']}", params={"wait": "60"}).json()
        assert (over["status"], over["transcript"][-1]["code"]) == ("failed", "call_cut_off")


def asked(node: Node, path: str, given: dict[str, Any]) -> Any:
    """What a node answers to a request."""
    answer = requests.post(f"{node.base_url}{path}", json=given, auth=(ACCOUNT_SID, AUTH_TOKEN), timeout=30)
    answer.raise_for_status()
    return answer.json()


def number_path(client: Client) -> str:
    """Where the number is configured."""
    (found,) = client.ask("GET", "/api/relay/rest/phone_numbers", 200, params={"filter_number": NUMBER})["data"]
    return f"/api/relay/rest/phone_numbers/{found['id']}"


class Ear:
    """Hears when a node knows that something was set on another."""

    def __init__(self, server: Server) -> None:
        self._heard = threading.Event()
        server.app.engine.on_news(lambda news: self._heard.set() if News.CONFIGURATION in news else None)

    def forget(self) -> None:
        """Forget what was heard of what was set before."""
        self._heard.clear()

    def hears(self) -> None:
        assert self._heard.wait(30)
        self._heard.clear()


def test_what_is_set_on_one_node_is_so_on_the_other(postgres_store_url: str) -> None:
    """Once that has heard of it, which the store tells it at once."""
    with serve(postgres_store_url, node_name="a") as a, serve(postgres_store_url, node_name="b") as b:
        here, there, ear = Client(a), Client(b), Ear(b)
        scripts = "/api/fabric/resources/swml_scripts"
        given = {"name": "Bot", "script_type": "messaging", "contents": {"reply": "First"}}
        made = here.ask("POST", scripts, 200, json=given)
        route = {"phone_route_id": number_path(here).rpartition("/")[2], "handler": "messaging"}
        here.raw("POST", f"/api/fabric/resources/{made['id']}/phone_routes", json=route).raise_for_status()
        ear.hears()
        there.phone_sends(PHONE, NUMBER, "Hi")
        assert there.inbox(PHONE, contains="First")
        ear.forget()
        here.ask("PUT", f"{scripts}/{made['id']}", 200, json={"contents": {"reply": "Second"}})
        ear.hears()
        there.phone_sends(PHONE, NUMBER, "Hi")
        assert there.inbox(PHONE, contains="Second")
        for resource in (made["id"], number_path(here).rpartition("/")[2]):
            assert (
                resource
                in there.raw("GET", "/api/fabric/resources").text
                + there.raw("GET", "/api/relay/rest/phone_numbers").text
            )
        sent = here.send(to="+15559810009")
        assert there.ask("GET", sent["message_uri"], 200)["id"] == sent["id"]
        ear.forget()
        token = here.ask("POST", "/api/project/tokens", 200, json={"name": "T", "permissions": ["numbers"]})
        ear.hears()
        auth = (str(here.auth.username), token["token"])
        assert there.raw("GET", "/api/relay/rest/phone_numbers", auth=auth).status_code == 200
        assert there.raw("GET", "/api/messaging/logs", auth=auth).status_code == 403
        here.raw("DELETE", f"/api/project/tokens/{token['id']}").raise_for_status()
        ear.hears()
        assert there.raw("GET", "/api/relay/rest/phone_numbers", auth=auth).status_code == 401
