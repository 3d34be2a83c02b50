"""The forms of SWML's methods, right and wrong, and the code that a wrong one is refused with.

Each is tried as a step of `main`, with a label `a` behind it and an empty section `f` beside it, on an MMS from
+15550001111 or a call from there. Source: SWML's reference of methods and error codes.
"""

from typing import Any

from tests.api.signalwire.swml.outside import main
from tests.api.signalwire.swml.table import REFUSED

INVALID = "swml_invalid_document"
URL = "https://api.example/x"
TRANSFORMS = ("lowercase", "uppercase", "trim", "lowercase_trim", "uppercase_trim")
PICTURE = "https://media.example/x.png"
NO_TEXTS = (5, True, ["x"], {"x": "y"})
NO_OBJECTS = (5, "x", ["x"], True)

Right = dict[str, list[Any]]
Wrong = dict[str, list[tuple[str, Any]]]


def each(key: str, values: tuple[Any, ...], code: str = INVALID, **more: Any) -> list[tuple[str, Any]]:
    """Forms that differ in one parameter, and are wrong for the same reason."""
    return [(code, {**more, key: value}) for value in values]


def refuse(code: str, *forms: Any) -> list[tuple[str, Any]]:
    """Forms that are wrong for the same reason."""
    return [(code, form) for form in forms]


SWITCH: list[Any] = [
    {"variable": "message.type", "case": {"mms": []}},
    {"variable": "%{message.type}", "case": {"mms": [{"label": "x"}], "sms": []}},
    {"variable": "message.type", "case": {}, "default": []},
    {"variable": "message.type", "default": [{"label": "x"}]},
    *({"variable": "message.type", "transform": name, "case": {}, "default": []} for name in TRANSFORMS),
]
NO_SWITCH: list[tuple[str, Any]] = [
    (INVALID, None),
    (INVALID, {}),
    (INVALID, "message.type"),
    (INVALID, ["x"]),
    (INVALID, {"case": {"x": []}}),
    (INVALID, {"variable": "", "case": {}}),
    (INVALID, {"variable": "x", "cases": {}}),
    *each("variable", NO_TEXTS, case={}),
    *each("transform", NO_TEXTS, variable="x", case={}),
    *each("transform", ("reverse", "Trim"), "swml_switch_invalid_transform", variable="x", case={}),
    *each("case", NO_OBJECTS, variable="x"),
    *each("case", ({"a": {}}, {"a": "x"}, {"a": [5]}, {"a": [{}]}), "swml_invalid_section_format", variable="x"),
    *each("default", ({}, "x", 5), "swml_invalid_section_format", variable="x"),
    ("swml_unsupported_method", {"variable": "x", "case": {"a": [{"nonsense": {}}]}}),
]
GOTO: list[Any] = ["a", {"label": "a"}, *({"label": "a", "max": most} for most in (1, 1000, 10**400))]
NO_GOTO: list[tuple[str, Any]] = [
    (INVALID, None),
    (INVALID, {}),
    (INVALID, ""),
    (INVALID, 5),
    *each("label", NO_TEXTS),
    *each("max", (0, -1, 1.5, "1", True, [1]), label="a"),
    ("swml_goto_label_not_found", "b"),
    ("swml_goto_label_not_found", {"label": "A"}),
]
LABEL: list[Any] = ["b", {"label": "b"}]
NO_LABEL = refuse(INVALID, None, "", {}, 5, ["x"], {"label": 5}, {"name": "x"})
REQUEST: list[Any] = [
    {"url": URL},
    *({"url": URL, "method": method} for method in ("GET", "POST", "PUT", "PATCH", "DELETE", "get")),
    {"url": URL, "headers": {"X-A": "b", "X-Number": 5}},
    *({"url": URL, "body": body} for body in ("text", {"a": ["%{x}"]}, ["a"], 5, None)),
    *({"url": URL, "timeout": seconds} for seconds in (0.1, 5, 60)),
    *({"url": URL, "save_variables": is_so} for is_so in (True, False)),
]
NO_REQUEST: list[tuple[str, Any]] = [
    *refuse("swml_request_url_required", None, {}, {"url": ""}, {"url": None}, {"url": "%{vars.x}"}),
    (INVALID, URL),
    (INVALID, [URL]),
    *each("url", NO_TEXTS),
    *each("method", (*NO_TEXTS, "TRACE", "CONNECT"), url=URL),
    *each("headers", NO_OBJECTS, url=URL),
    *each("headers", tuple({name: "x"} for name in ("Host", "content-length", "X-SignalWire-Signature")), url=URL),
    *each("headers", ({"": "x"}, {"X Bad": "x"}, {"X-\u00e4": "x"}, {"X:": "x"}), url=URL),
    *each("timeout", (0, -1, "5", True), url=URL),
    *each("save_variables", (1, "true", []), url=URL),
    (INVALID, {"url": URL, "query": "x"}),
]
EXECUTE: list[Any] = ["f", {"dest": "f"}, {"dest": "f", "params": {"a": [1]}}]
NO_EXECUTE: list[tuple[str, Any]] = [
    *refuse(INVALID, None, {}, "", 5, ["f"], {"params": {}}, {"dest": "f", "name": "x"}),
    *each("dest", NO_TEXTS),
    *each("params", NO_OBJECTS, dest="f"),
    ("swml_section_not_found", "nowhere"),
    ("swml_section_not_found", {"dest": "%{vars.x}"}),
]
TRANSFER: list[Any] = [URL, {"dest": URL}, {"dest": URL, "params": {"a": 1}}]
NO_TRANSFER: list[tuple[str, Any]] = [
    *refuse("swml_transfer_failed", None, {}, "", {"params": {}}),
    *refuse("swml_section_not_found", "nowhere", "ftp://a.example/x", "{"),
    (INVALID, 5),
    *each("dest", NO_TEXTS),
    *each("params", NO_OBJECTS, dest=URL),
    (INVALID, {"dest": URL, "headers": {}}),
]
RETURN: list[Any] = [None, "x", 5, True, {"a": "%{x}"}, ["x"]]

MESSAGING: Right = {
    "reply": [
        "Hi",
        {"body": "Hi"},
        {"media": [PICTURE]},
        {"body": "", "media": [PICTURE] * 8},
        {"body": "Hi", "media": None, "to": "+15550001111", "from": "+15550002222", "status_url": URL},
        {"switch": {"variable": "message.type", "case": {"mms": "Hi"}}},
        {"switch": {"variable": "message.type", "case": {}, "default": {"body": "Hi", "media": [PICTURE]}}},
        {"switch": {"variable": "message.type", "transform": "uppercase", "case": {"MMS": "Hi"}}},
    ],
    "receive": [None, {}],
    "request": REQUEST,
    "execute": [*EXECUTE, URL, '{"sections": {"main": []}}'],
    "transfer": [
        *TRANSFER,
        "f",
        '{"sections": {"main": []}}',
        {"dest": URL, "method": "GET"},
        {"dest": URL, "method": "post"},
    ],
    "switch": SWITCH,
    "goto": GOTO,
    "label": LABEL,
    "return": RETURN,
}
NOT_MESSAGING: Wrong = {
    "reply": [
        *refuse("swml_reply_body_or_media_required", "", {}, {"body": ""}, {"media": []}, {"to": "x"}),
        ("swml_reply_body_or_media_required", {"switch": {"variable": "x", "case": {"a": {}}}}),
        ("swml_reply_media_limit_exceeded", {"media": [PICTURE] * 9}),
        *refuse(INVALID, None, 5, True, ["Hi"], {"text": "Hi"}, "nul \0", {"body": "half \ud800"}),
        *each("body", NO_TEXTS),
        *each("media", (PICTURE, 5, {"url": PICTURE}, [5], [None]), body="Hi"),
        *[pair for key in ("to", "from", "status_url") for pair in each(key, NO_TEXTS, body="Hi")],
        *each("switch", (None, 5, "x", [], {}, {"variable": "x", "case": {"a": 5}}, {"variable": "x", "case": []})),
        (INVALID, {"switch": {"variable": "message.type", "case": {"mms": "Hi"}}, "body": "Hi"}),
        ("swml_switch_no_match", {"switch": {"variable": "message.type", "case": {"sms": "Hi"}}}),
        ("swml_switch_no_match", {"switch": {"variable": "message.type", "case": {"MMS": "Hi"}}}),
        ("swml_switch_invalid_transform", {"switch": {"variable": "x", "transform": "reverse", "case": {}}}),
    ],
    "receive": refuse(INVALID, 5, "x", ["x"], {"x": 1}),
    "request": [*NO_REQUEST, *each("connect_timeout", (1,), url=URL), *each("result", ({},), url=URL)],
    "execute": [
        *NO_EXECUTE,
        ("swml_section_not_found", "{"),
        ("swml_execute_document_invalid", "{}"),
        ("swml_execute_fetch_failed", "http://[x"),
        *[pair for key in ("meta", "on_return", "result") for pair in each(key, ([],), dest="f")],
    ],
    "transfer": [
        *NO_TRANSFER,
        ("swml_transfer_document_invalid", "{}"),
        *each("method", (*NO_TEXTS, "TRACE"), dest=URL),
        *each("meta", ({},), dest=URL),
    ],
    "switch": [
        *NO_SWITCH,
        ("swml_switch_no_match", {"variable": "message.type"}),
        ("swml_switch_no_match", {"variable": "message.type", "case": {"MMS": []}}),
        ("swml_switch_no_match", {"variable": "vars.x", "case": {"x": []}}),
    ],
    "goto": [*NO_GOTO, (INVALID, {"label": "a", "when": "x"})],
    "label": NO_LABEL,
    **{name: refuse("swml_unsupported_method", None, {}, "x") for name in REFUSED["messaging"]},
    **{name: [("swml_unsupported_method", {})] for name in ("answer", "play", "Reply", "reply ", "", "__class__")},
}

VOICE: list[dict[str, Any]] = [
    {"volume": 5},
    {"say_voice": "x"},
    {"say_language": "x"},
    {"say_gender": "x"},
]
SOUNDS = ("say:Hi", "silence:1.5", "ring:3", PICTURE, "http://a.example/x.mp3")
NO_SOUNDS = ("beep:", "Hi", "ftp://a.example/x")
CALLING: Right = {
    "answer": [None, {}, {"max_duration": 60}, {"codecs": "PCMU,PCMA"}],
    "play": [
        *SOUNDS,
        *({"url": url} for url in SOUNDS),
        {"urls": list(SOUNDS)},
        {"url": "say:${call.from}", "auto_answer": True},
        *({"url": "say:Hi", **voice} for voice in VOICE),
    ],
    "say": ["Hi", {"text": "Hi"}, {"text": "%{call.from}", "voice": "x", "language": "x", "gender": "x"}],
    "prompt": [
        {"play": "say:?"},
        {"play": list(SOUNDS), "max_digits": 4, "terminators": "#*"},
        {"play": "say:?", "digit_timeout": 2, "initial_timeout": 5.5, "max_digits": 500},
        *({"play": "say:?", **voice} for voice in VOICE),
    ],
    "send_sms": [
        {"to_number": "+15550001111", "body": "Hi"},
        {"to_number": "+15550001111", "from_number": "+15550002222", "media": [PICTURE] * 8},
        {"to_number": "%{call.from}", "body": "Hi", "region": "us", "tags": ["a"], "status_callback": URL},
    ],
    "hangup": [None, {}, "busy", {"reason": "decline"}],
    "set": [{}, {"a": 1, "b": {"c": ["${a}"]}}],
    "cond": [
        [{"when": "call.type == 'phone'", "then": []}],
        [{"when": "${x}", "then": [], "else": []}],
        [{"when": "!(x && y) || 1 + 2 >= 3", "then": []}, {"else": [{"label": "x"}]}],
    ],
    "switch": [*SWITCH, {"variable": "call.type", "case": {"sip": []}}, {"variable": "vars.x"}],
    "goto": [*GOTO, {"label": "a", "when": "1 == 2"}, {"label": "a", "when": "%{call.type} == 'phone'", "max": 2}],
    "label": LABEL,
    "request": [
        *REQUEST,
        {"url": URL, "connect_timeout": 1},
        {"url": URL, "result": {"case": {"x": []}}},
        {"url": URL, "result": [{"when": "x", "then": []}]},
    ],
    "execute": [
        *EXECUTE,
        URL,
        '{"sections": {"main": []}}',
        {"dest": "f", "meta": 5, "on_return": [], "result": {"case": {}, "default": []}},
        {"dest": "f", "result": [{"else": []}]},
    ],
    "transfer": [*TRANSFER, "f", '{"sections": {"main": []}}', {"dest": "f", "meta": {"a": 1}}],
    "return": RETURN,
}
NO_RESULT: list[tuple[str, Any]] = [
    (INVALID, 5),
    (INVALID, "x"),
    (INVALID, []),
    (INVALID, {"case": []}),
    ("swml_switch_invalid_transform", {"transform": "reverse"}),
    ("swml_invalid_section_format", {"case": {"x": {}}}),
]
NOT_CALLING: Wrong = {
    "answer": refuse(INVALID, 5, "x", ["x"], {"x": 1}),
    "play": [
        *refuse(INVALID, None, {}, "", 5, list(SOUNDS), {"urls": []}, {"status_url": URL}, *NO_SOUNDS),
        *each("url", (*NO_TEXTS, *NO_SOUNDS)),
        *each("urls", ("say:Hi", 5, [5], list(NO_SOUNDS))),
        (INVALID, {"url": "%{vars.nothing}"}),
        (INVALID, {"url": "say:Hi", "status_url": URL}),
    ],
    "say": [
        *refuse(INVALID, None, {}, "", 5, ["Hi"], {"voice": "x"}, {"text": "Hi", "url": "x"}),
        *each("text", NO_TEXTS),
    ],
    "prompt": [
        *refuse(INVALID, None, {}, 5, "say:?", {"max_digits": 1}),
        *each("play", (5, True, {"x": "y"}, "", [], [5], *NO_SOUNDS, list(NO_SOUNDS))),
        *each("max_digits", (0, -1, 0.5, "4", True), play="say:?"),
        *each("terminators", NO_TEXTS, play="say:?"),
        *[pair for key in ("speech_timeout", "speech_hints", "status_url") for pair in each(key, (1,), play="say:?")],
    ],
    "send_sms": [
        *refuse(INVALID, None, {}, 5, "Hi", {"body": "Hi"}, {"to_number": "+15550001111"}),
        *each("to_number", (*NO_TEXTS, ""), body="Hi"),
        *[
            pair
            for key in ("from_number", "body", "region", "status_callback")
            for pair in each(key, NO_TEXTS, to_number="+15550001111", media=[PICTURE])
        ],
        *[pair for key in ("media", "tags") for pair in each(key, ("x", 5, [5]), to_number="+15550001111", body="Hi")],
        (INVALID, {"to_number": "+15550001111", "media": [PICTURE] * 9}),
        (INVALID, {"to": "+15550001111", "body": "Hi"}),
    ],
    "hangup": [*refuse(INVALID, 5, ["busy"], {"code": 1}), *each("reason", NO_TEXTS)],
    "set": refuse(INVALID, None, 5, "x", [], [{"a": 1}], {"a": "${1 +}"}),
    "cond": [
        *refuse(INVALID, None, {}, [], 5, "x", [5], [{}], [{"then": []}], [{"when": "", "then": []}]),
        *[(INVALID, [{"when": when, "then": []}]) for when in (5, "x = 1", "1 +", "f(x)", "x ? 1 : 2", "`x`", "(x")],
        ("swml_invalid_section_format", [{"when": "x"}]),
        ("swml_invalid_section_format", [{"when": "x", "then": {}}]),
        ("swml_invalid_section_format", [{"when": "x", "then": "x"}]),
        ("swml_invalid_section_format", [{"else": {}}]),
        (INVALID, [{"when": "x", "then": [], "do": []}]),
    ],
    "switch": NO_SWITCH,
    "goto": [*NO_GOTO, *each("when", (*NO_TEXTS, "x = 1", "(x"), label="a")],
    "label": NO_LABEL,
    "request": [
        *NO_REQUEST,
        *each("connect_timeout", (0, "1", True), url=URL),
        *[(code, {"url": URL, "result": value}) for code, value in NO_RESULT],
    ],
    "execute": [
        *NO_EXECUTE,
        *[(code, {"dest": "f", "result": value}) for code, value in NO_RESULT],
        *each("on_return", ({}, "x", 5), "swml_invalid_section_format", dest="f"),
        ("swml_section_not_found", "{"),
        ("swml_execute_document_invalid", "{}"),
        ("swml_execute_fetch_failed", "http://[x"),
    ],
    "transfer": [
        *NO_TRANSFER,
        *each("method", ("GET",), dest=URL),
        ("swml_transfer_document_invalid", "{}"),
    ],
    **{name: refuse("swml_unsupported_method", None, {}, "x") for name in REFUSED["calling"]},
    **{name: [("swml_unsupported_method", {})] for name in ("reply", "receive", "Play", "")},
}

NO_DOCUMENTS: list[tuple[str, Any]] = [
    *refuse("swml_missing_entry_point", {}, {"version": "1.0.0"}, {"main": []}),
    *each("sections", ({}, [], None, 5, "main", {"Main": []}), "swml_missing_entry_point"),
    *each("sections", ({"main": {}}, {"main": None}, {"main": "x"}), "swml_invalid_section_format"),
    *refuse("swml_invalid_section_format", main(5), main(None), main([]), main({}), main(other={})),
    ("swml_invalid_section_format", main({"label": "a", "return": 1})),
    *refuse(INVALID, "{", "[]", '"x"', "5", "", "sections: [", "a: 1\na: 2", "&a x", "!!str x"),
]
"""Of either kind."""
