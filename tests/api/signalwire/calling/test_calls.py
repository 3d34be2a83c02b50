"""Simulated calls as their APIs show them: each method, what goes out, what the transcript keeps, what is refused."""

import hashlib
import hmac
import json
from typing import Any

import pytest

from parley.lib.ids import to_uuid
from tests.api.signalwire.client import Client
from tests.receiver import Receiver, Reply
from tests.server import Server, serve

NUMBER, PHONE = "+15557400001", "+15557490001"
GUIDE = """
version: 1.0.0
sections:
  main:
    - answer: {}
    - say:
        text: "Sending you a confirmation SMS"
    - send_sms:
        to_number: "%{call.from}"
        from_number: "%{call.to}"
        body: "Thank you for calling! Your reference number is 12345"
    - say:
        text: "Message sent. Have a great day!"
    - hangup: {}
"""


def main(*steps: Any, **sections: Any) -> dict[str, Any]:
    return {"version": "1.0.0", "sections": {"main": list(steps), **sections}}


def play(text: str) -> dict[str, Any]:
    return {"play": {"url": f"say:{text}"}}


def nested(levels: int, step: dict[str, Any]) -> dict[str, Any]:
    """A step inside so many branches."""
    for _ in range(levels):
        step = {"cond": [{"when": "true", "then": [step]}]}
    return step


def ring(client: Client, expect: int = 201, phone: str = PHONE, **given: Any) -> Any:
    answer = client.raw("POST", f"/simulator/phones/{phone}/calls", json={"to": NUMBER, **given})
    assert answer.status_code == expect, answer.text
    return answer.json()


def over(client: Client, id: str) -> Any:
    """A call, once it is over."""
    return client.raw("GET", f"/simulator/calls/{id}", params={"wait": "60"}).json()


def heard(call: dict[str, Any]) -> list[str]:
    """The texts that were said in a call."""
    return [url.removeprefix("say:") for entry in call["transcript"] for url in entry.get("urls", ())]


def test_the_guides_call_sends_a_text(client: Client) -> None:
    """The seed's document, as it stands there."""
    phone = "+15557490002"
    call = ring(client, phone=phone, swml=GUIDE)
    (arrived,) = client.inbox(phone)
    body = "Thank you for calling! Your reference number is 12345"
    assert (arrived["from"], arrived["body"]) == (NUMBER, body)
    assert call["transcript"] == [
        {"method": "answer"},
        {"method": "say", "text": "Sending you a confirmation SMS"},
        {
            "method": "send_sms",
            "to": phone,
            "from": NUMBER,
            "body": body,
            "result": "success",
            "message_id": arrived["message_id"],
            "reason": None,
        },
        {"method": "say", "text": "Message sent. Have a great day!"},
        {"method": "hangup", "reason": "hangup"},
    ]
    assert (call["direction"], call["from"], call["to"], call["status"]) == ("inbound", phone, NUMBER, "completed")
    assert client.ask("GET", f"/api/messaging/logs/{arrived['message_id']}", 200)["direction"] == "outbound-call"
    assert client.ask("GET", f"/api/messaging/messages/{arrived['message_id']}", 200)["direction"] == "outbound"
    assert client.raw("GET", f"/simulator/calls/{call['call_id']}").json() == call


@pytest.mark.parametrize("sender", ["nope", "ACME", "123", f"whatsapp:{NUMBER}"])
def test_a_text_is_sent_from_what_the_messaging_api_sends_from(client: Client, sender: str) -> None:
    texts = [{"to_number": to, "from_number": sender, "body": "x"} for to in (PHONE, f"whatsapp:{PHONE}")]
    steps = [{"send_sms": texts[0]}, play("%{send_sms_result}"), {"send_sms": texts[1]}, play("%{send_sms_result}")]
    call = ring(client, swml=main(*steps))
    assert heard(call) == ["failed", "failed"]
    assert [entry["reason"] for entry in call["transcript"] if entry["method"] == "send_sms"] == ["sender_invalid"] * 2


def test_a_dialled_call(client: Client) -> None:
    phone = "+15557490003"
    params = {
        "from": NUMBER,
        "to": phone,
        "swml": json.dumps(main({"send_sms": {"to_number": "${call.to}", "from_number": "${call.from}", "body": "x"}})),
    }
    call = client.ask("POST", "/api/calling/calls", 200, json={"command": "dial", "params": params})
    shown = {name: call[name] for name in ("from", "to", "direction", "status", "duration", "type", "charge", "url")}
    assert shown == {
        "from": NUMBER,
        "to": phone,
        "direction": "outbound-api",
        "status": "queued",
        "duration": None,
        "type": "relay_pstn_call",
        "charge": 0,
        "url": None,
    }
    assert client.inbox(phone)[0]["body"] == "x"
    kept = over(client, call["id"])
    assert [entry["method"] for entry in kept["transcript"]] == ["send_sms"]
    assert kept["status"] == "completed"


SAYS: list[tuple[str, dict[str, Any], str, list[str]]] = [
    ("both braces", main({"set": {"a": "x"}}, play("%{vars.a}${a}%{call.direction}")), "", ["xxinbound"]),
    (
        "several sounds",
        main({"play": {"urls": ["say:a", "silence:1", "https://a.example/x.mp3"]}}),
        "",
        ["a", "silence:1", "https://a.example/x.mp3"],
    ),
    ("play as a text", main({"play": "say:a"}), "", ["a"]),
    (
        "set keeps types",
        main({"set": {"n": 5, "m": "${n}"}}, {"cond": [{"when": "m === 5", "then": [play("five")]}]}),
        "",
        ["five"],
    ),
    ("set adds up", main({"set": {"n": 1}}, {"set": {"n": "${n + 1}"}}, play("${n}")), "", ["2"]),
    (
        "cond",
        main(
            {"cond": [{"when": "call.type.toLowerCase() == 'sip'", "then": [play("sip")]}, {"else": [play("phone")]}]}
        ),
        "",
        ["phone"],
    ),
    (
        "cond takes the first",
        main({"cond": [{"when": "true", "then": [play("a")]}, {"when": "true", "then": [play("b")]}]}),
        "",
        ["a"],
    ),
    (
        "cond with braces",
        main({"set": {"a": "b"}}, {"cond": [{"when": "${a} == 'b'", "then": [play("y")], "else": [play("n")]}]}),
        "",
        ["y"],
    ),
    ("cond and nothing", main({"cond": [{"when": "vars.x", "then": [play("y")]}]}, play("after")), "", ["after"]),
    (
        "switch",
        main({"switch": {"variable": "call.type", "case": {"sip": [play("s")], "phone": [play("p")]}}}),
        "",
        ["p"],
    ),
    ("switch without a match", main({"switch": {"variable": "call.type", "case": {}}}, play("after")), "", ["after"]),
    (
        "goto",
        main(
            {"set": {"n": 0}},
            {"label": "again"},
            {"set": {"n": "${n+1}"}},
            {"cond": [{"when": "n < 3", "then": [{"goto": "again"}]}]},
            play("${n}"),
        ),
        "",
        ["3"],
    ),
    (
        "goto while a condition holds",
        main(
            {"set": {"n": 0}},
            {"label": "again"},
            {"set": {"n": "${n+1}"}},
            {"goto": {"label": "again", "when": "n < 3"}},
            {"goto": {"label": "again", "when": "n < 9", "max": 4}},
            play("${n}"),
        ),
        "",
        ["5"],
    ),
    (
        "execute and return",
        main(
            {"execute": {"dest": "f", "params": {"x": "${call.to}"}}},
            play("${return_value}"),
            f=[{"return": "${params.x}"}],
        ),
        "",
        [NUMBER],
    ),
    (
        "execute with a result",
        main(
            {"execute": {"dest": "f", "result": {"case": {"ok": [play("fine")]}, "default": [play("not")]}}},
            f=[{"return": "ok"}],
        ),
        "",
        ["fine"],
    ),
    (
        "execute with on_return",
        main({"execute": {"dest": "f", "on_return": [play("back")], "meta": {"a": 1}}}, f=[play("there")]),
        "",
        ["there", "back"],
    ),
    ("execute a document", main({"execute": json.dumps(main(play("inner")))}, play("outer")), "", ["inner", "outer"]),
    (
        "transfer to a section",
        main({"transfer": {"dest": "f", "params": {"x": 1}}}, play("never"), f=[play("${params.x}")]),
        "",
        ["1"],
    ),
    ("transfer to a document", main({"transfer": json.dumps(main(play("other")))}, play("never")), "", ["other"]),
    ("hangup ends it", main({"execute": "f"}, play("never"), f=[{"hangup": {"reason": "busy"}}]), "", []),
    (
        "one key",
        main({"prompt": {"play": "say:?"}}, play("${prompt_result} ${prompt_value}")),
        "12",
        ["?", "match_digits 1"],
    ),
    (
        "many keys",
        main({"prompt": {"play": ["say:?"], "max_digits": 4}}, play("${prompt_value}")),
        "123456",
        ["?", "1234"],
    ),
    (
        "a terminator",
        main(
            {"prompt": {"play": "say:?", "max_digits": 9, "terminators": "#*"}},
            play("${prompt_value}${prompt_digit_terminator}"),
        ),
        "12#",
        ["?", "12#"],
    ),
    ("no key", main({"prompt": {"play": "say:?"}}, play("${prompt_result}[${prompt_value}]")), "", ["?", "no_input[]"]),
    (
        "a pause",
        main({"prompt": {"play": "say:1"}}, {"prompt": {"play": "say:2"}}, play("${prompt_value}")),
        "w7",
        ["1", "2", "7"],
    ),
    ("an index that is none", main({"set": {"x": [1]}}, play("[${x['²']}]")), "", ["[]"]),
    (
        "a request forgets the variables of the one before",
        main(
            {"set": {"request_kind": "mine", "request_response": "old"}},
            {"request": {"url": "http://127.0.0.1:9/"}},
            play("${request_result} ${request_kind}[${request_response}]"),
        ),
        "",
        ["failed mine[]"],
    ),
    (
        "a text whose parameters are not set",
        main(
            {
                "send_sms": {
                    "to_number": "${call.from}",
                    "body": "x",
                    **dict.fromkeys(("from_number", "status_callback"), "${vars.x}"),
                    "media": ["${vars.x}"],
                }
            },
            play("${send_sms_result}"),
        ),
        "",
        ["success"],
    ),
    ("an unset variable", main(play("[${vars.nothing}${envs.x}]")), "", ["[]"]),
    (
        "a text that is refused",
        main({"send_sms": {"to_number": "nobody", "from_number": NUMBER, "body": "x"}}, play("${send_sms_result}")),
        "",
        ["failed"],
    ),
    (
        "a text that goes",
        main(
            {"send_sms": {"to_number": "${call.from}", "body": "x", "tags": ["a"], "region": "us"}},
            play("${send_sms_result}"),
        ),
        "",
        ["success"],
    ),
]


@pytest.mark.parametrize(("swml", "digits", "said"), [row[1:] for row in SAYS], ids=[row[0] for row in SAYS])
def test_says(client: Client, swml: dict[str, Any], digits: str, said: list[str]) -> None:
    call = ring(client, swml=swml, digits=digits)
    assert (heard(call), call["status"]) == (said, "completed")


def answers(documents: dict[str, Any]) -> Any:
    """Documents by path; 404 elsewhere."""

    def answer(request: Any) -> Reply:
        found = documents.get(request.path)
        return (
            Reply(404)
            if found is None
            else Reply(200, found if isinstance(found, bytes) else json.dumps(found).encode())
        )

    return answer


def test_documents_and_requests_of_the_app(client: Client, receiver: Receiver) -> None:
    url = receiver.url
    result = {
        "result": {"variable": "request_response.ok", "case": {"true": [play("looked up ${request_response.name}")]}}
    }
    receiver.answer = answers(
        {
            "/first": main(
                {
                    "request": {
                        "url": f"{url}/look",
                        "method": "POST",
                        "body": {"who": "${call.from}"},
                        "save_variables": True,
                        "connect_timeout": 2,
                        **result,
                    }
                },
                {"execute": {"dest": f"{url}/sub", "params": {"a": 1}}},
                {"transfer": f"{url}/last"},
            ),
            "/look": {"ok": True, "name": "Ada"},
            "/sub": b"sections: {main: [{play: 'say:sub ${params.a}'}, {return: 7}]}",
            "/last": main(play("${return_value} ${request_result} ${request_response_code}")),
        }
    )
    call = ring(client, url=f"{url.replace('//', '//user:secret@')}/first?a=b")
    assert heard(call) == ["looked up Ada", "sub 1", "7 success 200"]
    first, look, sub, last = receiver.requests
    assert first.json["call"]["from"] == PHONE
    assert (first.json["vars"], first.json["params"], first.json["envs"]) == ({}, {}, {})
    assert (look.json, sub.json["params"], last.json["vars"]["return_value"]) == ({"who": PHONE}, {"a": 1}, 7)
    key = client.raw("GET", "/admin/account").json()["signing_key"].encode()
    for request in receiver.requests:  # the URL without the userinfo
        signed = request.url.encode() + request.body
        assert request.headers["x-signalwire-signature"] == hmac.new(key, signed, hashlib.sha1).hexdigest()
        assert request.headers["x-signalwire-sha256-signature"] == hmac.new(key, signed, hashlib.sha256).hexdigest()
    asked = [entry for entry in call["transcript"] if entry["method"] == "request"]
    assert [entry["http_status"] for entry in asked] == [200] * 4
    assert "secret" not in json.dumps(asked)


def test_variables_are_set_beside_a_long_answer(client: Client, receiver: Receiver) -> None:
    receiver.answer = lambda request: Reply(200, json.dumps({"text": "x" * 60_000}).encode())
    asked = {"request": {"url": receiver.url, "save_variables": True}}
    assert heard(ring(client, swml=main(asked, {"set": {"a": 1}}, play("${a}")))) == ["1"]
    many = {f"v{n}": "${request_response.text}" for n in range(9)}
    assert ring(client, swml=main(asked, {"set": many}))["status"] == "failed"


def test_the_fallback_url(client: Client, receiver: Receiver) -> None:
    receiver.answer = answers({"/fallback": main(play("fallback"))})
    params = {"from": NUMBER, "to": PHONE, "url": f"{receiver.url}/gone", "fallback_url": f"{receiver.url}/fallback"}
    id = client.ask("POST", "/api/calling/calls", 200, json={"command": "dial", "params": params})["id"]
    call = over(client, id)
    assert (heard(call), call["status"]) == (["fallback"], "completed")


def test_a_number_answers_by_its_own_script(client: Client, receiver: Receiver) -> None:
    number = "+15557400002"
    client.send(**{"from": number, "to": "+15557300001"})
    (found,) = client.ask("GET", "/api/relay/rest/phone_numbers", 200, params={"filter_number": number})["data"]
    setting = {"call_handler": "relay_script", "call_relay_script_url": f"{receiver.url}/own"}
    receiver.answer = answers({"/own": main(play("own"))})
    assert ring(client, 400, to=number)["message"].startswith("swml_missing_entry_point")
    client.ask("PUT", f"/api/relay/rest/phone_numbers/{found['id']}", 200, json=setting)
    assert heard(ring(client, to=number)) == ["own"]


_SUM = "+".join("x" * 99)
FAILS: list[tuple[str, dict[str, Any]]] = [
    ("swml_section_not_found", main(play("a"), {"execute": "nowhere"})),
    ("swml_goto_label_not_found", main(play("a"), {"goto": "nowhere"})),
    ("swml_section_not_found", main(play("a"), {"transfer": "nowhere"})),
    ("swml_transfer_failed", main(play("a"), {"transfer": {"dest": "${nothing}"}})),
    ("swml_transfer_fetch_failed", main(play("a"), {"transfer": "http://169.254.169.254/"})),
    ("swml_invalid_document", main(play("a"), {"set": {"x": "ftp:"}}, {"play": "${x}"})),
    ("swml_invalid_document", main(play("a"), {"set": {"x": "${1 ==}"}})),
    ("swml_invalid_document", main(play("a"), {"execute": "main"})),
    ("swml_invalid_document", main(play("a"), nested(9, {"execute": "main"}))),
    ("swml_invalid_document", main(play("a"), *[{"label": "x"}] * 501)),
    ("swml_invalid_document", main(play("a"), {"set": {"x": "y" * 30_000}}, *[{"say": "${x}"}] * 9)),
    ("swml_invalid_document", main(play("a"), {"set": {"x": "y"}}, *[{"set": {"x": "${x}${x}"}}] * 20)),
    # What would keep the event loop from all else: large values looked at, joined and copied over and over.
    ("swml_invalid_document", main(play("a"), {"set": {"x": [1] * 9000}}, *[{"set": {"y": "${x}"}}] * 400)),
    ("swml_invalid_document", main(play("a"), {"set": {"x": "y" * 9000}}, {"cond": [{"when": _SUM, "then": []}]})),
    ("swml_invalid_document", main(play("a"), {"set": {"x": "y" * 9000}}, {"set": {"z": ["-${x}"] * 5000}})),
]


@pytest.mark.parametrize(("word", "swml"), FAILS)
def test_a_call_that_cannot_go_on_says_why(client: Client, word: str, swml: dict[str, Any]) -> None:
    call = ring(client, swml=swml)
    last = call["transcript"][-1]
    assert (call["status"], last["method"], last["code"]) == ("failed", "error", word)
    assert heard(call)[0] == "a"


def test_a_document_that_cannot_be_fetched(client: Client) -> None:
    call = ring(client, url="http://169.254.169.254/swml")
    assert (call["status"], call["transcript"][-1]["code"]) == ("failed", "http_retrieval_error")


REFUSED: list[tuple[str, Any]] = [
    ("swml_unsupported_method: connect is not", main({"connect": {"to": "+1"}})),
    ("swml_unsupported_method: ai is not", main(other=[{"ai": {}}])),
    ("swml_unsupported_method: reply is not", main({"cond": [{"when": "true", "then": [{"reply": "x"}]}]})),
    ("swml_missing_entry_point", {"version": "1.0.0"}),
    ("swml_missing_entry_point", {"sections": {"other": []}}),
    ("swml_invalid_section_format", {"sections": {"main": {}}}),
    ("swml_invalid_document: it is not valid YAML", "sections: ["),
    ("swml_invalid_document: play needs", main({"play": {}})),
    ("swml_invalid_document: beep:", main({"play": "beep:"})),
    ("swml_invalid_document: status_url is not", main({"play": {"url": "say:a", "status_url": "https://a.example"}})),
    ("swml_invalid_document: speech_timeout is not", main({"prompt": {"play": "say:a", "speech_timeout": 5}})),
    ("swml_invalid_document: prompt needs", main({"prompt": {}})),
    ("swml_invalid_document: say needs", main({"say": {}})),
    ("swml_invalid_document: set is not", main({"set": []})),
    ("swml_invalid_document: cond is not", main({"cond": {}})),
    ("swml_invalid_document: a condition has", main({"cond": [{}]})),
    ("swml_invalid_document: the expression", main({"cond": [{"when": "x = 1", "then": []}]})),
    ("swml_invalid_document: send_sms needs to_number", main({"send_sms": {"body": "x"}})),
    ("swml_invalid_document: send_sms needs body", main({"send_sms": {"to_number": "+15550001111"}})),
    ("swml_request_url_required", main({"request": {"method": "GET"}})),
    ("swml_invalid_document: it is longer", main(*[{"say": "x" * 1000}] * 66)),
]


@pytest.mark.parametrize(("words", "swml"), REFUSED)
def test_documents_are_refused_before_anything_is_done(client: Client, words: str, swml: Any) -> None:
    assert ring(client, 400, swml=swml)["message"].startswith(words)
    params = {"from": NUMBER, "to": PHONE, "swml": swml if isinstance(swml, str) else json.dumps(swml)}
    for given in (params, {**params, "swml": swml}):
        codes = client.codes("POST", "/api/calling/calls", json={"command": "dial", "params": given})
        assert codes == [(words.partition(":")[0], "swml")]


GOOD = {"from": NUMBER, "to": PHONE, "swml": json.dumps(main())}
COMMANDS: list[tuple[dict[str, Any], str, str]] = [
    ({"params": GOOD}, "missing_required_parameter", "command"),
    ({"command": "calling.end", "params": {}}, "feature_not_available", "command"),
    ({"command": "update", "params": {}}, "feature_not_available", "command"),
    ({"command": "dial"}, "must_be_object", "params"),
    ({"command": "dial", "params": GOOD, "x": 1}, "invalid_parameter", "x"),
    ({"command": "dial", "params": {**GOOD, "x": 1}}, "invalid_parameter", "x"),
    ({"command": "dial", "params": {**GOOD, "caller_id": "+1555"}}, "feature_not_available", "caller_id"),
    ({"command": "dial", "params": {**GOOD, "from": None}}, "missing_required_parameter", "from"),
    ({"command": "dial", "params": {**GOOD, "from": ""}}, "missing_required_parameter", "from"),
    ({"command": "dial", "params": {**GOOD, "from": "ACME"}}, "invalid_from_number", "from"),
    ({"command": "dial", "params": {**GOOD, "from": "sip:a@b.example"}}, "feature_not_available", "from"),
    ({"command": "dial", "params": {**GOOD, "to": "nobody"}}, "invalid_to_number", "to"),
    ({"command": "dial", "params": {**GOOD, "to": 5}}, "not_a_string", "to"),
    ({"command": "dial", "params": {**GOOD, "swml": None}}, "missing_required_parameter", "url"),
    ({"command": "dial", "params": {**GOOD, "url": "https://a.example/x"}}, "incompatible_parameters", "url"),
    ({"command": "dial", "params": {**GOOD, "swml": None, "url": "ftp://a.example"}}, "not_an_http_url", "url"),
    ({"command": "dial", "params": {**GOOD, "swml": None, "url": "http://10.0.0.1/x"}}, "url_is_unsafe", "url"),
]


@pytest.mark.parametrize(("given", "code", "attribute"), COMMANDS)
def test_commands_that_are_refused(client: Client, given: dict[str, Any], code: str, attribute: str) -> None:
    assert client.codes("POST", "/api/calling/calls", json=given) == [(code, attribute)]


def test_a_token_needs_the_calling_permission(client: Client) -> None:
    statuses = {}
    for permission in ("calling", "messaging"):
        given = {"name": permission, "permissions": [permission]}
        token = client.ask("POST", "/api/project/tokens", 200, json=given)["token"]
        auth = (str(client.auth.username), token)
        answer = client.raw("POST", "/api/calling/calls", json={"command": "dial", "params": GOOD}, auth=auth)
        statuses[permission] = answer.status_code
    assert statuses == {"calling": 200, "messaging": 403}


def test_what_the_simulator_refuses(client: Client) -> None:
    assert ring(client, 400, swml=GUIDE, url="https://a.example")["message"] == "swml and url exclude each other"
    assert "digits" in ring(client, 400, swml=GUIDE, digits="1 2")["message"]
    assert ring(client, 400, to="ACME", swml=GUIDE)["code"] == "sender_invalid"
    for id in ("x", "0190b1c2-0000-7000-8000-000000000001"):
        assert client.raw("GET", f"/simulator/calls/{id}").status_code == 404


def test_a_call_is_its_accounts(client: Client, server: Server) -> None:
    path = f"/simulator/calls/{ring(client, swml=GUIDE)['call_id']}"
    other = server.run(server.app.accounts.add("Another"))
    theirs = (to_uuid(other.id), other.auth_token.reveal())
    for auth, status in ((("nobody", "x"), 401), (theirs, 404), (client.auth, 200)):
        assert client.raw("GET", path, auth=auth).status_code == status
    calls = f"/simulator/phones/{PHONE}/calls"
    assert client.raw("GET", calls, auth=theirs).json()["calls"] == []


def test_on_postgresql(postgres_url: str, receiver: Receiver) -> None:
    """With a character that PostgreSQL does not take, which an answer put there."""
    receiver.answer = lambda request: Reply(200, b'{"name":"A\\u0000da"}')
    asked = {"request": {"url": receiver.url, "save_variables": True}}
    text = {"send_sms": {"to_number": "${call.from}", "body": "Hello ${request_response.name}"}}
    with serve(postgres_url) as server:
        client = Client(server)
        call = ring(client, swml=main(asked, text, {"say": "${request_response.name}"}))
        assert client.raw("GET", f"/simulator/calls/{call['call_id']}").json() == call
        assert client.inbox(PHONE)[0]["body"] == "Hello A\N{REPLACEMENT CHARACTER}da"
