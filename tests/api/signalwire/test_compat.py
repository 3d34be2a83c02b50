"""docs/compat/signalwire.csv says what the code does: no parameter more, none less, each with its code."""

import csv
from pathlib import Path
from typing import Any

import pytest

from parley.api.signalwire import draft, logs, number_update, pages
from tests.api.signalwire.client import Client

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
    assert names(UPDATE, "supported") == number_update.ACTED_ON | number_update.ALIASES.keys()
    assert names(UPDATE, "refused") == number_update.LATER
    assert names(UPDATE, "ignored") == number_update.KEPT


REFUSED = [(row["operation"], row["parameter"], row["code"]) for row in rows() if row["status"] == "refused"]


@pytest.mark.parametrize(("operation", "parameter", "code"), REFUSED)
def test_what_it_calls_refused_is_refused(client: Client, operation: str, parameter: str, code: str) -> None:
    method, path = operation.split()
    name = "something_else" if parameter == "*" else parameter
    if "{id}" in path:
        listing = "/api/relay/rest/phone_numbers" if "phone_numbers" in path else "/api/messaging/logs"
        if "phone_numbers" not in path:
            client.send(to="+15559400001")
        path = path.replace("{id}", client.ask("GET", listing, 200)["data"][0]["id"])
    given: dict[str, Any] = {"params": {name: "x"}} if method == "GET" else {"json": {name: "x"}}
    errors = client.ask(method, path, 422, **given)["errors"]
    assert code in {error["code"] for error in errors if error.get("attribute", name) == name}
