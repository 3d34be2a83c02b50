"""/openapi.json describes every path that we serve and nothing else, and what we answer is what it says."""

import csv
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, settings
from hypothesis import given as with_examples
from openapi_schema_validator import OAS31Validator
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)

from parley.api.admin.openapi import signalwire
from parley.api.admin.openapi.document import document
from parley.api.admin.openapi.signalwire_fields import FIELDS as SIGNALWIRE_FIELDS
from parley.api.http.products import PRODUCTS
from parley.api.signalwire import draft, number_update
from parley.api.signalwire.laml_application import HANDLER, PARAMETER
from parley.api.signalwire.phone_numbers import number_body
from tests.api.signalwire.values import NUMBER
from tests.openapi import SPECS
from tests.receiver import Receiver, receiving
from tests.server import Server

DOCUMENT = document("0.0.0")
OPERATIONS = sorted((path, method) for path, item in DOCUMENT["paths"].items() for method in item)
ASKED = sorted(set(OPERATIONS) - {(each.path, each.method.lower()) for each in signalwire.OPERATIONS})
"""The rest is SignalWire's, and is asked with tables of its own."""
ADDRESSES = {"to": "+15557654321", "from": "+15551234567"}
"""Any other text is refused, and what stands beside it is never looked at."""
TWILIOS = ("/2010-04-01", *(f"/{product}/" for product in PRODUCTS))
_WAITS = frozenset({"/simulator/phones/{phone}/messages", "/admin/events"})


@schemathesis.serializer("text/csv")
def as_csv(context: schemathesis.SerializationContext, value: Any) -> bytes:
    """Return a text as it is, which schemathesis cannot do by itself."""
    del context
    return str(value).encode("utf-8", "surrogatepass")


def test_it_is_served(server: Server) -> None:
    answer = requests.get(f"{server.base_url}/openapi.json", timeout=10)
    assert answer.status_code == 200
    assert answer.json()["paths"] == DOCUMENT["paths"]
    assert answer.json()["info"]["version"]


def test_it_describes_every_path_and_method(server: Server) -> None:
    served = {
        (route.path, method.lower())
        for route in server.app.surface.routes
        for method in route.methods or ()
        if method != "HEAD" and not route.path.startswith(TWILIOS)
    }
    assert set(OPERATIONS) == served


def test_what_needs_credentials_tells_of_every_refusal_that_may_meet_it() -> None:
    for path, method in OPERATIONS:
        told = DOCUMENT["paths"][path][method]
        if told.get("security") != []:
            assert {"400", "401", "403", "413", "429", "500", "503"} <= told["responses"].keys()


def test_what_is_asked_and_answered_of_a_number_is_told_whole() -> None:
    schemas = DOCUMENT["components"]["schemas"]
    taken = {*number_update.ACTED_ON, *number_update.KEPT, *number_update.ALIASES, number_update.CAMPAIGN, PARAMETER}
    assert schemas["UpdatePhoneNumber"]["properties"].keys() == taken
    assert schemas["CreateMessage"]["properties"].keys() == draft.PARAMETERS
    handlers = {*number_update.HANDLERS, *number_update.RELAY_HANDLERS, HANDLER, None}
    for name in ("UpdatePhoneNumber", "PhoneNumber"):
        assert set(schemas[name]["properties"]["message_handler"]["enum"]) == handlers
    answered = number_body(NUMBER).keys() | {number_update.CAMPAIGN}
    assert schemas["PhoneNumber"]["properties"].keys() == answered


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/api/messaging/logs", "SignalWireErrors"),
        ("/api/messaging/media/{token}", "SignalWireErrors"),
        ("/api/relay/rest/phone_numbers", "RelayErrors"),
        ("/admin/account", "Problem"),
    ],
)
def test_who_asks_too_much_is_answered_as_it_says(server: Server, auth: tuple[str, str], path: str, kind: str) -> None:
    limits = server.app.limits
    before, limits.reads = limits.reads, 4000
    try:
        answer = requests.get(server.base_url + path, auth=auth, timeout=30)
    finally:
        limits.reads = before
    told = DOCUMENT["paths"][path]["get"]["responses"][str(answer.status_code)]["content"]["application/json"]
    assert (answer.status_code, told["schema"]) == (429, {"$ref": f"#/components/schemas/{kind}"})
    whole = {**told["schema"], "components": DOCUMENT["components"]}
    OAS31Validator(whole).validate(answer.json())


OWN = [(path, method) for path, method in OPERATIONS if path.startswith(("/admin", "/simulator"))]


@pytest.mark.parametrize(("path", "method"), OWN)
def test_a_parameter_that_an_operation_does_not_have_is_refused(
    server: Server, auth: tuple[str, str], path: str, method: str
) -> None:
    """Before anything is done: what is named in the path need not be there."""
    named = {"phone": "+15559876543", "service": f"MG{'0' * 32}", "sender": "ACME", "recipient": "+15559876543"}
    filled = re.sub(r"{(\w+)}", lambda name: named.get(name[1], "0" * 32), path)
    answer = requests.request(method, f"{server.base_url}{filled}?nonsense=1", auth=auth, timeout=30)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_parameter"), answer.text
    assert answer.json()["message"] == "nonsense is not a parameter of this operation"


def test_signalwires_operations_are_as_their_tables_say() -> None:
    """Whose answers are held against those tables (tests/api/signalwire/test_every_operation.py)."""
    schemas = DOCUMENT["components"]["schemas"]
    renamed = {"MessageLog": "Log", "any": "object"}
    for row in csv.DictReader((SPECS / "signalwire_operations.csv").read_text().splitlines()):
        told = DOCUMENT["paths"][row["path"].partition(" ")[0]][row["method"].lower()]["responses"][row["status"]]
        kind, _, name = row["answer"].rpartition(" ")
        schema = told["content"]["application/json"]["schema"] if row["answer"] else None
        if kind == "list":
            assert schema is not None
            page = schemas[schema["$ref"].rpartition("/")[2]]
            assert page["properties"].keys() == {"links", "data"}
            schema = page["properties"]["data"]["items"]
        if name and name != "any":
            assert schema == {"$ref": f"#/components/schemas/{renamed.get(name, name)}"}
    fields: dict[str, dict[str, bool]] = {}
    for row in csv.DictReader((SPECS / "signalwire_fields.csv").read_text().splitlines()):
        fields.setdefault(row["object"], {})[row["field"]] = row["required"] == "yes"
    described = SIGNALWIRE_FIELDS.keys() & fields.keys()
    assert len(described) == 25
    for name in described:
        assert schemas[name]["properties"].keys() == fields[name].keys()
        assert set(schemas[name]["required"]) == {field for field, is_required in fields[name].items() if is_required}


def test_references_lead_somewhere_and_nothing_is_left_over() -> None:
    schemas = DOCUMENT["components"]["schemas"]
    used = set(re.findall(r"#/components/schemas/(\w+)", json.dumps(DOCUMENT)))
    assert used <= schemas.keys()
    assert schemas.keys() - used <= {"Behaviour"}  # which Phone spells out
    for schema in schemas.values():
        OAS31Validator.check_schema(schema)
    ids = [item[method]["operationId"] for item in DOCUMENT["paths"].values() for method in item]
    assert len(set(ids)) == len(ids)


@pytest.fixture(scope="module")
def app() -> Iterator[Receiver]:
    """Return where all the URLs of examples lead, so that nothing leaves this machine."""
    with receiving() as receiver:
        yield receiver


@pytest.fixture(scope="module")
def auth(server: Server) -> tuple[str, str]:
    """Return a main key, which outlives the rotation of the token."""
    key, secret = server.run(server.app.accounts.add_key(server.account_id, "examples", "main"))
    return f"SK{key.id.hex()}", secret


def _homeward(value: Any, url: str) -> Any:
    """Return `value` with each web address replaced by one of ours."""
    match value:
        case str() if value.lower().startswith(("http:", "https:")):
            return url
        case list():
            return [_homeward(item, url) for item in value]
        case dict():
            return {name: _homeward(item, url) for name, item in value.items()}
        case _:
            return value


def _cases() -> Iterator[tuple[str, str, GenerationMode]]:
    """Yield each operation with each mode; where any value will do there is no other."""
    for path, method in ASKED:
        yield path, method, GenerationMode.POSITIVE
        told = DOCUMENT["paths"][path][method]
        if "requestBody" in told or any(each["in"] == "query" for each in told.get("parameters", ())):
            yield path, method, GenerationMode.NEGATIVE


@pytest.mark.parametrize(("path", "method", "mode"), list(_cases()))
def test_what_is_answered_is_what_it_says(
    server: Server, app: Receiver, auth: tuple[str, str], path: str, method: str, mode: GenerationMode
) -> None:
    """Schemathesis asks, with values that the description allows and with others."""
    api = schemathesis.openapi.from_dict(DOCUMENT)
    api.config.update(base_url=server.base_url)
    operation = api[path][method.upper()]
    seeds = {
        "id": _first(
            server, auth, "/api/relay/rest/phone_numbers" if "phone_numbers" in path else "/api/messaging/logs"
        ),
        "phone": "+15559876543",
    }

    @settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
    @with_examples(case=operation.as_strategy(generation_mode=mode))
    def ask(case: schemathesis.Case[Any]) -> None:
        if case.path_parameters:
            case.path_parameters.update({name: seeds[name] for name in seeds if name in case.path_parameters})
        if path in _WAITS and case.query:
            case.query.pop("wait", None)
        case.body = _homeward(case.body, app.url)
        if isinstance(case.body, dict) and mode.is_positive:
            case.body.update({name: ADDRESSES[name] for name in ADDRESSES if name in case.body})
        case.call_and_validate(
            auth=auth,
            checks=[
                not_a_server_error,
                status_code_conformance,
                content_type_conformance,
                response_schema_conformance,
                unsupported_method,
            ],
        )

    try:
        ask()
    finally:
        if path == "/simulator/faults":  # or nothing gets through any more
            requests.delete(f"{server.base_url}/simulator", auth=auth, timeout=10)


def _first(server: Server, auth: tuple[str, str], listing: str) -> str:
    """Return the id of something that is there."""
    given = {"from": "+15551234567", "to": "+15559876543", "body": "there"}
    requests.post(f"{server.base_url}/api/messaging/messages", json=given, auth=auth, timeout=10)
    answer = requests.get(f"{server.base_url}{listing}", auth=auth, timeout=10)
    id: str = answer.json()["data"][0]["id"]
    return id
