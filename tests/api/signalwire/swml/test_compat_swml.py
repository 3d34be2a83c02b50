"""docs/compat/signalwire-swml.csv says which methods and parameters are carried out: no more, none less."""

import json
from typing import Any

import pytest

from parley.api.signalwire.calling import api, methods
from parley.api.signalwire.swml import messaging
from parley.api.signalwire.swml.fault import Faulty
from tests.api.signalwire.client import Client
from tests.api.signalwire.swml.table import ROWS, STEPS
from tests.receiver import Receiver, Reply

CALLS = "/api/calling/calls"
SAMPLES: dict[str, Any] = {
    **{key: [{"label": "x"}] for key in ("default", "on_return")},
    **dict.fromkeys(("timeout", "connect_timeout", "max", "max_digits", "volume", "max_duration"), 1),
    **{key: {"a": "b"} for key in ("headers", "params", "meta")},
    **{key: ["https://a.example/x"] for key in ("media", "tags")},
    **{key: ["say:x"] for key in ("urls",)},
    **dict.fromkeys(("play", "url", "dest"), "say:x"),
    "case": {"a": []},
    "method": "GET",
    "save_variables": True,
    "transform": "trim",
    "result": {"case": {}},
}
NEEDED: dict[str, dict[str, Any]] = {
    "reply": {"body": "x"},
    "request": {"url": "https://a.example"},
    "execute": {"dest": "main"},
    "transfer": {"dest": "main"},
    "switch": {"variable": "x"},
    "goto": {"label": "x"},
    "play": {"url": "say:x"},
    "say": {"text": "x"},
    "prompt": {"play": "say:x"},
    "send_sms": {"to_number": "+15550001111", "body": "x"},
}
WHOLE: dict[str, Any] = {"label": "x", "return": 1, "set": {"a": 1}, "cond": [{"else": []}], "receive": {}}
"""Of methods that have no parameters by name."""


def word(kind: str, method: str, parameters: Any) -> str | None:
    """What a document of one step is refused with; None when it is read."""
    document = {"sections": {"main": [{method: parameters}]}}
    try:
        messaging.read(document) if kind == "messaging" else methods.read(document)
    except Faulty as error:
        return error.word
    return None


@pytest.mark.parametrize("row", STEPS, ids=[f"{row['operation']}-{row['parameter']}" for row in STEPS])
def test_a_row_is_true(row: dict[str, str]) -> None:
    kind, _, method = row["operation"].partition(" ")
    parameter = row["parameter"]
    if parameter in ("", "*"):
        given = WHOLE.get(method, {})
    elif (method, parameter) == ("reply", "switch"):
        given = {"switch": {"variable": "x", "case": {"a": "b"}}}
    else:
        given = {**NEEDED.get(method, {}), parameter: SAMPLES.get(parameter, "x")}
    assert word(kind, method, given) == (row["code"] or None)


@pytest.mark.parametrize(
    ("kind", "method"), sorted({tuple(row["operation"].split()) for row in STEPS if not row["code"]})
)
def test_what_no_row_names_is_refused(kind: str, method: str) -> None:
    if method in ("label", "return", "set", "cond"):
        return  # what they take has no names
    assert word(kind, method, {**NEEDED.get(method, {}), "something_else": 1}) == "swml_invalid_document"


def test_every_method_has_a_row() -> None:
    for kind, known in (("messaging", messaging.METHODS), ("calling", methods.METHODS)):
        listed = {row["operation"].split()[1] for row in STEPS if row["operation"].startswith(kind) and not row["code"]}
        assert listed == known.keys()


DIAL = {row["parameter"]: row for row in ROWS if row["operation"] == f"POST {CALLS}"}


def test_the_rows_of_dial_are_what_the_code_knows() -> None:
    status = {name: row["status"] for name, row in DIAL.items()}
    assert {name for name in status if status[name] == "supported"} == api.PARAMETERS | {"command"}
    assert {name for name in status if status[name] == "refused"} == api.LATER | {"*"}


@pytest.mark.parametrize("name", DIAL)
def test_a_parameter_of_dial_is_as_its_row_says(client: Client, receiver: Receiver, name: str) -> None:
    document = json.dumps({"sections": {"main": []}})
    receiver.answer = lambda request: Reply(200, document.encode())
    source = {"swml": document} if name == "swml" else {"url": f"{receiver.url}/url"}
    params = {"from": "+15557410000", "to": "+15557490000", **source}
    if name == "fallback_url":
        params |= {"url": f"{receiver.url}/gone", name: f"{receiver.url}/{name}"}
        receiver.answer = lambda request: Reply(404 if request.path == "/gone" else 200, document.encode())
    if DIAL[name]["status"] == "refused":
        params["nonsense" if name == "*" else name] = "x"
        refused = client.codes("POST", CALLS, json={"command": "dial", "params": params})
        assert refused == [(DIAL[name]["code"], "nonsense" if name == "*" else name)]
        return
    call = client.ask("POST", CALLS, 200, json={"command": "dial", "params": params})
    assert (call["from"], call["to"]) == (params["from"], params["to"])
    ended = client.raw("GET", f"/simulator/calls/{call['id']}", params={"wait": "30"}).json()
    assert ended["status"] == "completed"
    asked = {"swml": [], "fallback_url": ["/gone", "/fallback_url"]}.get(name, ["/url"])
    assert [request.path for request in receiver.requests] == asked
    if name == "command":
        refused = client.codes("POST", CALLS, json={"command": "calling.end", "params": params})
        assert refused == [("feature_not_available", "command")]


def test_the_table_is_well_formed() -> None:
    assert len({(row["operation"], row["parameter"]) for row in ROWS}) == len(ROWS)
    for row in ROWS:
        assert None not in row, f"{row['operation']} {row['parameter']}: a comma in the note"
        assert bool(row["code"]) == (row["status"] == "refused")
        assert row["status"] != "ignored" or row["note"], "what is ignored says why"
