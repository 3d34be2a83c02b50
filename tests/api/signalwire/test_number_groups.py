"""Number groups, numbers for sale, caller ids: what is asked of them, and how LaML sends through a group."""

from typing import Any

from parley.model.caller_id import CallerId
from tests.api.signalwire.client import Client
from tests.server import Server, serve

REST = "/api/relay/rest"
NUMBERS = f"{REST}/phone_numbers"


def test_laml_sends_through_a_group(client: Client, server: Server) -> None:
    number = client.ask("POST", NUMBERS, 200, json={"number": "+15559630001"})["id"]
    group = client.ask("POST", f"{REST}/number_groups", 200, json={"name": "All"})
    members = f"{REST}/number_groups/{group['id']}/number_group_memberships"
    client.ask("POST", members, 200, json={"phone_number_id": number})
    form = {"MessagingServiceSid": group["id"], "To": "+15559630101", "Body": "Through a group"}
    path = f"/api/laml/2010-04-01/Accounts/{server.project_id}/Messages.json"
    assert client.raw("POST", path, data=form).status_code == 201
    [came] = client.inbox("+15559630101", "Through a group")
    assert came["from"] == "+15559630001"
    other = client.ask("POST", f"{REST}/number_groups", 200, json={"name": "Others"})
    refused = client.ask(
        "POST", f"{REST}/number_groups/{other['id']}/number_group_memberships", 422, json={"phone_number_id": number}
    )
    assert refused["errors"][0]["code"] == "already_assigned"
    client.raw("DELETE", f"{NUMBERS}/{number}")
    assert client.ask("GET", members, 200)["data"] == []


def test_filters(client: Client) -> None:
    client.ask("POST", f"{REST}/number_groups", 200, json={"name": "Süd 100%"})
    found = client.ask("GET", f"{REST}/number_groups", 200, params={"filter_name": "SÜD"})["data"]
    assert [group["name"] for group in found] == ["Süd 100%"]
    client.ask("POST", f"{REST}/number_groups", 200, json={"name": "Nord 100%"})
    first = client.ask("GET", f"{REST}/number_groups", 200, params={"page_size": 1, "filter_name": "100%"})
    second = client.ask("GET", first["links"]["next"], 200)
    assert [group["name"] for page in (first, second) for group in page["data"]] == ["Nord 100%", "Süd 100%"]
    assert "next" not in second["links"]


def search(client: Client, **asked: str) -> list[Any]:
    found: list[Any] = client.ask("GET", f"{NUMBERS}/search", 200, params=asked)["data"]
    return found


def test_numbers_for_sale(client: Client) -> None:
    assert {each["number"][:5] for each in search(client, areacode="415")} == {"+1415"}
    assert {each["number"][-3:] for each in search(client, ends_with="555")} == {"555"}
    assert {each["number"][2:5] for each in search(client, starts_with="212")} == {"212"}
    assert {"123" in each["number"] for each in search(client, contains="123", max_results="5")} == {True}
    assert {each["region"] for each in search(client, region="ny", max_results="5")} == {"NY"}
    free = search(client, number_type="toll-free", max_results="3")
    assert [each["number"][:3] for each in free] == ["+18"] * 3
    assert len(search(client)) == 50
    for wrong in ({"areacode": "41"}, {"contains": "12"}, {"number_type": "mobile"}, {"max_results": "x"}):
        assert client.codes("GET", f"{NUMBERS}/search", params=wrong)[0][0] == "invalid_parameter"


def test_what_cannot_be_bought(tmp_path: Any) -> None:
    with serve(f"sqlite:///{tmp_path}/parley.db", profile="strict") as server:
        client = Client(server)
        [one] = search(client, areacode="415", max_results="1")
        assert client.ask("POST", NUMBERS, 200, json={"number": one["number"]})["number"] == one["number"]
        for number, code in (
            ("+15559630002", "number_not_available"),
            ("415", "invalid_number_format"),
            ("", "missing_required_parameter"),
        ):
            assert [found for found, _ in client.codes("POST", NUMBERS, json={"number": number})] == [code]
        desk = CallerId("+15559630003", "Desk")
        server.run(server.app.caller_ids.add(server.account_id, desk, name=desk.phone_number))
        for sender, code in (
            (desk.phone_number, "verified_caller_id_not_permitted"),
            ("+15559630005", "invalid_from_number"),
        ):
            sent = {"from": sender, "to": "+14155550123", "body": "Hello"}
            assert client.codes("POST", "/api/messaging/messages", json=sent) == [(code, "from")]


def test_caller_ids(client: Client) -> None:
    path = f"{REST}/verified_caller_ids"
    made = client.ask("POST", path, 201, json={"number": "+15559630004", "name": "Desk"})
    assert made["status"] == "Verified"
    assert client.codes("POST", path, json={"number": "+15559630004"})[0][0] == "already_assigned"
    for wrong in ("5559630004", "12345", "whatsapp:+15559630004"):
        assert client.codes("POST", path, json={"number": wrong})[0][0] == "invalid_number_format"
    assert client.ask("PUT", f"{path}/{made['id']}", 200, json={"name": "Hall"})["name"] == "Hall"
    assert client.ask("POST", f"{path}/{made['id']}/verification", 200)["verified"] is True
    client.ask("PUT", f"{path}/{made['id']}/verification", 200, json={"verification_code": "123456"})
    assert [each["id"] for each in client.ask("GET", path, 200, params={"filter_name": "hal"})["data"]] == [made["id"]]
    assert client.raw("DELETE", f"{path}/{made['id']}").status_code == 204
    client.ask("GET", f"{path}/{made['id']}", 404)
