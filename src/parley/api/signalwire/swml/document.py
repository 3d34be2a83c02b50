"""Read SWML's two notations, JSON and YAML, into plain values: bounded in size and depth, without tags and aliases.

YAML's plain scalars are read by YAML 1.2's JSON schema, so that `yes`, `on` and `+15551234567` are texts.
"""

import re
from typing import Any, Final

import msgspec
import yaml

from parley.api.signalwire.swml.fault import Faulty

MAX_OCTETS: Final = 64 * 1024
"""Largest document, in octets. Source: SWML's limits."""
MAX_DEPTH: Final = 60
"""Objects and arrays inside one another."""

ENTRIES: Final = ("reply", "receive", "sections")
_YAML_TYPES: Final = frozenset({"application/yaml", "application/x-yaml", "text/yaml", "text/x-yaml"})
_ENTRY = re.compile(rb"(?:reply|receive|sections)[ \t]*:")
_BEFORE_IT: Final = (b"#", b"---", b"%YAML", b"version")
"""How the lines may begin that stand before a YAML document's entry."""
_LOOKS_XML = re.compile(rb"\s*<(?:\?xml|Response\b)")
_HALF = re.compile("[\ud800-\udfff]")
"""Of a surrogate pair, which can be spelled in YAML, and written to nobody. What reads JSON refuses it by itself."""
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]{0,17})(\.[0-9]+)?(?:[eE][-+]?[0-9]{1,2})?", re.ASCII)
_WORDS: Final[dict[str, object]] = {"": None, "~": None, "null": None, "true": True, "false": False}
LOADER: Final[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""Only its parser is used, which gives events and makes no objects; libyaml's where it is there."""


def read_answer(content_type: str | None, body: bytes) -> dict[str, Any] | None:
    """The document that an app answers; None for what is none: nothing, `{"status":"received"}`, plain words.

    Raises Faulty: swml_invalid_document for broken JSON or YAML, json_or_yaml_required for XML.
    """
    if not body.strip():
        return None
    kind = (content_type or "").partition(";")[0].strip().lower()
    try:
        value = _json(body)
    except Faulty:
        if kind in _YAML_TYPES or _looks_yaml(body):
            value = _yaml(body)
        elif kind == "application/json" or kind.endswith("+json"):
            raise
        elif kind.endswith("xml") or _LOOKS_XML.match(body):
            raise Faulty("json_or_yaml_required", "the answer is XML") from None
        else:
            return None
    return value if isinstance(value, dict) and any(name in value for name in ENTRIES) else None


def _looks_yaml(body: bytes) -> bool:
    """Whether a text begins with one of SWML's entries: it is a document then, whatever its type says."""
    first = next((line for line in body.splitlines() if line.strip() and not line.startswith(_BEFORE_IT)), b"")
    return _ENTRY.match(first) is not None


def read_text(text: str | bytes) -> dict[str, Any]:
    """A text that has to be a document, in either notation. Raises Faulty(swml_invalid_document)."""
    octets = text.encode("utf-8", "replace") if isinstance(text, str) else text
    value = _json(octets) if octets.lstrip().startswith((b"{", b"[")) else _yaml(octets)
    if not isinstance(value, dict):
        raise Faulty("swml_invalid_document", "a document is an object")
    return value


def check_value(value: Any) -> None:
    """Hold decoded JSON against the depth that a document may have. Raises Faulty."""
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [inner for each in level for inner in _inside(each)]
        if not level:
            return
    raise Faulty("swml_invalid_document", f"it is nested deeper than {MAX_DEPTH} levels")


def _inside(value: Any) -> list[Any]:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [each for each in inner if isinstance(each, (dict, list))]


def _check_size(octets: bytes) -> None:
    if len(octets) > MAX_OCTETS:
        raise Faulty("swml_invalid_document", f"it is longer than {MAX_OCTETS} octets")


def _json(octets: bytes) -> Any:
    _check_size(octets)
    try:
        value = msgspec.json.decode(octets)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise Faulty("swml_invalid_document", "it is not valid JSON") from None
    check_value(value)
    return value


def _yaml(octets: bytes) -> Any:
    _check_size(octets)
    try:
        return _composed(octets)
    except (yaml.YAMLError, UnicodeDecodeError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f" in line {mark.line + 1}" if mark is not None else ""
        raise Faulty("swml_invalid_document", f"it is not valid YAML{where}") from None


def _composed(octets: bytes) -> Any:
    """The value of the one YAML document in a text."""
    root: list[Any] = []
    open_: list[Any] = [root]  # the collections around what comes next
    keys: list[str | None] = [None]  # and the key, in each, that waits for its value
    documents = 0
    for event in yaml.parse(octets.decode("utf-8"), Loader=LOADER):
        if isinstance(event, yaml.DocumentStartEvent):
            documents += 1
            if documents > 1:
                raise Faulty("swml_invalid_document", "there is more than one YAML document")
        elif isinstance(event, (yaml.MappingEndEvent, yaml.SequenceEndEvent)):
            open_.pop()
            keys.pop()
        elif isinstance(event, yaml.NodeEvent):
            _check_node(event)
            if isinstance(event, yaml.ScalarEvent):
                _put(open_[-1], keys, event.value, _scalar(event))
                continue
            made: Any = {} if isinstance(event, yaml.MappingStartEvent) else []
            _put(open_[-1], keys, None, made)
            open_.append(made)
            keys.append(None)
            if len(open_) > MAX_DEPTH + 1:
                raise Faulty("swml_invalid_document", f"it is nested deeper than {MAX_DEPTH} levels")
    return root[0] if root else None


def _check_node(event: yaml.NodeEvent) -> None:
    if isinstance(event, yaml.AliasEvent) or event.anchor is not None:
        raise Faulty("swml_invalid_document", "YAML anchors and aliases are not taken")
    if isinstance(event, (yaml.ScalarEvent, yaml.CollectionStartEvent)) and event.tag is not None:
        raise Faulty("swml_invalid_document", "YAML tags are not taken")
    if isinstance(event, yaml.ScalarEvent) and _HALF.search(event.value):
        raise Faulty("swml_invalid_document", "half a character is not taken")


def _put(into: Any, keys: list[str | None], text: str | None, value: Any) -> None:
    """Give a value, or the text that is a key, its place in the collection around it."""
    if isinstance(into, list):
        into.append(value)
        return
    key = keys[-1]
    if key is not None:
        into[key] = value
        keys[-1] = None
    elif text is None:
        raise Faulty("swml_invalid_document", "a key of YAML has to be a text")
    elif text in into:
        raise Faulty("swml_invalid_document", f"{text[:40]} stands twice in one object")
    else:
        keys[-1] = text


def _scalar(event: yaml.ScalarEvent) -> object:
    text: str = event.value
    if event.style:  # quoted or in a block
        return text
    if text in _WORDS:
        return _WORDS[text]
    match = _NUMBER.fullmatch(text)
    if match is None:
        return text
    return int(text) if match[1] is None and "e" not in text.lower() else float(text)
