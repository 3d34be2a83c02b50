"""Quiet hours as they are set: for the account, and for a messaging service."""

import pytest

from parley.lib import ids
from parley.model.service import Service
from tests.api.admin.client import Client

NIGHT = {"start": "21:00", "end": "08:00", "action": "hold"}


@pytest.fixture
def service(client: Client) -> str:
    app = client.server.app
    made = client.server.run(app.services.add(client.server.account_id, Service("Bulk")))
    return f"/admin/services/{ids.sid('MG', made.id)}/quiet_hours"


def test_an_account_s_are_set_changed_and_removed(client: Client) -> None:
    assert client.get("/admin/account")["quiet_hours"] is None
    for hours in (NIGHT, {**NIGHT, "action": "refuse"}):
        assert client.put("/admin/account", {"quiet_hours": hours})["quiet_hours"] == hours
        assert client.put("/admin/account", {"name": "Renamed"})["quiet_hours"] == hours
        assert client.get("/admin/account")["quiet_hours"] == hours
    assert client.put("/admin/account", {"quiet_hours": None})["quiet_hours"] is None
    assert client.get("/admin/account")["quiet_hours"] is None


def test_a_service_s_are_set_and_removed(client: Client, service: str) -> None:
    assert client.get(service) == {"quiet_hours": None}
    assert client.put(service, {"start": "21:00", "end": "08:00"}) == {"quiet_hours": NIGHT}
    assert client.get(service) == {"quiet_hours": NIGHT}
    assert client.call("DELETE", service).status_code == 204
    assert client.get(service) == {"quiet_hours": None}


@pytest.mark.parametrize(
    "hours",
    [
        {"start": "21:00"},
        {"start": "9 pm", "end": "08:00"},
        {"start": "21:00", "end": "25:00"},
        {"start": "21:00", "end": "21:00"},
        {"start": "00:00", "end": "23:30"},  # nothing would be left of a day that is an hour shorter
        {"start": "21:00", "end": "08:00", "action": "drop"},
        {"start": "21:00", "end": "08:00", "zone": "UTC"},
    ],
)
def test_hours_that_cannot_be_are_refused_and_change_nothing(
    client: Client, service: str, hours: dict[str, str]
) -> None:
    for path, body in ((service, hours), ("/admin/account", {"quiet_hours": hours})):
        answer = client.call("PUT", path, json=body)
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid_parameter")
    assert client.get(service) == {"quiet_hours": None}
    assert client.get("/admin/account")["quiet_hours"] is None


def test_no_service_has_none(client: Client) -> None:
    for sid in ("MG" + "0" * 32, "nonsense"):
        path = f"/admin/services/{sid}/quiet_hours"
        for method, body in (("GET", None), ("PUT", NIGHT), ("DELETE", None)):
            assert client.call(method, path, json=body).status_code == 404
