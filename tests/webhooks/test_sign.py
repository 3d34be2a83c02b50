import base64
import hashlib
import hmac

from hypothesis import given
from hypothesis import strategies as st
from multidict import MultiDict
from twilio.request_validator import RequestValidator

from parley.webhooks import sign

TEXT = st.text(st.characters(codec="utf-8"), max_size=20)
PAIRS = st.lists(st.tuples(TEXT, TEXT), max_size=8)
URLS = st.sampled_from(
    [
        "https://example.com/callback",
        "https://example.com/myapp.php?foo=1&bar=2",
        "http://localhost:5000/sms?x=%7E%2f",
        "https://u:p@example.com/",
    ]
)


def test_the_vector_of_twilios_documentation() -> None:
    params = {
        "CallSid": "CA1234567890ABCDE",
        "Digits": "1234",
        "From": "+14158675310",
        "To": "+18005551212",
        "Caller": "+14158675310",
    }
    signature = sign.twilio_form("12345", "https://mycompany.com/myapp.php?foo=1&bar=2", list(params.items()))
    assert signature == "GvWf1cFY/Q7PnoempGyD5oXAezc="


@given(TEXT, URLS, PAIRS)
def test_the_official_validator_accepts_forms(token: str, url: str, pairs: list[tuple[str, str]]) -> None:
    signature = sign.twilio_form(token, url, pairs)
    assert RequestValidator(token).compute_signature(url, MultiDict(pairs)) == signature
    assert sign.signalwire_form(token, url, pairs) == signature
    assert RequestValidator(token).validate(url, MultiDict(pairs), signature)


def test_repeated_parameters_count_once_and_in_order() -> None:
    once = sign.twilio_form("t", "https://e.com/", [("a", "1"), ("a", "2"), ("b", "0")])
    assert sign.twilio_form("t", "https://e.com/", [("b", "0"), ("a", "2"), ("a", "1"), ("a", "2")]) == once


@given(TEXT, URLS, st.binary(max_size=50))
def test_signalwire_json(key: str, url: str, body: bytes) -> None:
    sha1, sha256 = sign.signalwire_json(key, url, body)
    assert sha1 == hmac.new(key.encode(), url.encode() + body, hashlib.sha1).hexdigest()
    assert sha256 == hmac.new(key.encode(), url.encode() + body, hashlib.sha256).hexdigest()


def test_a_signature_is_base64_of_twenty_bytes() -> None:
    assert len(base64.b64decode(sign.twilio_form("t", "https://e.com/"), validate=True)) == 20
