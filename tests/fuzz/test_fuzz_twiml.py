from hypothesis import given
from hypothesis import strategies as st
from twilio.twiml.messaging_response import MessagingResponse

from parley.api.twilio.twiml import parse
from parley.webhooks.render import Redirect, Remark, Say, UnreadableAnswer, Verb

TYPES = st.sampled_from(
    [
        None,
        "text/xml",
        "application/xml; charset=utf-16",
        "text/html; charset=x",
        "text/plain",
        "text/plain; charset=\x00",
    ]
)
PIECES = st.sampled_from(
    [
        b"<Response>", b"</Response>", b"<Message>", b"</Message>", b"<Body>", b"</Body>", b"<Media>", b"</Media>",
        b"<Redirect", b"</Redirect>", b" to='", b" method='GET'", b"'", b">", b"/>", b"&amp;", b"&#x0;", b"&x;",
        b"<!DOCTYPE a [", b"<!ENTITY x 'y'>", b"]>", b"<![CDATA[", b"]]>", b"<!--", b"-->", b"<?xml version='1.0'",
        b"\x00", b" encoding='utf-16'", b"?>", b"\xff\xfe", b"\xef\xbb\xbf", b"https://example.com/", b"text", b" ",
    ]
)  # fmt: skip
WORDS = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Cn", "Co"]), min_size=1, max_size=40).map(
    lambda text: f"x{text}x"
)
URLS = st.sampled_from(["https://example.com/a?b=1&c=2", "/relative", "next.xml", "http://u:p@[2001:db8::1]:8/#rc=2"])
METHODS = st.sampled_from(["GET", "POST"])


def check(body: bytes, content_type: str | None) -> None:
    try:
        verbs = parse(body, content_type)
    except UnreadableAnswer as error:
        known = 11000 < error.code < 15000
    else:
        known = all(isinstance(verb, Say | Redirect | Remark) for verb in verbs)
    assert known


@given(st.binary(max_size=300), TYPES)
def test_any_bytes(body: bytes, content_type: str | None) -> None:
    check(body, content_type)


@given(st.lists(PIECES, max_size=30), TYPES)
def test_any_soup_of_xml(pieces: list[bytes], content_type: str | None) -> None:
    check(b"".join(pieces), content_type)
    check(b"<Response>" + b"".join(pieces) + b"</Response>", content_type)


@given(st.text(max_size=60))
def test_any_content_type(content_type: str) -> None:
    check(b"<Response><Message>a</Message></Response>", content_type)


@given(
    st.lists(
        st.builds(Say, body=WORDS, media=st.lists(URLS, max_size=10).map(tuple), action_method=METHODS), max_size=10
    ),
    st.none() | st.builds(Redirect, url=URLS, method=METHODS),
)
def test_official_documents_come_back(messages: list[Say], redirect: Redirect | None) -> None:
    response = MessagingResponse()
    expected: list[Verb] = []
    for message in messages:
        element = response.message(method=message.action_method)
        element.body(message.body)
        for url in message.media:
            element.media(url)
        expected.append(message)
    if redirect is not None:
        response.redirect(redirect.url, method=redirect.method)
        expected.append(redirect)
    assert parse(str(response).encode(), "text/xml") == expected
