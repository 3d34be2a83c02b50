"""docs/compat/signalwire-relay.csv says what becomes of each parameter of Relay's requests; here each row is tried."""

import csv
import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from parley.api.signalwire.relay import sending
from parley.model.relay import MOST_CONTEXTS
from tests.api.signalwire.client import Client
from tests.api.signalwire.relay.client import Frame, RelayClient
from tests.receiver import Receiver
from tests.server import Server

TABLE = Path(__file__).parents[4] / "docs" / "compat" / "signalwire-relay.csv"
with TABLE.open(encoding="utf-8", newline="") as file:
    ROWS = list(csv.DictReader(file))
_numbers = count(15559400000)
_contexts = (f"compat {n}" for n in count())


class Peers:
    """A server, and clients that are closed when the test ends."""

    def __init__(self, server: Server, receiver: Receiver, open_: ExitStack) -> None:
        self.server, self.receiver, self.rest = server, receiver, Client(server)
        self._open = open_
        self.right: Frame = {"project": server.project_id, "token": server.auth_token}

    def socket(self) -> RelayClient:
        return self._open.enter_context(RelayClient(self.server.base_url))

    def connected(self, method: str = "signalwire.connect", **params: Any) -> tuple[RelayClient, Frame]:
        relay = self.socket()
        relay.acks = params.get("event_acks") is True
        return relay, relay.result(method, {"authentication": self.right, **params})

    def set_up(self, **params: Any) -> tuple[RelayClient, str]:
        """A client of the older generation, and its protocol."""
        relay, _ = self.connected("blade.connect", **params)
        setup = {"protocol": "signalwire", "method": "setup", "params": {}}
        protocol: str = relay.result("blade.execute", setup)["result"]["protocol"]
        return relay, protocol

    def number(self, context: str) -> str:
        """A number whose messages go to a context."""
        number = f"+{next(_numbers)}"
        mine = self.rest.ask("POST", "/api/relay/rest/phone_numbers", 200, json={"number": number})
        handler = {"message_handler": "relay_context", "message_relay_context": context}
        self.rest.ask("PUT", f"/api/relay/rest/phone_numbers/{mine['id']}", 200, json=handler)
        return number

    def hears(self, relay: RelayClient, context: str) -> None:
        """Have a client hear of a message to a context."""
        id_ = self.rest.phone_sends(f"+{next(_numbers)}", self.number(context), "Hi")
        assert relay.event("messaging.receive")["params"].get("message_id", id_) == id_

    def sends(self, **given: Any) -> tuple[RelayClient, Frame]:
        """Send a message with these parameters."""
        relay, _ = self.connected(event_acks=True)
        usual = {"from_number": "+15551234567", "to_number": f"+{next(_numbers)}", "body": "Hello"}
        params = {name: value for name, value in {**usual, **given}.items() if value is not None}
        return relay, relay.result("messaging.send", params)

    def log(self, sent: Frame) -> Frame:
        found: Frame = self.rest.ask("GET", f"/api/messaging/logs/{sent['message_id']}", 200)
        return found


@pytest.fixture
def peers(server: Server, receiver: Receiver) -> Iterator[Peers]:
    """Return what makes clients."""
    with ExitStack() as open_:
        yield Peers(server, receiver, open_)


Trial = Callable[[Peers], None]
TRIALS: dict[tuple[str, str], Trial] = {}
"""What shows that a row is true. Those that are not here are of the generic kinds below."""


def trial(operation: str, *parameters: str) -> Callable[[Trial], Trial]:
    def note(function: Trial) -> Trial:
        TRIALS.update({(operation, parameter): function for parameter in parameters})
        return function

    return note


@trial("signalwire.connect", "authentication.project", "authentication.token")
def connect_by_credentials(peers: Peers) -> None:
    for wrong in ({"project": "x"}, {"token": "x"}):
        answer = peers.socket().ask("signalwire.connect", {"authentication": {**peers.right, **wrong}})
        assert answer["error"]["code"] == -32002
    assert peers.connected()[1]["authorization"]["project"] == peers.right["project"]


@trial("signalwire.connect", "contexts")
def connect_with_contexts(peers: Peers) -> None:
    context = next(_contexts)
    peers.hears(peers.connected(contexts=[context])[0], context)
    many = [str(n) for n in range(MOST_CONTEXTS + 1)]
    answer = peers.socket().ask("signalwire.connect", {"authentication": peers.right, "contexts": many})
    assert answer["error"]["code"] == -32602


@trial("signalwire.connect", "protocol")
def connect_with_a_protocol(peers: Peers) -> None:
    context = next(_contexts)
    relay, welcome = peers.connected(contexts=[context])
    relay.close()
    again, known = peers.connected(protocol=welcome["protocol"])
    assert (known["protocol"], known["session_restored"]) == (welcome["protocol"], True)
    peers.hears(again, context)


@trial("signalwire.connect", "event_acks")
def connect_with_acknowledgements(peers: Peers) -> None:
    context = next(_contexts)
    number = peers.number(context)
    relay, _ = peers.connected(contexts=[context], event_acks=True)
    relay.acks = False
    peers.rest.phone_sends("+15559310100", number, "Twice")
    assert relay.event("messaging.receive")["params"]["body"] == "Twice"
    relay.close()
    other, _ = peers.connected(contexts=[context])
    assert other.event("messaging.receive")["params"]["body"] == "Twice"
    other.close()  # it acknowledges nothing, and nothing is told again
    peers.hears(peers.connected(contexts=[context])[0], context)


@trial("signalwire.reauthenticate", "authentication.project", "authentication.token")
def reauthenticate(peers: Peers) -> None:
    relay, _ = peers.connected()
    for wrong in ({"project": "x"}, {"token": "x"}):
        answer = relay.ask("signalwire.reauthenticate", {"authentication": {**peers.right, **wrong}})
        assert answer["error"]["code"] == -32002
    result = relay.result("signalwire.reauthenticate", {"authentication": peers.right})
    assert result["authorization"]["project"] == peers.right["project"]


@trial("signalwire.receive", "contexts")
@trial("signalwire.unreceive", "contexts")
def receive_and_unreceive(peers: Peers) -> None:
    kept, left = next(_contexts), next(_contexts)
    relay, _ = peers.connected()
    assert relay.result("signalwire.receive", {"contexts": [kept, left]})["code"] == "200"
    peers.hears(relay, left)
    assert relay.result("signalwire.unreceive", {"contexts": [left]})["code"] == "200"
    peers.rest.phone_sends("+15559310101", peers.number(left), "Unheard")
    peers.hears(relay, kept)
    assert "Unheard" not in json.dumps(list(relay.frames))
    for method in ("signalwire.receive", "signalwire.unreceive"):
        assert relay.ask(method, {"contexts": ["x" * 256]})["error"]["code"] == -32602
    assert relay.result("signalwire.receive", {"contexts": []})["code"] == "422"


@trial("signalwire.ping", "timestamp")
def ping(peers: Peers) -> None:
    relay, _ = peers.connected()
    assert relay.result("signalwire.ping", {"timestamp": 1.25}) == {"timestamp": 1.25}
    assert relay.result("signalwire.ping")["timestamp"] > 0


@trial("messaging.send", "from_number", "to_number", "body")
def send(peers: Peers) -> None:
    relay, sent = peers.sends(body="By Relay", to_number="+15559310102")
    told = relay.event("messaging.state", "delivered")["params"]
    log = peers.log(sent)
    assert (log["from"], log["to"]) == (told["from_number"], told["to_number"]) == ("+15551234567", "+15559310102")
    assert (told["body"], peers.rest.inbox("+15559310102")[0]["body"]) == ("By Relay", "By Relay")
    for name in ("from_number", "to_number", "body"):
        assert peers.sends(**{name: None})[1]["errors"][0]["attribute"] == name


@trial("messaging.send", "media", "media_urls")
def send_media(peers: Peers) -> None:
    url = f"{peers.receiver.url}/x.png"
    for name in ("media", "media_urls"):
        relay, sent = peers.sends(**{name: [url]})
        assert relay.event("messaging.state", "queued")["params"]["media"]
        assert peers.log(sent)["kind"] == "mms"


@trial("messaging.send", "send_as_mms")
def send_as_mms(peers: Peers) -> None:
    assert [peers.log(peers.sends(send_as_mms=given)[1])["kind"] for given in (True, False)] == ["mms", "sms"]


@trial("messaging.send", "status_callback", "custom_variables")
def send_with_a_callback(peers: Peers) -> None:
    _, sent = peers.sends(status_callback=f"{peers.receiver.url}/status", custom_variables={"order": "7"})
    (first, *_) = peers.receiver.wait(lambda request: request.path == "/status")
    assert (first.json["id"], first.json["custom_variables"]) == (sent["message_id"], {"order": "7"})


@trial("messaging.send", "context", "tags")
def send_in_a_context(peers: Peers) -> None:
    context = next(_contexts)
    watcher, _ = peers.connected(contexts=[context])
    _, sent = peers.sends(context=context, tags=["greeting"])
    told = watcher.event("messaging.state", "delivered")["params"]
    assert (told["message_id"], told["context"]) == (sent["message_id"], context)
    assert "greeting" in told["tags"]
    assert peers.sends(tags=["x"] * 11)[1]["errors"][0]["attribute"] == "tags"


@trial("messaging.send", "region")
def send_in_a_region(peers: Peers) -> None:
    assert peers.sends(region="eu")[1]["code"] == "200"


@trial("messaging.send", "*")
def send_with_what_is_not_known(peers: Peers) -> None:
    result = peers.sends(nonsense=1)[1]
    assert [(error["code"], error["attribute"]) for error in result["errors"]] == [("invalid_parameter", "nonsense")]


@trial("blade.connect", "authentication.project", "authentication.token")
def blade_by_credentials(peers: Peers) -> None:
    for wrong in ({"project": "x"}, {"token": "x"}):
        answer = peers.socket().ask("blade.connect", {"authentication": {**peers.right, **wrong}})
        assert answer["error"]["code"] == -32002
    assert peers.connected("blade.connect")[1]["sessionid"]


@trial("blade.connect", "contexts")
def blade_with_contexts(peers: Peers) -> None:
    context = next(_contexts)
    relay, _ = peers.set_up(contexts=[context])
    number = peers.number(context)
    peers.rest.phone_sends("+15559310103", number, "Hi")
    assert relay.event("messaging.receive")["params"]["params"]["body"] == "Hi"


@trial("blade.execute", "protocol", "method", "params")
def blade_execute(peers: Peers) -> None:
    relay, protocol = peers.set_up()
    context = next(_contexts)
    for method in ("signalwire.receive", "signalwire.unreceive"):
        given: Frame = {"protocol": protocol, "method": method, "params": {"contexts": [context]}}
        assert relay.result("blade.execute", given)["result"]["code"] == "200"
    message = {"from_number": "+15551234567", "to_number": "+15559310104", "body": "Hi"}
    given = {"protocol": protocol, "method": "messaging.send", "params": message}
    assert relay.result("blade.execute", given)["result"]["code"] == "200"
    for wrong, code in (({"protocol": "x"}, -32600), ({"method": "calling.begin"}, -32601), ({"params": 5}, -32600)):
        assert relay.ask("blade.execute", {**given, **wrong})["error"]["code"] == code


@trial("blade.subscription", "command", "protocol", "channels")
def blade_subscription(peers: Peers) -> None:
    relay, _ = peers.set_up()
    context = next(_contexts)
    other, _ = peers.set_up(contexts=[context])
    told = relay.result("blade.subscription", {"command": "remove", "protocol": "x", "channels": ["y"]})
    assert (told["command"], told["subscribe_channels"]) == ("remove", ["y"])
    peers.rest.phone_sends("+15559310105", peers.number(context), "Hi")
    assert other.event("messaging.receive")["params"]["params"]["body"] == "Hi", "who never subscribed hears, too"


NONSENSE: dict[str, Any] = {
    "version": {"major": "x"},
    "agent": ["x"],
    "authorization_state": 5,
    "sessionid": "x",
    "protocol": "signalwire_x_y",
    "*": {"x": 1},
}
USUAL: dict[str, Frame] = {
    "signalwire.receive": {"contexts": ["x"]},
    "signalwire.unreceive": {"contexts": ["x"]},
    "blade.subscription": {"command": "add", "channels": []},
}
"""What a request has beside what is ignored."""


def is_connect(row: dict[str, str]) -> bool:
    return row["operation"].endswith(".connect")


def connects_whatever_it_says(peers: Peers, row: dict[str, str]) -> None:
    name = row["parameter"]
    given = {"nonsense" if name == "*" else name: NONSENSE[name]}
    assert peers.connected(row["operation"], **given)[1]["session_restored"] is False


def answers_whatever_it_says(peers: Peers, row: dict[str, str]) -> None:
    method = row["operation"]
    relay, protocol = peers.set_up() if method.startswith("blade.") else (peers.connected()[0], "")
    usual: Frame = USUAL.get(method, {})
    if method == "blade.execute":
        usual = {"protocol": protocol, "method": "signalwire.unreceive", "params": {"contexts": []}}
    if method == "signalwire.reauthenticate":
        usual = {"authentication": peers.right}
    assert relay.result(method, usual).keys() == relay.result(method, {**usual, "nonsense": 1}).keys()


def is_refused_with_its_code(peers: Peers, row: dict[str, str]) -> None:
    method, name = row["operation"], row["parameter"]
    relay = peers.socket() if is_connect(row) else peers.connected()[0]
    given = {} if name == "*" else {"authentication": {name.partition(".")[2]: "x"}}
    assert relay.ask(method, given)["error"]["code"] == int(row["code"])


@pytest.mark.parametrize("row", ROWS, ids=[f"{row['operation']}-{row['parameter']}" for row in ROWS])
def test_a_row_is_true(peers: Peers, row: dict[str, str]) -> None:
    known = TRIALS.get((row["operation"], row["parameter"]))
    if known is not None:
        known(peers)
    elif row["status"] == "refused":
        is_refused_with_its_code(peers, row)
    elif is_connect(row):
        connects_whatever_it_says(peers, row)
    else:
        assert row["status"] == "ignored", "what is supported is tried by a function of its own"
        answers_whatever_it_says(peers, row)


def test_every_trial_has_a_row() -> None:
    assert TRIALS.keys() <= {(row["operation"], row["parameter"]) for row in ROWS}


def test_the_rows_of_messaging_send_are_what_the_code_knows() -> None:
    status = {row["parameter"]: row["status"] for row in ROWS if row["operation"] == "messaging.send"}
    assert status.pop("*") == "refused"
    assert status.keys() == sending.RENAMED.keys() | sending.TAKEN | sending.OWN


def test_the_table_is_well_formed() -> None:
    assert len({(row["operation"], row["parameter"]) for row in ROWS}) == len(ROWS)
    for row in ROWS:
        assert None not in row, f"{row['operation']} {row['parameter']}: a comma in the note"
        assert row["status"] in ("supported", "ignored", "refused")
        assert bool(row["code"]) == (row["status"] == "refused")
        assert row["status"] != "ignored" or row["note"] or row["parameter"] == "*", "what is ignored says why"
