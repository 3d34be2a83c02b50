"""SWML's two notations: what is read, what is none, and what is refused before anybody looks at it."""

import json
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from parley.api.signalwire.swml import document, messaging
from parley.api.signalwire.swml.document import MAX_DEPTH, MAX_OCTETS, read_answer, read_text
from parley.api.signalwire.swml.fault import Faulty
from tests.api.signalwire.swml.outside import Done


@pytest.fixture(params=["CSafeLoader", "SafeLoader"])
def loader(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Read YAML by libyaml, and as where that is missing."""
    if not hasattr(yaml, request.param):
        pytest.skip("PyYAML was built without libyaml")
    monkeypatch.setattr(document, "LOADER", getattr(yaml, request.param))


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (None, b""),
        ("application/json", b" \n"),
        ("application/json", b'{"status":"received"}'),
        ("application/json", b"[]"),
        ("application/json", b"null"),
        ("text/plain; charset=utf-8", b"OK"),
        ("text/plain", b"Thank you!\nreply: STOP to quit"),
        ("text/html", b"<p>Thank you</p>"),
        ("text/x-yaml", b"- a"),
        ("application/yaml", b"status: received"),
        (None, b"\xff\xfe"),
    ],
)
def test_what_is_no_document_asks_for_nothing(kind: str | None, body: bytes) -> None:
    assert read_answer(kind, body) is None


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("application/json", b'{"reply":"hi"}'),
        ("text/plain", b'{"reply":"hi"}'),
        ("application/yaml", b"reply: hi"),
        ("text/x-yaml; charset=utf-8", b"---\nreply: 'hi'\n"),
        ("text/plain", b"reply: hi\n"),
        (None, b"# ours\nreply: >-\n  hi\n"),
        ("text/html", b"---\n\n# ours\nreply: hi"),
        ("application/yaml", b"{reply: hi}"),
    ],
)
@pytest.mark.usefixtures("loader")
def test_documents_in_either_notation(kind: str | None, body: bytes) -> None:
    assert read_answer(kind, body) == {"reply": "hi"}


@pytest.mark.usefixtures("loader")
def test_yaml_says_what_it_seems_to() -> None:
    text = """
    version: 1.0.0
    phone: +15551234567
    yes: no
    case: {1: on, 007: 1e3, n: ~, t: true, f: 1.50, q: "true", i: -12, x: 0x10, d: 2026-11-21, e: }
    big: 123456789012345678901234567890
    list:
      - a
      - [b, {c: d}]
    """
    assert read_text(text) == {
        "version": "1.0.0",
        "phone": "+15551234567",
        "yes": "no",
        "case": {
            "1": "on",
            "007": 1000.0,
            "n": None,
            "t": True,
            "f": 1.5,
            "q": "true",
            "i": -12,
            "x": "0x10",
            "d": "2026-11-21",
            "e": None,
        },
        "big": "123456789012345678901234567890",
        "list": ["a", ["b", {"c": "d"}]],
    }


@pytest.mark.parametrize(
    ("kind", "body", "reason"),
    [
        ("application/json", b"{", "not valid JSON"),
        ("application/json", b"[" * 60_000, "not valid JSON"),
        ("application/json", b'{"reply":' + b"[" * MAX_DEPTH + b"]" * MAX_DEPTH + b"}", "nested deeper"),
        ("application/json", b'{"reply":"' + b"x" * MAX_OCTETS + b'"}', "longer than"),
        ("application/yaml", b"reply: [", "not valid YAML in line"),
        ("application/yaml", b"reply: \xff", "not valid YAML"),
        ("application/yaml", b"reply: hi\n---\nreply: there", "more than one"),
        ("application/yaml", b"reply: hi\nreply: there", "stands twice"),
        ("application/yaml", b"reply: &a hi", "anchors"),
        ("application/yaml", b"a: &a [x]\nreply: *a", "anchors"),
        ("application/yaml", b"reply: !!python/object/apply:os.system [id]", "tags"),
        ("application/yaml", b"reply: !!str hi", "tags"),
        ("application/yaml", b"? [a]\n: b\nreply: hi", "key of YAML"),
        ("application/yaml", b"<<: {a: b}\nreply: hi\n<<: x", "stands twice"),
        ("application/yaml", b"reply: " + b"[" * 2000 + b"]" * 2000, "nested deeper"),
        ("application/yaml", b"reply:\n" + b"".join(b" " * n + b"-\n" for n in range(1, 300)), "nested deeper"),
        ("application/yaml", b"reply: " + b"x" * MAX_OCTETS, "longer than"),
        ("application/yaml", b'reply: {body: ["\\ud800"]}', "half a character|not valid YAML"),
        ("application/yaml", b'{reply: {"\\udfff": 1}}', "half a character|not valid YAML"),
    ],
)
@pytest.mark.usefixtures("loader")
def test_what_is_refused(kind: str, body: bytes, reason: str) -> None:
    with pytest.raises(Faulty, match=reason) as raised:
        read_answer(kind, body)
    assert raised.value.word == "swml_invalid_document"


@pytest.mark.parametrize(
    ("kind", "body"),
    [("application/xml", b"<Response/>"), (None, b' <?xml version="1.0"?><Response/>'), ("text/plain", b"<Response/>")],
)
def test_twiml_is_no_swml(kind: str | None, body: bytes) -> None:
    with pytest.raises(Faulty) as raised:
        read_answer(kind, body)
    assert raised.value.word == "json_or_yaml_required"


_NAMES = ["reply", "receive", "sections", "main", "switch", "variable", "case", "goto", "label", "execute", "x"]
_TEXTS = st.text(max_size=5) | st.sampled_from([*_NAMES, "%{message.body}", "%{params.x}", "message.body", "max"])
_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | _TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(_NAMES) | _TEXTS, inner, max_size=3),
    max_leaves=10,
)
_STEP = st.sampled_from(["reply", "receive", "switch", "goto", "label", "execute", "return", "request", "transfer"])
_DOCUMENTS = st.fixed_dictionaries(
    {"sections": st.fixed_dictionaries({"main": st.lists(st.dictionaries(_STEP, _VALUES, min_size=1, max_size=1))})}
)


@settings(max_examples=150)
@given(_VALUES | _DOCUMENTS)
def test_any_document_is_carried_out_or_refused(document: Any) -> None:
    """Whatever it is: it ends, with SignalWire's word for what is wrong or without."""
    done = Done(json.dumps(document))
    assert done.word is None or done.word.startswith("swml_")


@settings(max_examples=150)
@given(st.binary(max_size=200) | st.text(alphabet=" \n:-[]{}#'\"&*!|>%?a1,", max_size=60).map(str.encode))
def test_any_octets_are_read_or_refused(body: bytes) -> None:
    for kind in (None, "application/json", "application/yaml"):
        try:
            program = messaging.read_answer(kind, body)
        except Faulty:
            continue
        assert program is None or "main" in program.sections


_PRINTABLE = st.text(alphabet=st.characters(categories=["L", "N", "P", "Zs"]), max_size=6)
_SHARED = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**17), 10**17) | st.floats(-1e9, 1e9, width=32) | _PRINTABLE,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_PRINTABLE, inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=100)
@given(st.dictionaries(_PRINTABLE, _SHARED, max_size=3))
def test_json_means_the_same_as_yaml(document: dict[str, Any]) -> None:
    text = json.dumps(document, ensure_ascii=False)
    assert read_text(f"# not JSON any more\n{text}") == read_text(text) == document
