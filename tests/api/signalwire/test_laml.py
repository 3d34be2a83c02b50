"""LaML: Twilio's API of 2010 as a SignalWire project knows it, with UUIDs in what is answered and what is told."""

from typing import Any

import pytest
import requests

from parley.lib.ids import parse_uuid
from tests.api.signalwire.client import Client
from tests.receiver import Receiver, Reply
from tests.server import Server

NUMBER, PHONE = "+15551234567", "+15559700001"
PICTURE = {"content_type": "image/gif", "data": "R0lGODlhAQABAAAAACwAAAAAAQABAAA="}


@pytest.fixture
def base(server: Server) -> str:
    return f"/api/laml/2010-04-01/Accounts/{server.project_id}"


def sends(client: Client, path: str, **more: str) -> Any:
    answer = client.raw("POST", path, data={"From": NUMBER, "To": PHONE, "Body": "Hello", **more})
    assert answer.status_code == 201, answer.text
    return answer.json()


def number_id(client: Client, number: str) -> str:
    client.send(**{"from": number, "to": PHONE})
    (found,) = client.ask("GET", "/api/relay/rest/phone_numbers", 200, params={"filter_number": number})["data"]
    id: str = found["id"]
    return id


def test_a_message_and_its_lists(client: Client, server: Server, base: str) -> None:
    sent = sends(client, f"{base}/Messages.json")
    id = sent["sid"]
    assert parse_uuid(id)
    assert sent["account_sid"] == server.project_id
    assert sent["uri"] == f"{base}/Messages/{id}.json"
    assert sent["subresource_uris"]["media"] == f"{base}/Messages/{id}/Media.json"
    assert (sent["num_segments"], sent["error_code"]) == (1, None)
    assert client.ask("GET", f"/api/messaging/logs/{id}", 200)["id"] == id
    sid = f"SM{id.replace('-', '')}"
    for name in (id, sid):
        assert client.raw("GET", f"{base}/Messages/{name}.json").json()["sid"] == id
    bare = base.removeprefix("/api/laml")  # where the SDKs ask
    assert client.raw("GET", f"{bare}/Messages/{id}.json").json()["uri"] == sent["uri"]
    twilio = f"/2010-04-01/Accounts/{server.account_sid}/Messages/{id}.json"
    assert client.raw("GET", twilio).json()["sid"] == sid, "who asks as Twilio's clients do is answered so"
    sends(client, f"{base}/Messages.json", MediaUrl="https://example.com/a.gif")
    page = client.raw("GET", f"{base}/Messages.json", params={"To": PHONE, "PageSize": "1"}).json()
    following = client.raw("GET", page["next_page_uri"]).json()
    assert following["messages"][0]["sid"] == id
    media = client.raw("GET", page["messages"][0]["subresource_uris"]["media"]).json()["media_list"]
    assert parse_uuid(media[0]["sid"])
    assert media[0]["parent_sid"] == page["messages"][0]["sid"]


def test_paths_may_leave_json_out(client: Client, base: str) -> None:
    """As SignalWire's reference spells them; Twilio's would be answered in XML, which is not served."""
    sent = sends(client, f"{base}/Messages")
    assert sent["uri"] == f"{base}/Messages/{sent['sid']}.json"
    assert client.raw("GET", f"{base}/Messages/{sent['sid']}").json()["uri"] == sent["uri"]
    assert client.raw("GET", f"{base}/Messages?PageSize=1").json()["messages"][0]["sid"] == sent["sid"]
    assert client.raw("GET", f"{base}/Messages/{sent['sid']}/Media").json()["media_list"] == []
    assert client.raw("GET", base).json()["uri"] == f"{base}.json"
    assert client.raw("DELETE", f"{base}/Messages/{sent['sid']}").status_code == 204
    assert client.raw("GET", f"{base}/Nothing").json()["code"] == 20404
    assert client.raw("GET", f"{base.removeprefix('/api/laml')}/Messages").status_code == 404


def test_a_failure_has_its_code_as_a_text(client: Client, base: str, receiver: Receiver) -> None:
    client.raw("PUT", "/simulator/phones/+15559700009", json={"outcome": "undelivered", "error_code": 30003})
    sent = sends(client, f"{base}/Messages.json", To="+15559700009", StatusCallback=receiver.url)
    receiver.wait(lambda request: request.form["MessageStatus"] == "undelivered")
    found = client.raw("GET", f"{base}/Messages/{sent['sid']}.json").json()
    assert (found["status"], found["error_code"]) == ("undelivered", "30003")


def test_accounts_numbers_and_applications(client: Client, server: Server, base: str) -> None:
    account = client.raw("GET", f"{base}.json").json()
    assert (account["sid"], account["uri"]) == (server.project_id, f"{base}.json")
    assert account["subresource_uris"]["messages"] == f"{base}/Messages.json"
    application = client.raw("POST", f"{base}/Applications.json", data={"FriendlyName": "A"}).json()
    assert parse_uuid(application["sid"])
    id = number_id(client, "+15559701001")
    given = {"SmsApplicationSid": application["sid"], "AccountSid": server.project_id}
    number = client.raw("POST", f"{base}/IncomingPhoneNumbers/{id}.json", data=given).json()
    assert (number["sid"], number["sms_application_sid"]) == (id, application["sid"])
    sends(client, f"{base}/Messages.json", ApplicationSid=application["sid"])


def test_callbacks_are_told_in_the_spelling_that_the_message_was_made_in(
    client: Client, server: Server, base: str, receiver: Receiver
) -> None:
    sent = sends(client, f"{base}/Messages.json", StatusCallback=f"{receiver.url}/laml")
    told = receiver.wait(lambda request: request.form["MessageStatus"] == "delivered")[0].form
    assert (told["MessageSid"], told["SmsSid"], told["AccountSid"]) == (sent["sid"], sent["sid"], server.project_id)
    path = f"/2010-04-01/Accounts/{server.account_sid}/Messages.json"
    sent = sends(client, path, StatusCallback=f"{receiver.url}/twilio")
    (told,) = [
        request.form
        for request in receiver.wait(lambda request: request.path == "/twilio", 2)
        if request.form["MessageStatus"] == "delivered"
    ]
    assert (told["MessageSid"], told["AccountSid"]) == (sent["sid"], server.account_sid)


def laml_webhooks(client: Client, id: str, url: str) -> None:
    given = {"message_handler": "laml_webhooks", "message_request_url": url}
    client.ask("PUT", f"/api/relay/rest/phone_numbers/{id}", 200, json=given)


def laml_application(client: Client, id: str, url: str) -> None:
    base = f"/api/laml/2010-04-01/Accounts/{client.auth.username}"  # type: ignore[str-bytes-safe]
    made = client.raw("POST", f"{base}/Applications.json", data={"FriendlyName": "A", "SmsUrl": url}).json()
    given = {"message_handler": "laml_application", "message_laml_application_id": made["sid"]}
    client.ask("PUT", f"/api/relay/rest/phone_numbers/{id}", 200, json=given)


def cxml_webhook(client: Client, id: str, url: str) -> None:
    given = {"name": "C", "used_for": "messaging", "primary_request_url": url}
    made = client.ask("POST", "/api/fabric/resources/cxml_webhooks", 201, json=given)
    route = {"phone_route_id": id, "handler": "messaging"}
    client.raw("POST", f"/api/fabric/resources/{made['id']}/phone_routes", json=route).raise_for_status()


def by_laml(client: Client, id: str, url: str) -> None:
    base = f"/api/laml/2010-04-01/Accounts/{client.auth.username}"  # type: ignore[str-bytes-safe]
    client.raw("POST", f"{base}/IncomingPhoneNumbers/{id}.json", data={"SmsUrl": url}).raise_for_status()


@pytest.mark.parametrize("configure", [laml_webhooks, laml_application, cxml_webhook, by_laml])
def test_a_number_that_signalwire_configured(
    client: Client, server: Server, receiver: Receiver, configure: Any, request: pytest.FixtureRequest
) -> None:
    number = f"+155597020{[laml_webhooks, laml_application, cxml_webhook, by_laml].index(configure):02}"
    id = number_id(client, number)
    configure(client, id, f"{receiver.url}/in")
    reply = f'<Response><Message statusCallback="{receiver.url}/state">Hi</Message></Response>'.encode()
    receiver.answer = lambda asked: Reply(200, reply if asked.path == "/in" else b"", (("Content-Type", "text/xml"),))
    sent = client.phone_sends("+15559700002", number, "Look", media=[PICTURE])
    told = receiver.wait(lambda asked: asked.path == "/in")[0]
    form = told.form
    assert (form["MessageSid"], form["SmsMessageSid"], form["AccountSid"]) == (sent, sent, server.project_id)
    picture = requests.get(form["MediaUrl0"], auth=(server.project_id, server.auth_token), timeout=30)
    assert picture.content.startswith(b"GIF89a")
    assert told.headers["x-signalwire-signature"]
    state = receiver.wait(lambda asked: asked.path == "/state")[0].form
    assert parse_uuid(state["MessageSid"])
    twilio = f"/2010-04-01/Accounts/{server.account_sid}/IncomingPhoneNumbers/{id}.json"
    client.raw("POST", twilio, data={"SmsUrl": f"{receiver.url}/twilio", "SmsApplicationSid": ""}).raise_for_status()
    sent = client.phone_sends("+15559700002", number, "Again")
    form = receiver.wait(lambda asked: asked.path == "/twilio")[0].form
    assert (form["MessageSid"], form["AccountSid"]) == (f"SM{sent.replace('-', '')}", server.account_sid)


@pytest.mark.parametrize("configure", [laml_webhooks, laml_application, cxml_webhook, by_laml])
def test_stop_is_the_apps_business_until_twilios_api_configures_the_number(
    client: Client, server: Server, receiver: Receiver, configure: Any
) -> None:
    number = f"+155597030{[laml_webhooks, laml_application, cxml_webhook, by_laml].index(configure):02}"
    phone, id = number.replace("97030", "97031"), number_id(client, number)
    configure(client, id, f"{receiver.url}/in")
    client.phone_sends(phone, number, "STOP")
    form = receiver.wait(lambda asked: asked.path == "/in")[0].form
    assert (form["Body"], "OptOutType" in form) == ("STOP", False)
    client.send(**{"from": number, "to": phone, "body": "You have been unsubscribed."})
    assert [arrived["body"] for arrived in client.inbox(phone)] == ["You have been unsubscribed."]
    twilio = f"/2010-04-01/Accounts/{server.account_sid}/IncomingPhoneNumbers/{id}.json"
    client.raw("POST", twilio, data={"SmsUrl": f"{receiver.url}/twilio", "SmsApplicationSid": ""}).raise_for_status()
    client.phone_sends(phone, number, "STOP")
    assert receiver.wait(lambda asked: asked.path == "/twilio")[0].form["OptOutType"] == "STOP"


def test_a_body_may_be_json(client: Client, server: Server, base: str) -> None:
    given = {"From": NUMBER, "To": "+15559700021", "Body": "a&b=ü", "StatusCallback": None, "ValidityPeriod": 60}
    for path in (base, base.removeprefix("/api/laml"), f"/api/laml/2010-04-01/Accounts/{server.account_sid}"):
        answer = client.raw("POST", f"{path}/Messages.json", json=given)
        assert (answer.status_code, answer.json()["body"]) == (201, "a&b=ü"), answer.text
    pictures = {**given, "MediaUrl": ["https://example.com/a.gif", "https://example.com/b.gif"]}
    assert client.raw("POST", f"{base}/Messages.json", json=pictures).json()["num_media"] == "2"
    assert client.raw("POST", f"{base}/Messages.json", json={**given, "Nonsense": 1}).status_code == 400
    twilio = f"/2010-04-01/Accounts/{server.account_sid}/Messages.json"
    as_twilio = (server.account_sid, server.auth_token)
    assert client.raw("POST", twilio, json=given, auth=as_twilio).status_code == 415, "Twilio takes forms alone"


def test_accounts_speak_as_the_project_does(client: Client, server: Server) -> None:
    accounts = "/api/laml/2010-04-01/Accounts.json"
    listed = client.raw("GET", accounts).json()
    assert listed["first_page_uri"].startswith(accounts)
    assert server.project_id in [each["sid"] for each in listed["accounts"]]
    made = client.raw("POST", accounts, json={"FriendlyName": "Below"}).json()
    assert parse_uuid(made["sid"])
    assert made["owner_account_sid"] == server.project_id
    assert made["uri"] == f"/api/laml/2010-04-01/Accounts/{made['sid']}.json"
    renamed = client.raw("POST", made["uri"], json={"FriendlyName": "Under"}).json()
    assert (renamed["sid"], renamed["friendly_name"]) == (made["sid"], "Under")
    as_twilio = client.raw("GET", "/2010-04-01/Accounts.json", auth=(server.account_sid, server.auth_token)).json()
    assert as_twilio["first_page_uri"].startswith("/2010-04-01")
    assert as_twilio["accounts"][0]["sid"].startswith("AC")
