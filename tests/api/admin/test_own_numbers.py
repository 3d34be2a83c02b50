"""A message from one number of the server to another: on its phone, and in as any message."""

import requests

from parley.core.carrier import Submission
from tests.api.admin.client import Client, phone
from tests.receiver import Received, Receiver, Reply

PICTURE = b"\x89PNG\r\n"


def number(client: Client, url: str) -> str:
    """A number whose messages an app gets at a URL."""
    made = phone()
    path = f"/2010-04-01/Accounts/{client.server.account_sid}/IncomingPhoneNumbers.json"
    answer = client.call("POST", path, data={"PhoneNumber": made, "SmsUrl": url})
    assert answer.status_code == 201, answer.text
    return made


def test_two_numbers_talk_to_each_other(client: Client, receiver: Receiver) -> None:
    def answer(asked: Received) -> Reply:
        says = "<Message>Pong</Message>" if asked.path == "/second" else ""
        return Reply(body=f"<Response>{says}</Response>".encode(), headers=(("Content-Type", "text/xml"),))

    receiver.answer = answer
    first, second = number(client, f"{receiver.url}/first"), number(client, f"{receiver.url}/second")
    sent = client.send(second, "Ping", first)
    [asked] = receiver.wait(lambda each: each.path == "/second")
    [answered] = receiver.wait(lambda each: each.path == "/first")
    assert (asked.form["From"], asked.form["To"], asked.form["Body"]) == (first, second, "Ping")
    assert (answered.form["From"], answered.form["To"], answered.form["Body"]) == (second, first, "Pong")
    assert asked.form["MessageSid"] != f"SM{sent.replace('-', '')}", "it is another message"
    assert client.in_state(sent, "delivered")["direction"] == "outbound-api"
    assert [item["body"] for item in client.at(second, wait=10)] == ["Ping"]
    assert len(receiver.requests) == 2


def test_media_come_in_too(client: Client, receiver: Receiver) -> None:
    receiver.answer = lambda asked: Reply(body=PICTURE, headers=(("Content-Type", "image/png"),))
    first, second = number(client, f"{receiver.url}/first"), number(client, f"{receiver.url}/second")
    client.send(second, "Look", first, MediaUrl=f"{receiver.url}/picture.png")
    [asked] = receiver.wait(lambda each: each.path == "/second")
    assert (asked.form["NumMedia"], asked.form["MediaContentType0"]) == ("1", "image/png")
    assert requests.get(asked.form["MediaUrl0"], auth=client.server.auth, timeout=30).content == PICTURE


def test_a_number_opts_out_of_another(client: Client, receiver: Receiver) -> None:
    first, second = number(client, f"{receiver.url}/first"), number(client, f"{receiver.url}/second")
    client.send(second, "STOP", first)
    [confirmed] = receiver.wait(lambda each: each.path == "/first")
    assert confirmed.form["From"] == second
    path = f"/2010-04-01/Accounts/{client.server.account_sid}/Messages.json"
    refused = client.call("POST", path, data={"To": first, "From": second, "Body": "Hello"})
    assert refused.json()["code"] == 21610


def test_what_a_node_submits_again_comes_in_once(client: Client, receiver: Receiver) -> None:
    """As after a crash between the phone's write and the answer."""
    first, second = number(client, f"{receiver.url}/first"), number(client, f"{receiver.url}/second")
    sent = client.send(second, "Once", first)
    receiver.wait(lambda each: each.path == "/second")
    account_id, answers = client.server.account_id, list[object]()
    again = Submission((account_id, bytes.fromhex(sent.replace("-", ""))), first, second, "Once", 1)
    client.server.run(client.server.app.carrier.submit([again], answers.extend))
    client.send(second, "Last", first)
    told = receiver.wait(lambda each: each.form["Body"] == "Last")
    assert len(answers) == len(told) == 1
    assert [each.form["Body"] for each in receiver.requests] == ["Once", "Last"]


def test_what_no_number_can_take_stays_on_its_phone(client: Client, receiver: Receiver) -> None:
    ours = number(client, f"{receiver.url}/ours")
    client.in_state(client.send(ours, "From a name", "ACME"), "delivered")
    client.send(ours, "From a number", phone())
    [asked] = receiver.wait(lambda each: each.path == "/ours")
    assert asked.form["Body"] == "From a number"
    assert {item["body"] for item in client.at(ours)} == {"From a name", "From a number"}
