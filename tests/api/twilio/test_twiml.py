import pytest
from twilio.twiml.messaging_response import MessagingResponse

from parley.api.twilio.twiml import MAX_DOCUMENT, parse
from parley.webhooks.render import Redirect, Remark, Say, UnreadableAnswer

XML = "text/xml"


def twiml(inside: str) -> bytes:
    return f'<?xml version="1.0" encoding="UTF-8"?><Response>{inside}</Response>'.encode()


def refused(body: bytes, content_type: str | None = XML) -> int:
    with pytest.raises(UnreadableAnswer) as caught:
        parse(body, content_type)
    return caught.value.code


@pytest.mark.parametrize("content_type", ["text/xml", "application/xml; charset=utf-8", "TEXT/HTML;charset=UTF-8"])
def test_a_message_of_the_official_library(content_type: str) -> None:
    response = MessagingResponse()
    response.message("Hé <& 🎉>", to="+15551230001", from_="+15551230002", action="/next", method="GET")
    response.redirect("https://example.com/after?a=1&b=2", method="GET")
    assert parse(str(response).encode(), content_type) == [
        Say(body="Hé <& 🎉>", to="+15551230001", sender="+15551230002", action="/next", action_method="GET")
    ]  # action leads on to another document: the Redirect is never reached


def test_body_and_media() -> None:
    response = MessagingResponse()
    message = response.message(status_callback="https://example.com/status")
    message.body("Look")
    message.media("https://example.com/a.png")
    message.media("/b.png")
    response.message("bare text").media("c.png")
    assert parse(str(response).encode(), XML) == [
        Say(
            body="Look",
            media=("https://example.com/a.png", "/b.png"),
            status_callback="https://example.com/status",
        ),
        Say(body="bare text", media=("c.png",)),
    ]


def test_redirect_ends_the_document() -> None:
    inside = "<Message>a</Message><Redirect> ../next </Redirect><Unheard/><Message/>"
    assert parse(twiml(inside), XML) == [Say(body="a"), Redirect(url="../next")]


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"", None),
        (b" \r\n", "application/json"),
        (b"<Response/>", XML),
        (b"<Response>\n <!-- nothing -->\n</Response>", XML),
        (b"  \n", "text/plain"),
    ],
)
def test_no_reply(body: bytes, content_type: str | None) -> None:
    assert parse(body, content_type) == []


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        ("Olé\n".encode(), "text/plain"),
        ("Olé".encode("latin-1"), "text/plain; charset=ISO-8859-1"),
        (b"\xef\xbb\xbf" + "Olé".encode(), "text/plain"),
        (twiml("<Message>\n  Olé\n</Message>"), XML),
        (b"\n\n" + twiml("<Message>Ol&#233;</Message>"), XML),
        (b"\xef\xbb\xbf" + twiml("<Message>Olé</Message>"), XML),
        (twiml("<Message><![CDATA[Olé]]></Message>"), XML),
        (twiml("<Message>O<!-- x -->l<?y?>é</Message>"), XML),
        (
            "<?xml version='1.0' encoding='ISO-8859-1'?><Response><Message>Olé</Message></Response>".encode("latin-1"),
            XML,
        ),
        (
            "<?xml version='1.0' encoding='UTF-16'?><Response><Message>Olé</Message></Response>".encode("utf-16"),
            "application/xml",
        ),
    ],
)
def test_encodings_and_spacing(body: bytes, content_type: str) -> None:
    assert parse(body, content_type) == [Say(body="Olé")]


def test_inner_line_breaks_are_kept() -> None:
    assert parse(twiml("<Message><Body> a\n\nb </Body></Message>"), XML) == [Say(body="a\n\nb")]


BOMB = (
    b'<!DOCTYPE r [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
    b"<Response><Message>&b;</Message></Response>"
)


@pytest.mark.parametrize(
    "body",
    [
        b"OK",
        b"<Response>",
        b"<Response><Message>&nbsp;</Message></Response>",
        b"<Response><Message>\x00</Message></Response>",
        b"<Response><Message>&#0;</Message></Response>",
        b"<Response><Message>\xff</Message></Response>",
        b"\xff\xfe<\x00",
        b"<?xml version='1.0' encoding='utf-7'?><Response/>",
        b"<?xml version='1.0' encoding='rot13'?><Response/>",
        b"<!doctype html><html><body>It works</body></html>",
        b'<!DOCTYPE Response SYSTEM "file:///etc/passwd"><Response/>',
        b'<?xml version="1.0"?>\n<!-- x --><!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]><Response>&x;</Response>',
        BOMB,
        b"<Response>" + b"<a>" * 400 + b"</a>" * 400 + b"</Response>",
    ],
)
def test_what_does_not_parse_is_12100(body: bytes) -> None:
    assert refused(body) == 12100


@pytest.mark.parametrize(
    ("inside", "code"),
    [
        ("<Redirect><Message/></Redirect>", 11100),
        ("<Message><b>hi</b></Message>", 14103),
        ("<Redirect/>", 11100),
        ("<Redirect>ftp://example.com/</Redirect>", 11100),
        ('<Redirect method="PUT">/x</Redirect>', 13710),
        ('<Message to="">hi</Message>', 14101),
        (f'<Message from="{"1" * 65}">hi</Message>', 14102),
        ("<Message/>", 14103),
        ("<Message> <Body/> </Message>", 14103),
        (f"<Message>{'x' * 1601}</Message>", 14103),
        ("<Message><Media>javascript:alert(1)</Media></Message>", 14103),
        (f"<Message>{'<Media>/a</Media>' * 11}</Message>", 14103),
        ('<Message method="DELETE">hi</Message>', 14104),
        ('<Message statusCallback="mailto:a@b">hi</Message>', 14105),
        ('<Message action="">hi</Message>', 11100),
        ("<Message>hi</Message>" * 11, 14109),
    ],
)
def test_what_is_not_messaging_is_named(inside: str, code: int) -> None:
    assert refused(twiml(inside)) == code


@pytest.mark.parametrize(
    ("inside", "said"),
    [
        ("<Say>hi</Say><Message>a</Message>", ["a"]),
        ("<message>hi</message>", []),
        ("hi", []),
        ("<Message>a</Message>stray<Message>b</Message>", ["a", "b"]),
        ("<Message>a<b>hi</b></Message>", ["a"]),
        ("<Message><Body>hi <b>there</b>you</Body></Message>", ["hi you"]),
        ('<Message colour="red">hi</Message>', ["hi"]),
        ('<Message><Body lang="en">hi</Body></Message>', ["hi"]),
        ("<Say/>" * 400 + "<Message>a</Message>" * 10, ["a"] * 10),
    ],
)
def test_what_the_schema_does_not_know_is_passed_over_and_told_once(inside: str, said: list[str]) -> None:
    remark, *verbs = parse(twiml(inside), XML)
    assert isinstance(remark, Remark)
    assert remark.code == 12200
    assert verbs == [Say(body=body) for body in said]


def test_a_redirect_with_something_odd_leads_on() -> None:
    remark, verb = parse(twiml('<Redirect colour="red">/next</Redirect>'), XML)
    assert isinstance(remark, Remark)
    assert verb == Redirect("/next")


def test_limits_are_inclusive() -> None:
    assert parse(twiml(f"<Message>{'x' * 1600}{'<Media>/a</Media>' * 10}</Message>"), XML)
    assert len(parse(twiml("<Message>hi</Message>" * 10), XML)) == 10
    assert len(parse(twiml("<Message>hi</Message>" * 10 + "<Redirect>/more</Redirect>"), XML)) == 11


def test_root_type_and_size() -> None:
    assert refused(b"<Reply/>") == 12102
    assert refused(b'{"a":1}', "application/json") == 12300
    assert refused(b"<Response/>", None) == 12300
    assert refused(b"x" * (MAX_DOCUMENT + 1), "text/plain") == 11750
    assert refused(b"a\x00b", "text/plain") == 14103
    assert refused(b"x" * 1601, "text/plain") == 14103


def test_reasons_do_not_repeat_the_text() -> None:
    with pytest.raises(UnreadableAnswer) as caught:
        parse(twiml('<Message to="">the code is 123456</Message>'), XML)
    assert "123456" not in str(caught.value)
