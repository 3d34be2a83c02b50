"""Each method of SWML in each of its forms: those that are right are carried out, and those that are wrong are refused
with the code of the reference, before anything is done.
"""

from typing import Any

import pytest

from parley.api.signalwire.calling import methods as calling
from parley.api.signalwire.failures import SWML_NUMBERS
from parley.api.signalwire.swml import messaging
from parley.webhooks.render import Outcome, Say, Verb
from tests.api.signalwire.swml.forms import (
    CALLING,
    MESSAGING,
    NO_DOCUMENTS,
    NOT_CALLING,
    NOT_MESSAGING,
    URL,
    Right,
    Wrong,
)
from tests.api.signalwire.swml.outside import LATE, Called, Done, answered, main
from tests.api.signalwire.swml.table import STEPS
from tests.api.signalwire.values import OUTBOUND

ELSEWHERE = {
    "json_or_yaml_required",
    "http_retrieval_error",
    "number_blacklisted",
    "swml_reply_character_limit_exceeded",
    "swml_reply_failed",
    "swml_reply_inactive_campaign",
    "swml_reply_invalid_from_number",
    "swml_reply_invalid_to_number",
    "swml_reply_missing_messaging_capability",
}
"""Codes that are found as an app answers, or a reply is sent: test_conversations and test_limits have them."""


def outside_of(kind: str) -> Any:
    def outside(verb: Verb) -> Outcome:
        return OUTBOUND if isinstance(verb, Say) else answered({"receive": {}} if kind == "messaging" else main())

    return outside


def ran(kind: str, document: Any) -> Done | Called:
    return (Done if kind == "messaging" else Called)(document, outside_of(kind))


def step(method: str, value: Any) -> dict[str, Any]:
    return main({method: value}, {"label": "a"}, f=[])


RIGHT = [
    (kind, method, value)
    for kind, table in (("messaging", MESSAGING), ("calling", CALLING))
    for method, values in table.items()
    for value in values
]
WRONG = [
    (kind, method, code, value)
    for kind, table in (("messaging", NOT_MESSAGING), ("calling", NOT_CALLING))
    for method, pairs in table.items()
    for code, value in pairs
]


@pytest.mark.parametrize(("kind", "method", "value"), RIGHT)
def test_a_right_form_is_carried_out(kind: str, method: str, value: Any) -> None:
    done = ran(kind, step(method, value))
    assert done.word is None
    leads_out = method == "transfer" and kind == "messaging" and URL in str(value)
    if method in ("reply", "send_sms", "request") or leads_out:
        assert len(done.verbs) == 1


@pytest.mark.parametrize("name", ["reply", "receive"])
def test_a_right_form_may_stand_alone(name: str) -> None:
    for value in MESSAGING[name]:
        if (name, value) != ("reply", None):
            assert ran("messaging", {name: value}).word is None


@pytest.mark.parametrize(("kind", "method", "code", "value"), WRONG)
def test_a_wrong_form_is_refused(kind: str, method: str, code: str, value: Any) -> None:
    done = ran(kind, step(method, value))
    assert (done.word, done.verbs) == (code, [])


@pytest.mark.parametrize("kind", ["messaging", "calling"])
@pytest.mark.parametrize(("code", "document"), NO_DOCUMENTS)
def test_what_is_no_document_is_refused(kind: str, code: str, document: Any) -> None:
    done = ran(kind, document)
    assert (done.word, done.verbs) == (code, [])


@pytest.mark.parametrize("kind", ["messaging", "calling"])
@pytest.mark.parametrize(
    ("code", "answer"),
    [
        ("swml_transfer_fetch_failed", LATE),
        ("swml_transfer_fetch_failed", answered({}, 404)),
        ("swml_transfer_document_invalid", answered({})),
        ("swml_transfer_document_invalid", answered(b"{")),
        ("swml_transfer_document_invalid", answered(b"", is_truncated=True)),
    ],
)
def test_what_is_transferred_to(kind: str, code: str, answer: Outcome) -> None:
    done = (Done if kind == "messaging" else Called)(main({"transfer": URL}), lambda verb: answer)
    assert done.word == code


@pytest.mark.parametrize(
    ("kind", "right", "wrong", "known"),
    [
        ("messaging", MESSAGING, NOT_MESSAGING, messaging.METHODS),
        ("calling", CALLING, NOT_CALLING, calling.METHODS),
    ],
)
def test_the_tables_have_every_method_and_parameter(kind: str, right: Right, wrong: Wrong, known: Any) -> None:
    assert right.keys() == known.keys()
    takes_anything = {"return"}
    assert known.keys() - wrong.keys() == takes_anything
    for row in STEPS:
        of, _, method = row["operation"].partition(" ")
        name = row["parameter"]
        if of != kind or name in ("", "*") or row["status"] == "refused":
            continue
        forms = [value for value in right[method] if isinstance(value, dict)]
        assert any(name in value for value in forms) or name == "label", f"{kind} {method}: no form with {name}"
        if row["status"] == "supported" and (method, name) != ("request", "body"):
            bad = [value for _, value in wrong[method] if isinstance(value, dict) and name in value]
            assert bad, f"{kind} {method}: no wrong {name}"


def test_every_code_is_in_a_table() -> None:
    found = {code for _, _, code, _ in WRONG} | {code for code, _ in NO_DOCUMENTS}
    found |= {"swml_transfer_fetch_failed", "swml_transfer_document_invalid"}
    assert SWML_NUMBERS.keys() - found == ELSEWHERE
