"""Messaging documents, method by method: what each asks for, what it leaves in variables, where it stops and why."""

import json
from typing import Any

import pytest
from msgspec import json as msgspec_json

from parley.api.signalwire.failures import SWML_NUMBERS
from parley.api.signalwire.swml.fault import Faulty
from parley.lib.ids import to_uuid
from parley.webhooks.render import Outcome, Say, Verb
from parley.webhooks.sign import signalwire_json
from tests.api.signalwire.swml.outside import LATE, LOST, MESSAGE, Done, answered, main
from tests.api.signalwire.values import ACCOUNT, OUTBOUND

URL = "https://api.example/x?a=1"


def switch(variable: str, case: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"switch": {"variable": variable, "case": case, **more}}


SAYS: list[tuple[str, Any, list[str]]] = [
    ("a text", {"reply": "Hi"}, ["Hi"]),
    ("receive does nothing", {"receive": {}}, []),
    ("a bare method", main("receive", {"reply": "a"}), ["a"]),
    ("one after another", main({"reply": "a"}, {"reply": {"body": "b"}}), ["a", "b"]),
    ("variables", {"reply": "%{message.from} said %{ message.body }."}, ["+15550001111 said  Yes ."]),
    ("a path with an index", {"reply": "%{message.media[0].url}"}, ["https://media.example/0"]),
    ("an unset variable is empty", {"reply": "[%{vars.x}%{nothing.at.all}%{message.media[7].url}]"}, ["[]"]),
    (
        "numbers and objects",
        {"reply": "%{message.segments} %{message.media[0]}"},
        [f"1 {msgspec_json.encode(MESSAGE['media'][0]).decode()}"],
    ),
    ("calls' variables are text here", {"reply": "${message.from}"}, ["${message.from}"]),
    ("what a variable holds is not read again", {"reply": "%{params.x}"}, [""]),
    (
        "reply_result",
        main({"reply": "a"}, {"reply": "%{reply_result} %{reply_message_id}"}),
        ["a", f"queued {to_uuid(OUTBOUND.id)}"],
    ),
    ("switch", main(switch("message.type", {"sms": [{"reply": "s"}], "mms": [{"reply": "m"}]})), ["m"]),
    ("switch on a text", main(switch("%{message.type}!", {"mms!": [{"reply": "m"}]})), ["m"]),
    ("switch is exact", main(switch("message.body", {"yes": [{"reply": "y"}]}, default=[{"reply": "d"}])), ["d"]),
    ("lowercase", main(switch("message.body", {" yes ": [{"reply": "y"}]}, transform="lowercase")), ["y"]),
    ("uppercase", main(switch("message.body", {" YES ": [{"reply": "y"}]}, transform="uppercase")), ["y"]),
    ("trim", main(switch("message.body", {"Yes": [{"reply": "y"}]}, transform="trim")), ["y"]),
    ("lowercase_trim", main(switch("message.body", {"yes": [{"reply": "y"}]}, transform="lowercase_trim")), ["y"]),
    ("uppercase_trim", main(switch("message.body", {"YES": [{"reply": "y"}]}, transform="uppercase_trim")), ["y"]),
    ("an empty case matches", main(switch("message.type", {"mms": []}), {"reply": "after"}), ["after"]),
    (
        "a switch of replies",
        {"reply": switch("message.body", {"yes": "y", "no": {"body": "n"}}, transform="lowercase_trim")},
        ["y"],
    ),
    ("its default", {"reply": switch("message.type", {"sms": "s"}, default={"body": "d"})}, ["d"]),
    ("execute", main({"execute": "other"}, {"reply": "after"}, other=[{"reply": "in"}]), ["in", "after"]),
    (
        "params are the section's own",
        main(
            {"execute": {"dest": "other", "params": {"name": "%{message.from}", "n": 3}}},
            {"reply": "[%{params.name}]"},
            other=[
                {"execute": {"dest": "third", "params": {"x": "%{params.n}"}}},
                {"reply": "%{params.name} %{params.n}"},
            ],
            third=[{"reply": "%{params.x}[%{params.name}]"}],
        ),
        ["3[]", "+15550001111 3", "[]"],
    ),
    (
        "return leaves the section",
        main(
            {"execute": "f"},
            {"reply": "%{return_value.a}"},
            f=[{"return": {"a": "%{message.type}"}}, {"reply": "never"}],
        ),
        ["mms"],
    ),
    (
        "return leaves a switch's section too",
        main(
            {"execute": "f"},
            {"reply": "after"},
            f=[switch("message.type", {"mms": [{"return": 1}]}), {"reply": "never"}],
        ),
        ["after"],
    ),
    ("return ends the document", main({"reply": "a"}, "return", {"reply": "never"}), ["a"]),
    ("goto", main({"goto": "end"}, {"reply": "never"}, {"label": "end"}, {"reply": "z"}), ["z"]),
    (
        "goto goes back",
        main({"label": "again"}, {"reply": "a"}, {"goto": {"label": "again", "max": 2}}, {"reply": "after"}),
        [*["a"] * 3, "after"],
    ),
    (
        "a label's jumps are counted together",
        main(
            {"label": "again"},
            {"reply": "a"},
            {"goto": {"label": "again", "max": 1}},
            {"goto": {"label": "%{vars.x}again", "max": 2}},
            {"reply": "b"},
        ),
        [*["a"] * 3, "b"],
    ),
    (
        "jumps are counted anew in each section",
        main(
            {"execute": "f"}, {"execute": "f"}, f=[{"label": "l"}, {"reply": "a"}, {"goto": {"label": "l", "max": 1}}]
        ),
        ["a"] * 4,
    ),
    (
        "a section that returns nothing leaves what another returned",
        main(
            {"execute": "f"},
            {"execute": "g"},
            {"reply": "%{return_value}"},
            {"execute": "h"},
            {"reply": "[%{return_value}]"},
            f=[{"return": "f"}],
            g=[{"receive": {}}],
            h=["return"],
        ),
        ["f", "[]"],
    ),
    (
        "transfer to a section",
        main(
            {"transfer": {"dest": "other", "params": {"a": "x"}}}, {"reply": "never"}, other=[{"reply": "%{params.a}"}]
        ),
        ["x"],
    ),
    (
        "execute a document in JSON",
        main(
            {"execute": {"dest": '{"sections": {"main": [{"execute": "f"}], "f": [{"return": "in"}]}}'}},
            {"execute": '{"reply": "%{return_value}"}'},
            {"reply": "after"},
            f=[{"return": "never"}],
        ),
        ["in", "after"],
    ),
    ("transfer to a document in JSON", main({"transfer": '{"reply": "a"}'}, {"reply": "never"}), ["a"]),
    (
        "goto out of a switch",
        main(switch("message.type", {"mms": [{"goto": "end"}]}), {"reply": "never"}, {"label": "end"}),
        [],
    ),
]


@pytest.mark.parametrize(("document", "replies"), [row[1:] for row in SAYS], ids=[row[0] for row in SAYS])
def test_says(document: Any, replies: list[str]) -> None:
    done = Done(document)
    assert (done.replies, done.word) == (replies, None)


def test_reply_in_full() -> None:
    reply = {
        "body": "Hi",
        "media": ["%{message.media[0].url}", "/x.png"],
        "to": "%{message.to}",
        "from": "+15550003333",
        "status_url": "status",
    }
    assert Done({"reply": reply}).verbs == [
        Say(
            "Hi",
            ("https://media.example/0", "https://app.example/x.png"),
            to="+15550002222",
            sender="+15550003333",
            status_callback="https://app.example/status",
        )
    ]


def test_a_reply_to_what_is_not_set_is_as_if_it_were_not_given() -> None:
    unset = "%{message.media[7].url}"
    reply = {"body": "Hi", "media": [unset, "/x.png", unset], "to": unset, "from": unset, "status_url": unset}
    assert Done({"reply": reply}).verbs == [Say("Hi", ("https://app.example/x.png",))]


def test_a_reply_that_is_refused_stops_nothing() -> None:
    refused = [None, OUTBOUND]
    done = Done(main({"reply": "a"}, {"reply": "%{reply_result}[%{reply_message_id}]"}), lambda verb: refused.pop(0))
    assert (done.replies, done.word) == (["a", "failed[]"], None)


FAULTS: list[tuple[str, Any]] = [
    ("swml_invalid_document", {"reply": "a", "receive": {}}),
    ("swml_invalid_document", {"reply": 5}),
    ("swml_invalid_document", {"reply": {"body": 5}}),
    ("swml_invalid_document", {"reply": {"text": "a"}}),
    ("swml_invalid_document", {"reply": {"body": "a", "media": "https://a.example/x"}}),
    ("swml_invalid_document", {"reply": "nul \0"}),
    ("swml_invalid_document", {"reply": {"switch": {"variable": "x"}, "to": "+15550001111"}}),
    ("swml_invalid_document", {"receive": {"x": 1}}),
    ("swml_invalid_document", main({"goto": {"label": "a", "max": 0}}, {"label": "a"})),
    ("swml_invalid_document", main({"label": ""})),
    ("swml_invalid_document", main({"switch": {"case": {}}})),
    ("swml_invalid_document", main({"switch": {"variable": "x", "case": []}})),
    ("swml_invalid_document", main({"request": {"url": URL, "method": "TRACE"}})),
    ("swml_invalid_document", main({"request": {"url": URL, "timeout": "soon"}})),
    ("swml_invalid_document", main({"request": {"url": URL, "save_variables": "yes"}})),
    ("swml_invalid_document", main({"request": {"url": URL, "headers": {"Host": "x"}}})),
    ("swml_invalid_document", main({"execute": {}})),
    ("swml_invalid_document", main({"execute": {"dest": "main", "params": 5}})),
    ("swml_invalid_document", main({"execute": "main"})),
    ("swml_invalid_document", main({"label": "a"}, {"goto": "a"})),
    ("swml_invalid_document", b"{"),
    ("swml_invalid_document", b"[]"),
    ("swml_missing_entry_point", {}),
    ("swml_missing_entry_point", {"sections": {}}),
    ("swml_missing_entry_point", {"sections": []}),
    ("swml_invalid_section_format", {"sections": {"main": {}}}),
    ("swml_invalid_section_format", main(5)),
    ("swml_invalid_section_format", main({"reply": "a", "return": 1})),
    ("swml_invalid_section_format", main(other="x")),
    ("swml_invalid_section_format", main(switch("x", {"a": {"reply": "x"}}))),
    ("swml_unsupported_method", main({"reply": "a"}, {"send_sms": {}})),
    ("swml_unsupported_method", main(other=[{"set": {"a": 1}}])),
    ("swml_unsupported_method", main("cond")),
    ("swml_unsupported_method", main({"nul\0": {}})),
    ("swml_reply_body_or_media_required", {"reply": {}}),
    ("swml_reply_body_or_media_required", {"reply": ""}),
    ("swml_reply_media_limit_exceeded", {"reply": {"media": ["https://a.example/x"] * 9}}),
    ("swml_switch_no_match", main(switch("message.body", {"x": []}))),
    ("swml_switch_no_match", {"reply": switch("message.body", {"x": "y"})}),
    ("swml_switch_invalid_transform", main(switch("message.body", {"x": []}, transform="reverse"))),
    ("swml_section_not_found", main({"execute": "nowhere"})),
    ("swml_section_not_found", main({"execute": '{"reply": '})),
    ("swml_execute_document_invalid", main({"execute": "{}"})),
    ("swml_execute_fetch_failed", main({"execute": "http://[x"})),
    ("swml_goto_label_not_found", main({"goto": "nowhere"})),
    ("swml_goto_label_not_found", main({"label": "a"}, {"execute": "f"}, f=[{"goto": "a"}])),
    ("swml_request_url_required", main({"request": {"method": "GET"}})),
    ("swml_request_url_required", main({"request": {"url": "%{vars.nothing}"}})),
    ("swml_transfer_failed", main({"transfer": {}})),
    ("swml_transfer_failed", main({"transfer": {"dest": "%{vars.nothing}"}})),
    ("swml_transfer_document_invalid", main({"transfer": '{"sections": {}}'})),
    ("swml_transfer_fetch_failed", main({"transfer": "http://[x"})),
    ("swml_section_not_found", main({"transfer": "other"})),
    ("swml_section_not_found", main({"transfer": "ftp://a.example/x"})),
]


@pytest.mark.parametrize(("word", "document"), FAULTS)
def test_faults(word: str, document: Any) -> None:
    done = Done(document)
    assert (done.word, done.verbs) == (word, [])


def test_half_a_document_is_not_carried_out() -> None:
    assert Done(main({"reply": "first"}, switch("x", {"a": [{"play": {}}]}))).verbs == []


@pytest.mark.parametrize("word", ["swml_transfer_fetch_failed", "swml_transfer_document_invalid"])
@pytest.mark.parametrize("at", [0, 1, 2])
def test_a_transfer_that_fails_ends_the_script(word: str, at: int) -> None:
    outcomes: dict[str, list[Outcome]] = {
        "swml_transfer_fetch_failed": [LATE, LOST, answered({"reply": "x"}, 500)],
        "swml_transfer_document_invalid": [answered(b"{"), answered({"a": 1}), answered(b"", is_truncated=True)],
    }
    done = Done(main({"transfer": URL}, {"reply": "never"}), lambda verb: outcomes[word][at])
    assert (done.word, done.replies) == (word, [])


def test_transfer_tells_of_the_message_and_does_not_return() -> None:
    documents: dict[str, Any] = {
        URL: main({"reply": "%{params.why} %{request_result}"}, {"transfer": f"{URL}&b=2"}, {"reply": "never"})
    }

    def outside(verb: Verb) -> Outcome:
        if isinstance(verb, Say):
            return OUTBOUND
        found = documents.get(verb.request.url) if hasattr(verb, "request") else None
        return answered(found or b"reply: in YAML")

    transfer = {"dest": URL, "params": {"why": "%{message.type}"}}
    done = Done(
        main(
            {"request": {"url": "https://api.example/r"}},
            {"execute": "f"},
            {"reply": "never"},
            f=[{"transfer": transfer}],
        ),
        outside,
    )
    assert (done.replies, done.word) == (["mms success", "in YAML"], None)
    first, second, third = (fetch.request for fetch in done.fetches)
    assert (second.method, second.url, third.url) == ("POST", URL, f"{URL}&b=2")
    assert second.body is not None
    told = json.loads(second.body)
    assert (told["message"], told["params"], told["vars"]["request_result"]) == (MESSAGE, {"why": "mms"}, "success")
    assert first.body is None


def test_execute_fetches_a_document_and_returns() -> None:
    def outside(verb: Verb) -> Outcome:
        return OUTBOUND if isinstance(verb, Say) else answered(main({"return": "%{params.a} there"}))

    done = Done(main({"execute": {"dest": URL, "params": {"a": "in"}}}, {"reply": "%{return_value}"}), outside)
    assert (done.replies, done.word) == (["in there"], None)
    (fetch,) = done.fetches
    assert (fetch.request.method, fetch.request.url) == ("POST", URL)
    assert json.loads(fetch.request.body or b"")["params"] == {"a": "in"}


@pytest.mark.parametrize(
    ("outcome", "word"),
    [(LATE, "swml_execute_fetch_failed"), (answered({"a": 1}), "swml_execute_document_invalid")],
)
def test_an_execute_that_fails_ends_the_script(outcome: Outcome, word: str) -> None:
    done = Done(main({"execute": URL}, {"reply": "never"}), lambda verb: outcome)
    assert (done.word, done.replies) == (word, [])


def test_transfer_by_get_has_no_body() -> None:
    done = Done(main({"transfer": {"dest": URL, "method": "GET"}}), lambda verb: answered({"receive": {}}))
    assert [(f.request.method, f.request.body) for f in done.fetches] == [("GET", None)]
    assert done.word is None


def test_transfers_in_a_circle_end() -> None:
    done = Done({"sections": {"main": [{"transfer": URL}]}}, lambda verb: answered(main({"transfer": URL})))
    assert (done.word, len(done.fetches)) == ("swml_transfer_failed", 10)


def test_request_is_signed_and_says_what_it_is_told_to() -> None:
    given = {
        "url": "https://user:pass@api.example/%{message.type}",
        "headers": {"X-From": "%{message.from}", "X-Number": 5},
        "body": {"from": "%{message.from}", "n": "%{message.segments}"},
        "timeout": 99,
    }
    (fetch,) = Done(main({"request": given})).fetches
    request, headers = fetch.request, dict(fetch.request.headers)
    assert (request.method, request.url, fetch.total_s) == ("POST", "https://user:pass@api.example/mms", 5.0)
    assert request.body == b'{"from":"+15550001111","n":1}'
    assert (headers["X-From"], headers["X-Number"], headers["Content-Type"]) == (
        "+15550001111",
        "5",
        "application/json",
    )
    sha1, sha256 = signalwire_json(ACCOUNT.signing_key.reveal(), request.url, request.body)
    assert (headers["X-SignalWire-Signature"], headers["X-SignalWire-SHA256-Signature"]) == (sha1, sha256)


def test_request_by_get_has_the_body_that_it_is_given() -> None:
    bodies = [Done(main({"request": {"url": URL, "method": "GET", **more}})).fetches for more in ({}, {"body": "a"})]
    assert [fetch.request.body for (fetch,) in bodies] == [None, b"a"]


def test_request_with_a_text_and_its_own_type() -> None:
    given = {
        "url": URL,
        "method": "put",
        "headers": {"content-type": "text/csv"},
        "body": "a,%{message.type}",
        "timeout": 2,
    }
    (fetch,) = Done(main({"request": given})).fetches
    assert (fetch.request.method, fetch.request.body, fetch.total_s) == ("PUT", b"a,mms", 2.0)
    assert [value for name, value in fetch.request.headers if name.lower() == "content-type"] == ["text/csv"]


ANSWERS: list[tuple[Outcome, bool, str]] = [
    (answered({"a": [1, {"b": "x"}]}), True, 'success|200|{"a": [1, {"b": "x"}]}|x'),
    (answered({"a": 1}), False, 'success|200|{"a": 1}|'),
    (answered({"a": 1}, 404), True, 'failed|404|{"a": 1}|'),
    (answered(b"plain"), True, "success|200|plain|"),
    (answered(b"\0\xff"), True, "success|200|\ufffd\ufffd|"),
    (answered(b"[" * 2000 + b"]" * 2000), True, f"success|200|{'[' * 2000}{']' * 2000}|"),
    (LATE, True, "timeout|||"),
    (LOST, True, "failed|||"),
]


@pytest.mark.parametrize(("outcome", "saves", "told"), ANSWERS)
def test_request_leaves_variables(outcome: Outcome, saves: bool, told: str) -> None:
    names = ("request_result", "request_response_code", "request_response_body", "request_response.a[1].b")
    text = "|".join(f"%{{{name}}}" for name in names)
    done = Done(
        main({"request": {"url": URL, "save_variables": saves}}, {"reply": text}),
        lambda verb: OUTBOUND if isinstance(verb, Say) else outcome,
    )
    assert (done.replies, done.word) == ([told], None)


def test_ten_requests_and_no_more() -> None:
    done = Done(main(*[{"request": {"url": URL}}] * 12, {"reply": "%{request_result}[%{request_response_code}]"}))
    assert (len(done.fetches), done.replies, done.word) == (10, ["limit_exceeded[]"], None)


def test_a_hundred_steps_and_no_more() -> None:
    assert Done(main(*["receive"] * 100)).word is None
    done = Done(main(*["receive"] * 99, {"reply": "the hundredth"}, "receive"))
    assert (done.word, done.replies) == ("swml_invalid_document", ["the hundredth"])


def test_what_documents_make_of_variables_is_bounded() -> None:
    body = "x" * 1600
    assert Done({"reply": "%{message.body}" * 41}, body=body).word == "swml_invalid_document"
    heavy = {"dest": "f", "params": {str(n): "%{message}" for n in range(50)}}
    assert Done(main({"execute": heavy}, f=[]), body=body).word == "swml_invalid_document"


def test_every_word_has_a_number_of_its_own() -> None:
    assert len(set(SWML_NUMBERS.values())) == len(SWML_NUMBERS)


def test_a_reason_is_kept_without_what_no_record_takes() -> None:
    assert Faulty("swml_invalid_document", "a\0\ud800b").reason == "swml_invalid_document: a\N{REPLACEMENT CHARACTER}?b"
