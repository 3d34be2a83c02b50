"""What an application answers to an inbound message: TwiML or plain text, parsed into the verbs to carry out.
The answer is a stranger's document, so the XML side is hardened.
"""

import re
from typing import Final

from lxml import etree

from parley.webhooks.render import Redirect, Remark, Say, UnreadableAnswer, Verb

MAX_DOCUMENT: Final = 64 * 1024
"""Largest document in bytes (error 11750)."""
MAX_REPLIES: Final = 10
"""Most messages that may answer one inbound message, over all its documents (error 14109)."""
MAX_DOCUMENTS: Final = 50
"""Most documents fetched for one inbound message, through Redirect and action (error 14106)."""
MAX_BODY: Final = 1600
"""Longest text of one message, in characters (error 14103)."""
MAX_MEDIA: Final = 10
"""Most media of one message (error 14103)."""

_WARNING: Final = 12200
_TWIML_TYPES: Final = frozenset({"text/xml", "application/xml", "text/html"})
_SPACE: Final = " \t\r\n"
_ENCODINGS: Final = {
    "utf-8": "utf-8",
    "utf8": "utf-8",
    "us-ascii": "ascii",
    "ascii": "ascii",
    "iso-8859-1": "latin-1",
    "latin1": "latin-1",
    "windows-1252": "cp1252",
    "utf-16": "utf-16",
    "utf-16le": "utf-16-le",
    "utf-16be": "utf-16-be",
}
_BOMS: Final = ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"))
_CHARSET = re.compile(r""";\s*charset\s*=\s*["']?([^"';\s]*)""", re.IGNORECASE)
_DECLARED = re.compile(rb"""\s*<\?xml[^>]*?\sencoding\s*=\s*["']([A-Za-z0-9._-]*)["']""")
_DECLARATION = re.compile(r"\s*<\?xml\s[^>]*\?>")
_DOCTYPE = re.compile(r"(?:\s+|<\?.*?\?>|<!--.*?-->)*+<!DOCTYPE", re.DOTALL)
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_URL = re.compile(r"(?:https?://[^/?#\s][^\s\x00-\x1f\x7f]*|(?![a-z][a-z0-9+.-]*:)[^\s\x00-\x1f\x7f]+)", re.IGNORECASE)
_METHODS: Final = frozenset({"GET", "POST"})


def parse(body: bytes, content_type: str | None) -> list[Verb]:
    """The verbs of an answer, in order, ending with the first that leads to another document: nothing after it is
    reached. No content and an empty Response mean no verbs; text/plain is one message.

    What the schema doesn't know (a verb, an attribute, an element or text out of place) is passed over: a Remark with
    12200, which Twilio only warns of, stands before the verbs and tells the first.

    Raises UnreadableAnswer only. Its code is Twilio's (twilio.com/docs/api/errors): 11100 bad URL, 11750 too large,
    12100 not XML, 12102 root isn't Response, 12300 content type, 13710 Redirect method, 14101 to, 14102 from, 14103
    body or media, 14104 method, 14105 statusCallback, 14109 too many messages. Its reason is for people and quotes
    names only, never text.
    """
    if len(body) > MAX_DOCUMENT:
        raise UnreadableAnswer(11750, f"the answer is larger than {MAX_DOCUMENT} bytes")
    if not body.strip():
        return []
    media_type = (content_type or "").partition(";")[0].strip().lower()
    charset = _CHARSET.search(content_type or "")
    if media_type == "text/plain":
        text = _decode(body, charset.group(1) if charset else "").strip(_SPACE)
        return [_message(text, [], {})] if text else []
    if media_type not in _TWIML_TYPES:
        raise UnreadableAnswer(12300, "the answer's Content-Type is neither XML nor text/plain")
    return _verbs(_root(body, charset.group(1) if charset else ""))


def _decode(body: bytes, charset: str) -> str:
    """Text of the bytes: a byte order mark rules over the header's charset, and that over the XML declaration."""
    marked = next(((mark, encoding) for mark, encoding in _BOMS if body.startswith(mark)), None)
    if marked is not None:
        mark, encoding = marked
        body = body.removeprefix(mark)
    else:
        declared = _DECLARED.match(body)
        name = charset or (declared.group(1).decode("ascii") if declared else "") or "utf-8"
        encoding = _ENCODINGS.get(name.lower(), "")
    if not encoding:
        raise UnreadableAnswer(12100, "the answer's character encoding is not supported")
    try:
        return body.decode(encoding)
    except UnicodeDecodeError:
        raise UnreadableAnswer(12100, f"the answer is not valid {encoding}") from None


def _root(body: bytes, charset: str) -> etree._Element:
    text = _decode(body, charset).lstrip(_SPACE)  # tolerated: templates like to begin with an empty line
    text = _DECLARATION.sub("", text, count=1) if text.startswith("<?xml") else text
    if "\x00" in text:
        raise UnreadableAnswer(12100, "the document contains a NUL")
    if _DOCTYPE.match(text):
        raise UnreadableAnswer(12100, "the document has a DOCTYPE")
    # A parser of its own for each document: lxml's keep state between documents and aren't shared among threads.
    parser = etree.XMLParser(
        encoding="utf-8",
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        root = etree.fromstring(text.encode(), parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise UnreadableAnswer(12100, f"the document is not well-formed XML: {_position(error)}") from None
    if root.getroottree().docinfo.internalDTD is not None:
        raise UnreadableAnswer(12100, "the document has a DOCTYPE")
    if root.tag != "Response":
        raise UnreadableAnswer(12102, "the root element is not Response")
    return root


def _verbs(root: etree._Element) -> list[Verb]:
    verbs: list[Verb] = []
    odd: list[str] = []
    _no_text(root.text, root, odd)
    for element in root:
        verb = _verb(element, odd)
        if verb is not None:
            verbs.append(verb)
            if len(verbs) > MAX_REPLIES and isinstance(verb, Say):
                raise UnreadableAnswer(14109, f"more than {MAX_REPLIES} messages answer one message")
            if isinstance(verb, Redirect) or verb.action is not None:
                break
        _no_text(element.tail, root, odd)
    return [Remark(_WARNING, odd[0]), *verbs] if odd else verbs


def _verb(element: etree._Element, odd: list[str]) -> Say | Redirect | None:
    """The verb of an element, None when there is none; what is `odd` about it is added to that."""
    match element.tag:
        case "Message":
            return _message_verb(element, odd)
        case "Redirect":
            _known(element, {"method"}, odd)
            return Redirect(
                url=_url(_own_text(element, odd), 11100, "Redirect"),
                method=_method(element.get("method"), 13710, "Redirect"),
            )
        case _:
            odd.append(f"{_name(element)} is not a verb of messaging")
            return None


def _message_verb(element: etree._Element, odd: list[str]) -> Say:
    attributes = _known(element, {"to", "from", "action", "method", "statusCallback"}, odd)
    texts = [element.text]
    media: list[str] = []
    for child in element:
        match child.tag:
            case "Body":
                texts.append(_own_text(child, odd))
            case "Media":
                media.append(_url(_own_text(child, odd), 14103, "Media"))
            case _:
                odd.append(f"{_name(child)} does not belong into Message")
        _known(child, set(), odd)
        texts.append(child.tail)
    pieces = [piece for text in texts if text and (piece := text.strip(_SPACE))]
    return _message("\n".join(pieces), media, attributes)


def _message(text: str, media: list[str], attributes: dict[str, str]) -> Say:
    if not text and not media:
        raise UnreadableAnswer(14103, "the message has neither text nor media")
    if len(text) > MAX_BODY:
        raise UnreadableAnswer(14103, f"the message is longer than {MAX_BODY} characters")
    if _CONTROL.search(text):
        raise UnreadableAnswer(14103, "the message contains control characters")
    if len(media) > MAX_MEDIA:
        raise UnreadableAnswer(14103, f"the message has more than {MAX_MEDIA} media")
    action = attributes.get("action")
    callback = attributes.get("statusCallback")
    return Say(
        body=text,
        media=tuple(media),
        to=_address(attributes.get("to"), 14101, "to"),
        sender=_address(attributes.get("from"), 14102, "from"),
        action=None if action is None else _url(action.strip(_SPACE), 11100, "action"),
        action_method=_method(attributes.get("method"), 14104, "Message"),
        status_callback=None if callback is None else _url(callback.strip(_SPACE), 14105, "statusCallback"),
    )


def _known(element: etree._Element, names: set[str], odd: list[str]) -> dict[str, str]:
    """An element's attributes of these names."""
    attributes = {str(name): str(value) for name, value in element.attrib.items()}
    if not attributes.keys() <= names:
        odd.append(f"{_name(element)} has an unknown attribute")
    return {name: value for name, value in attributes.items() if name in names}


def _own_text(element: etree._Element, odd: list[str]) -> str:
    """An element's text without that of elements in it, which do not belong there."""
    if len(element):
        odd.append(f"{_name(element)} contains an element")
    return "".join(text for text in (element.text, *(child.tail for child in element)) if text).strip(_SPACE)


def _no_text(text: str | None, element: etree._Element, odd: list[str]) -> None:
    if text and text.strip(_SPACE):
        odd.append(f"{_name(element)} contains text outside of a verb")


def _address(text: str | None, code: int, name: str) -> str | None:
    """An address as written, for the core to judge; only what can't be one is refused here."""
    if text is None:
        return None
    address = text.strip(_SPACE)
    if not address or len(address) > 64 or _CONTROL.search(address):
        raise UnreadableAnswer(code, f"the {name} attribute is not an address")
    return address


def _url(text: str, code: int, name: str) -> str:
    if len(text) > 4000 or not _URL.fullmatch(text):
        raise UnreadableAnswer(code, f"{name} is not a URL")
    return text


def _method(text: str | None, code: int, name: str) -> str:
    method = "POST" if text is None else text.strip(_SPACE).upper()
    if method not in _METHODS:
        raise UnreadableAnswer(code, f"the method of {name} is neither GET nor POST")
    return method


def _name(element: etree._Element) -> str:
    return str(element.tag)[:40]


def _position(error: Exception) -> str:
    line, column = getattr(error, "position", (0, 0))
    return f"line {line}, column {column}"
