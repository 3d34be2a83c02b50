"""docs/compat/signalwire.csv says what the code does: no parameter more, none less, each with its code."""

import csv
from pathlib import Path
from typing import Any

import pytest

from parley.api.signalwire import (
    caller_ids,
    draft,
    laml_application,
    logs,
    mfa,
    number_groups,
    number_update,
    numbers_for_sale,
    pages,
    phone_numbers,
    projects,
    short_codes,
)
from parley.api.signalwire.fabric import resources
from parley.api.signalwire.fabric.kinds import kinds
from parley.api.signalwire.registry import brands, campaigns, guide, orders
from parley.webhooks.guard import Guard
from tests.api.signalwire import described
from tests.api.signalwire.asked import BRAND, CAMPAIGN
from tests.api.signalwire.client import Client
from tests.server import Server

TABLE = Path(__file__).parents[3] / "docs" / "compat" / "signalwire.csv"
UPDATE = "PUT /api/relay/rest/phone_numbers/{id}"
CREATE = "POST /api/messaging/messages"


def rows() -> list[dict[str, str]]:
    with TABLE.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def names(operation: str, *statuses: str) -> set[str]:
    found = {row["parameter"] for row in rows() if row["operation"] == operation and row["status"] in statuses}
    return found - {"*"}


def test_the_table_is_well_formed() -> None:
    table = rows()
    assert len({(row["operation"], row["parameter"]) for row in table}) == len(table)
    for row in table:
        assert None not in row, f"{row['parameter']}: a comma in the note"
        assert row["status"] in {"supported", "ignored", "refused"}
        assert bool(row["code"]) == (row["status"] == "refused")
        assert row["status"] != "ignored" or row["note"], "what is ignored says why"


def test_it_lists_what_the_code_knows() -> None:
    assert names(CREATE, "supported") == draft.PARAMETERS
    assert names(CREATE, "refused") == draft.WHATSAPP_PARAMETERS
    for path in ("/api/messaging/logs", "/api/messaging/messages"):
        assert names(f"GET {path}", "supported") == logs.PARAMETERS
    assert names("GET /api/relay/rest/phone_numbers", "supported") == pages.PARAMETERS | {
        "filter_name",
        "filter_number",
    }
    assert names(UPDATE, "supported") == number_update.ACTED_ON | number_update.ALIASES.keys() | {
        number_update.CAMPAIGN,
        laml_application.PARAMETER,
    }
    assert names(UPDATE, "refused") == set()
    assert names(UPDATE, "ignored") == number_update.KEPT


OPERATIONS = {
    "POST /api/relay/rest/phone_numbers": phone_numbers.PURCHASE,
    "GET /api/relay/rest/phone_numbers/search": numbers_for_sale.PARAMETERS,
    "GET /api/relay/rest/number_groups": number_groups.FILTERS,
    "POST /api/relay/rest/number_groups": number_groups.PARAMETERS,
    "PUT /api/relay/rest/number_groups/{id}": number_groups.PARAMETERS,
    "GET /api/relay/rest/number_groups/{id}/number_group_memberships": pages.PARAMETERS,
    "POST /api/relay/rest/number_groups/{id}/number_group_memberships": number_groups.MEMBERSHIP,
    "GET /api/relay/rest/short_codes": short_codes.FILTERS,
    "PUT /api/relay/rest/short_codes/{id}": short_codes.PARAMETERS,
    "GET /api/relay/rest/verified_caller_ids": caller_ids.FILTERS,
    "POST /api/relay/rest/verified_caller_ids": caller_ids.PARAMETERS - {"extension"},
    "GET /api/relay/rest/registry/beta/brands": brands.FILTERS,
    "POST /api/relay/rest/registry/beta/brands": brands.MANAGED | brands.SELF_REGISTERED,
    "GET /api/relay/rest/registry/beta/brands/{id}/campaigns": brands.FILTERS,
    "POST /api/relay/rest/registry/beta/brands/{id}/campaigns": campaigns.MANAGED | campaigns.PARTNER,
    "GET /api/relay/rest/registry/beta/campaigns/{id}/numbers": orders.FILTERS,
    "GET /api/relay/rest/registry/beta/campaigns/{id}/orders": orders.FILTERS,
    "POST /api/relay/rest/registry/beta/campaigns/{id}/orders": orders.PARAMETERS,
    "POST /api/messaging/brands": guide.BRAND,
    "POST /api/messaging/campaigns": guide.CAMPAIGN,
    "POST /api/relay/rest/mfa/sms": mfa.PARAMETERS,
    "POST /api/relay/rest/mfa/{id}/verify": mfa.ANSWER,
    "GET /api/projects": projects.FILTERS,
    "POST /api/project/tokens": projects.TOKEN,
    "PATCH /api/project/tokens/{id}": projects.TOKEN_CHANGE,
    "GET /api/fabric/resources": pages.PARAMETERS,
    "POST /api/fabric/resources/{id}/phone_routes": resources.PHONE_ROUTE,
}


def test_it_lists_what_each_other_operation_knows() -> None:
    for operation, parameters in OPERATIONS.items():
        assert names(operation, "supported") == parameters, operation
    for kind in kinds(Guard()).values():
        assert names(f"POST {kind.path}", "supported", "ignored") == kind.parameters
        assert names(f"{kind.method} {kind.path}/{{id}}", "supported", "ignored") == kind.changes
        assert names(f"GET {kind.path}", "supported") == pages.PARAMETERS


def test_it_has_every_operation_of_the_first_two_tiers() -> None:
    known = {row["operation"] for row in rows()}
    assert {f"{row['method']} {row['path'].partition(' ')[0]}" for row in described.OPERATIONS} <= known


REFUSED = [(row["operation"], row["parameter"], row["code"]) for row in rows() if row["status"] == "refused"]


@pytest.fixture(scope="module")
def existing(server: Server) -> dict[str, str]:
    """Return the id of something at each path that a row names by `{id}`."""
    client, rest, fabric = Client(server), "/api/relay/rest", "/api/fabric/resources"
    client.send(to="+15559400001")
    client.send(**{"from": "24687", "to": "+15559400001"})

    def made(path: str, given: dict[str, Any]) -> str:
        response = client.raw("POST", path, json=given)
        assert response.status_code in (200, 201), response.text
        id: str = response.json()["id"]
        return id

    def first(path: str) -> str:
        id: str = client.ask("GET", path, 200)["data"][0]["id"]
        return id

    number = made(f"{rest}/phone_numbers", {"number": "+15559400002"})
    made(f"{rest}/phone_numbers", {"number": "+15559400004"})
    group = made(f"{rest}/number_groups", {"name": "All"})
    brand = made(f"{rest}/registry/beta/brands", BRAND)
    campaign = made(f"{rest}/registry/beta/brands/{brand}/campaigns", {**CAMPAIGN, "brand_id": brand})
    ordered = f"{rest}/registry/beta/campaigns/{campaign}"
    order = made(f"{ordered}/orders", {"phone_numbers": ["+15559400004"]})
    server.run(server.app.orders.turn())  # so that the number is assigned
    script = {"name": "Bot", "script_type": "messaging", "contents": {"reply": "Hi"}}
    webhook = {"used_for": "messaging", "primary_request_url": "https://app.example/in"}
    relay = made(f"{fabric}/relay_applications", {"name": "Desk", "topic": "desk"})
    return {
        "/api/messaging/messages": first("/api/messaging/logs"),
        "/api/messaging/logs": first("/api/messaging/logs"),
        "/api/messaging/brands": brand,
        "/api/messaging/campaigns": campaign,
        f"{rest}/phone_numbers": number,
        f"{rest}/number_groups": group,
        f"{rest}/number_group_memberships": made(
            f"{rest}/number_groups/{group}/number_group_memberships", {"phone_number_id": number}
        ),
        f"{rest}/short_codes": first(f"{rest}/short_codes"),
        f"{rest}/verified_caller_ids": made(f"{rest}/verified_caller_ids", {"number": "+15559400003"}),
        f"{rest}/registry/beta/brands": brand,
        f"{rest}/registry/beta/campaigns": campaign,
        f"{rest}/registry/beta/orders": order,
        f"{rest}/registry/beta/numbers": first(f"{ordered}/numbers"),
        f"{rest}/mfa": made(f"{rest}/mfa/sms", {"to": "+15559400001"}),
        "/api/projects": server.project_id,
        "/api/project/tokens": made("/api/project/tokens", {"name": "CI", "permissions": ["video"]}),
        fabric: relay,
        f"{fabric}/relay_applications": relay,
        f"{fabric}/swml_scripts": made(f"{fabric}/swml_scripts", script),
        f"{fabric}/swml_webhooks": made(f"{fabric}/swml_webhooks", webhook),
        f"{fabric}/cxml_webhooks": made(f"{fabric}/cxml_webhooks", webhook),
    }


@pytest.mark.parametrize(("operation", "parameter", "code"), REFUSED)
def test_what_it_calls_refused_is_refused(
    client: Client, existing: dict[str, str], operation: str, parameter: str, code: str
) -> None:
    method, path = operation.split()
    name = "something_else" if parameter == "*" else parameter
    before, has_id, behind = path.partition("/{id}")
    if has_id:
        path = f"{before}/{existing[before]}{behind}"
    given: dict[str, Any] = {"params" if method in ("GET", "DELETE") else "json": {name: "x"}}
    errors = client.ask(method, path, 422, **given)["errors"]
    assert code in {error["code"] for error in errors if error.get("attribute", name) == name}


_ODD: tuple[Any, ...] = (None, True, -1.5, "", "é" * 3000, [], [""], [[]], {}, {"a": {"b": []}})


@pytest.mark.parametrize(
    "operation", sorted({row["operation"] for row in rows() if not row["operation"].startswith(("GET", "DELETE"))})
)
def test_no_value_breaks_an_operation(client: Client, existing: dict[str, str], operation: str) -> None:
    """The client asserts that nothing is answered by a status of 500 and above."""
    method, path = operation.split()
    before, has_id, behind = path.partition("/{id}")
    if has_id:
        path = f"{before}/{existing[before]}{behind}"
    for name in names(operation, "supported", "ignored", "refused"):
        for value in _ODD:
            client.raw(method, path, json={name: value})


@pytest.fixture(scope="module")
def neighbour(server: Server) -> tuple[str, str]:
    """Return the credentials of another project on the same server."""
    form = {"FriendlyName": "Next door"}
    made = Client(server).raw("POST", "/api/laml/2010-04-01/Accounts.json", data=form)
    return made.json()["sid"], made.json()["auth_token"]


_SOUND: dict[str, dict[str, Any]] = {
    "PATCH /api/messaging/messages/{id}": {"body": ""},
    "PUT /api/relay/rest/number_groups/{id}": {"name": "x"},
    "PUT /api/relay/rest/short_codes/{id}": {
        "name": "x",
        "message_handler": "json_webhook",
        "message_request_url": "https://app.example/in",
    },
    "PUT /api/relay/rest/verified_caller_ids/{id}": {"name": "x"},
    "PUT /api/relay/rest/verified_caller_ids/{id}/verification": {"verification_code": "1"},
    "POST /api/relay/rest/registry/beta/campaigns/{id}/orders": {"phone_numbers": ["+15551234567"]},
    "POST /api/relay/rest/mfa/{id}/verify": {"token": "1"},
}
"""Bodies in which nothing is wrong, of the operations that ask for one."""


@pytest.mark.parametrize("operation", sorted({row["operation"] for row in rows() if "{id}" in row["operation"]}))
def test_what_another_project_has_is_not_there(
    client: Client, existing: dict[str, str], neighbour: tuple[str, str], operation: str
) -> None:
    method, path = operation.split()
    before, _, behind = path.partition("/{id}")
    path = f"{before}/{existing[before]}{behind}"
    given = {"json": _SOUND.get(operation, {})} if method in ("POST", "PUT", "PATCH") else {}
    assert client.ask(method, path, 404, auth=neighbour, **given) == {"error": "Not Found"}
    if method == "GET":
        client.ask("GET", path, 200)
