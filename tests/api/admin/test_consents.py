"""Consents by Parley's own API: who wants nothing more from whom, who said so, and taking it elsewhere."""

import csv
import io
from typing import Any

import pytest
import requests

from tests.api.admin.client import OURS, Client, phone
from tests.api.twilio.client import client_of, refusal
from tests.server import Server

CONSENTS = "/admin/consents"
CSV = {"Content-Type": "text/csv; charset=utf-8"}
LINES = {"Content-Type": "application/x-ndjson"}
AT = "2024-05-06T07:08:09.000000Z"


def take(client: Client, body: str, headers: dict[str, str] = CSV) -> requests.Response:
    return client.call("POST", f"{CONSENTS}/import", data=body.encode(), headers=headers)


def standing(client: Client, **wanted: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = client.get(CONSENTS, **wanted)["consents"]
    return found


def fault(answer: requests.Response) -> tuple[int, str, str]:
    body = answer.json()
    return answer.status_code, body["code"], body["message"]


def test_what_a_phone_says_and_what_the_api_says_are_one_history(client: Client, server: Server) -> None:
    theirs = phone()
    sender = client_of(server).incoming_phone_numbers.create(phone_number="+14155550301").phone_number
    pair = f"{CONSENTS}/{sender}/{theirs}"
    assert client.get(pair) == {
        "sender": sender,
        "recipient": theirs,
        "opted_out": False,
        "opted_out_at": None,
        "history": [],
    }
    sent = client.call("POST", f"/simulator/phones/{theirs}/messages", json={"to": sender, "body": "Stop"})
    client.at(theirs, wait="20", contains="unsubscribed")
    stands = client.get(pair)
    [said] = stands["history"]
    assert stands["opted_out"]
    assert {**said, "at": None} == {
        "at": None,
        "change": "opt_out",
        "keyword": "STOP",
        "source": "inbound",
        "by": theirs,
        "message_id": sent.json()["message_id"],
    }
    assert stands["opted_out_at"] == said["at"]
    assert client.call("DELETE", pair).status_code == 204
    assert client.call("DELETE", pair).status_code == 404
    client.send(theirs, sender=sender)
    assert client.put(pair, {"keyword": "by phone"})["opted_out"]
    assert refusal(lambda: client_of(server).messages.create(to=theirs, from_=sender, body="x")) == (400, 21610)
    changes = [(each["change"], each["keyword"], each["source"], each["by"]) for each in client.get(pair)["history"]]
    assert changes == [
        ("opt_out", "BY PHONE", "api", server.account_sid),
        ("opt_in", None, "api", server.account_sid),
        ("opt_out", "STOP", "inbound", theirs),
    ]


def test_a_whole_service_may_be_the_sender(client: Client, server: Server) -> None:
    api, theirs = client_of(server), phone()
    service = api.messaging.v1.services.create(friendly_name="Consented")
    number = api.incoming_phone_numbers.create(phone_number="+14155550302")
    api.messaging.v1.services(service.sid).phone_numbers.create(phone_number_sid=number.sid)
    client.put(f"{CONSENTS}/{service.sid}/{theirs}", {})
    send = {"to": theirs, "body": "x"}
    taken = api.messages.create(messaging_service_sid=service.sid, **send)
    assert (taken.status, taken.fetch().status, taken.fetch().error_code) == ("accepted", "failed", 21610)
    assert refusal(lambda: api.messages.create(from_=number.phone_number, **send)) == (400, 21610)
    assert [each["recipient"] for each in standing(client, sender=service.sid)] == [theirs]


def test_pages_and_filters(client: Client) -> None:
    senders, theirs = ("+15550001101", "+15550001102", "ACME"), sorted(phone() for _ in range(3))
    for sender in senders:
        for recipient in theirs:
            client.put(f"{CONSENTS}/{sender}/{recipient}", {})
    for sender in senders:
        walked: list[str] = []
        token: str | None = ""
        while token is not None:
            page = client.get(CONSENTS, sender=sender, limit="2", page_token=token)
            walked += [each["recipient"] for each in page["consents"]]
            token = page["next_page_token"]
        assert walked == theirs
    assert sorted(each["sender"] for each in standing(client, recipient=theirs[0])) == sorted(senders)
    [one] = standing(client, sender="ACME", recipient=theirs[1])
    assert (one["keyword"], one["source"]) == (None, "api")
    for query in ("?page_token=nonsense", "?page_token=AAo", "?sender=%23", "?limit=0", "?unknown=1"):
        assert fault(client.call("GET", CONSENTS + query))[:2] == (400, "invalid_parameter")


def test_an_export_is_an_import(client: Client) -> None:
    theirs = [phone() for _ in range(3)]
    given = [
        ("+15550001201", theirs[0], "STOP", AT),
        ("+15550001201", theirs[1], "", AT),
        ("whatsapp:+15550001201", f"whatsapp:{theirs[2]}", "", AT),
    ]
    lines = io.StringIO()
    csv.writer(lines).writerows([("sender", "recipient", "keyword", "opted_out_at"), *given])
    answer = take(client, "\ufeff" + lines.getvalue())
    assert (answer.status_code, answer.json()) == (200, {"imported": 3})
    exported = client.call("GET", f"{CONSENTS}/export", params={"sender": "+15550001201"})
    assert exported.headers["Content-Type"].startswith("text/csv")
    header, *rows = csv.reader(io.StringIO(exported.text))
    assert header == ["sender", "recipient", "keyword", "opted_out_at"]
    assert [tuple(row) for row in rows] == given[:2]
    assert take(client, exported.text).json() == {"imported": 2}
    [said, _] = client.get(f"{CONSENTS}/+15550001201/{theirs[0]}")["history"]
    assert (said["at"], said["keyword"], said["source"]) == (AT, "STOP", "import")


def test_an_export_goes_on_beyond_one_page(client: Client) -> None:
    rows = [f"+15550001301,+1555777{n:04}" for n in range(2500)]
    assert take(client, "\n".join(["sender,recipient", *rows])).json() == {"imported": 2500}
    exported = client.call("GET", f"{CONSENTS}/export?sender=%2B15550001301").text.splitlines()
    assert [line.split(",")[:2] for line in exported[1:]] == [row.split(",") for row in rows]


def test_json_lines(client: Client) -> None:
    theirs = [phone(), phone()]
    body = f'{{"sender":"{OURS}","recipient":"{theirs[0]}"}}\n\n{{"recipient":"{theirs[1]}","sender":"MG{"a" * 32}"}}\n'
    assert take(client, body, LINES).json() == {"imported": 2}
    assert [each["sender"] for each in standing(client, recipient=theirs[1])] == [f"MG{'a' * 32}"]


@pytest.mark.parametrize(
    ("body", "headers", "message"),
    [
        ("sender,recipient\n{ours},{phone}\n{ours},nobody\n{ours}\nnobody,{phone}", CSV, "Line 3: recipient is not"),
        ("sender,recipient\n{ours},{phone}\n{ours},{phone},STOP", CSV, "Line 3: there must be 2 values"),
        ("sender,recipient,opted_out_at\n{ours},{phone},yesterday", CSV, "Line 2: opted_out_at must be a time"),
        ("sender,recipient,keyword\n{ours},{phone}," + "x" * 41, CSV, "Line 2: keyword has more than 40"),
        ("sender,phone\n{ours},{phone}", CSV, "Line 1 must name the columns"),
        ('sender,recipient\n{ours},"{phone}', CSV, "Line 2"),
        ("", CSV, "Line 1 must name the columns"),
        (
            '{{"sender":"{ours}","recipient":"{phone}"}}\n[]\n{{',
            LINES,
            "Line 2: The request body must be a JSON object",
        ),
        ('{{"sender":"{ours}","recipient":"{phone}","who":"me"}}', LINES, "Line 1: who is not known"),
        ('{{"sender":"{ours}","recipient":1}}', LINES, "Line 1: all values are texts"),
        ('{{"sender":"{ours}","recipient":"{phone}","keyword":0}}', LINES, "Line 1: all values are texts"),
    ],
)
def test_one_wrong_line_takes_in_none(client: Client, body: str, headers: dict[str, str], message: str) -> None:
    theirs = phone()
    status, code, told = fault(take(client, body.format(ours=OURS, phone=theirs), headers))
    assert (status, code) == (400, "invalid_parameter")
    assert told.startswith(message)
    assert standing(client, recipient=theirs) == []


def test_all_wrong_lines_are_named_up_to_ten(client: Client) -> None:
    told = fault(take(client, "sender,recipient\n" + "x,y\n" * 13))[2]
    assert told.startswith("Line 2: ")
    assert "Line 11: " in told
    assert told.endswith("and 3 more")


def test_an_import_is_bounded(client: Client) -> None:
    assert fault(take(client, "sender,recipient\n" + "1234567,7654321\n" * 10_001))[1:] == (
        "invalid_parameter",
        "An import has no more than 10000 lines",
    )
    assert take(client, "x" * (2 * 1024 * 1024 + 1)).status_code == 413
    assert take(client, "x", {"Content-Type": "application/json"}).status_code == 415


def test_consents_are_an_accounts_own(client: Client, server: Server) -> None:
    theirs = phone()
    client.put(f"{CONSENTS}/{OURS}/{theirs}", {})
    other = server.run(server.app.accounts.add("Other"))
    stranger = Client(server, (f"AC{other.id.hex()}", other.auth_token.reveal()))
    assert standing(stranger) == []
    assert not stranger.get(f"{CONSENTS}/{OURS}/{theirs}")["opted_out"]
    assert stranger.call("DELETE", f"{CONSENTS}/{OURS}/{theirs}").status_code == 404
    assert stranger.call("GET", f"{CONSENTS}/export").text.splitlines() == ["sender,recipient,keyword,opted_out_at"]
    assert requests.get(f"{server.base_url}{CONSENTS}", timeout=10).status_code == 401


WORDS = [
    {"type": "STOP", "keywords": ["stop ", "Alto"], "reply": "Adios.", "language": "es", "country": ""},
    {"type": "HELP", "keywords": ["Ayuda"], "reply": "", "language": "es-MX", "country": "mx"},
]


def test_a_services_keywords(client: Client, server: Server) -> None:
    api = client_of(server)
    service = api.messaging.v1.services.create(friendly_name="Palabras", inbound_request_url="http://127.0.0.1:9/")
    path = f"/admin/services/{service.sid}/keywords"
    assert client.get(path) == {"keywords": []}
    kept = [
        {"type": "STOP", "keywords": ["STOP", "ALTO"], "reply": "Adios.", "language": "es", "country": ""},
        {"type": "HELP", "keywords": ["AYUDA"], "reply": "", "language": "es-MX", "country": "MX"},
    ]
    assert client.put(path, {"keywords": WORDS}) == {"keywords": kept}
    assert client.get(path) == {"keywords": kept}
    number = api.incoming_phone_numbers.create(phone_number="+14155550303")
    api.messaging.v1.services(service.sid).phone_numbers.create(phone_number_sid=number.sid)
    theirs = phone()
    client.call("POST", f"/simulator/phones/{theirs}/messages", json={"to": number.phone_number, "body": "alto"})
    [reply] = client.at(theirs, wait="20")
    assert (reply["from"], reply["body"]) == (number.phone_number, "Adios.")
    assert [each["keyword"] for each in standing(client, sender=service.sid)] == ["ALTO"]
    assert client.put(path, {"keywords": []}) == {"keywords": []}


@pytest.mark.parametrize(
    "word",
    [
        {"type": "HELP", "keywords": ["HELP"]},  # and no way out
        {"type": "STOP", "keywords": ["STOP"], "country": "MX"},
        {"type": "STOP", "keywords": []},
        {"type": "STOP", "keywords": [" "]},
        {"type": "STOP", "keywords": ["x" * 41]},
        {"type": "STOP", "keywords": ["STOP"], "country": "Mexico"},
        {"type": "STOP", "keywords": ["STOP"], "language": "?"},
        {"type": "STOP", "keywords": ["STOP"], "reply": "x" * 1601},
        {"type": "LATER", "keywords": ["STOP"]},
        {"type": "STOP", "keywords": ["STOP"], "unknown": "x"},
    ],
)
def test_wrong_keywords_are_refused(client: Client, server: Server, word: dict[str, Any]) -> None:
    service = client_of(server).messaging.v1.services.create(friendly_name="Wrong")
    path = f"/admin/services/{service.sid}/keywords"
    assert fault(client.call("PUT", path, json={"keywords": [word]}))[:2] == (400, "invalid_parameter")
    assert client.get(path) == {"keywords": []}


def test_a_word_means_one_thing(client: Client, server: Server) -> None:
    service = client_of(server).messaging.v1.services.create(friendly_name="Twice")
    path = f"/admin/services/{service.sid}/keywords"
    two = [{"type": "STOP", "keywords": ["STOP"]}, {"type": "HELP", "keywords": ["stop"]}]
    assert client.call("PUT", path, json={"keywords": two}).status_code == 400
    for nobodys in (f"MG{'1' * 32}", "nonsense"):
        assert client.call("GET", f"/admin/services/{nobodys}/keywords").status_code == 404
        assert client.call("PUT", f"/admin/services/{nobodys}/keywords", json={"keywords": []}).status_code == 404
