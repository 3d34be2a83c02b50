"""Redaction: no secret survives it, and nothing else is lost."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from parley.lib.redaction import MASK, Secret, is_secret_key, mask_url, scrub


class Holder(msgspec.Struct, frozen=True):
    secret: Secret


def test_a_secret_shows_itself_only_when_asked_to() -> None:
    secret = Secret("hunter2")
    shown = f"{secret} {secret!r} {secret:>9} {[secret]} {Holder(secret)}" + "%s" % secret  # noqa: UP031
    assert "hunter2" not in shown
    assert secret.reveal() == "hunter2"


def test_secrets_compare_by_value_with_secrets_only() -> None:
    assert Secret("a") == Secret("a") != Secret("b")
    assert Secret("a") != "a"
    assert {Secret("a"), Secret("a")} == {Secret("a")}
    assert (bool(Secret("")), bool(Secret("a"))) == (False, True)


@pytest.mark.parametrize(
    "key",
    [
        "authorization",
        "Authorization",
        "auth_token",
        "AuthToken",
        "token",
        "api_token",
        "client_secret",
        "password",
        "X-Twilio-Signature",
        "x-signalwire-signature",
        "PARLEY_SECRET_KEY",
        "signing_key",
        "apiKey",
        "X-Api-Key",
        "private key",
        "authtoken",
        "Cookie",
        "Set-Cookie",
    ],
)
def test_names_of_secrets(key: str) -> None:
    assert is_secret_key(key)


@pytest.mark.parametrize("key", ["to", "from", "body", "account_sid", "tokens", "secretary", "author", "key", "status"])
def test_names_of_other_things(key: str) -> None:
    assert not is_secret_key(key)


@pytest.mark.parametrize(
    ("url", "masked"),
    [
        ("https://example.com/a?b=c#rc=2", "https://example.com/a?b=c#rc=2"),
        ("https://u:p@example.com:8443/a", f"https://{MASK}@example.com:8443/a"),
        ("postgresql://parley:p@ss@db/parley", f"postgresql://{MASK}@db/parley"),
        ("https://e.com/?a=1&auth_token=x&b=2", f"https://e.com/?a=1&auth_token={MASK}&b=2"),
        ("https://e.com/?auth%5Ftoken=x", f"https://e.com/?auth%5Ftoken={MASK}"),
        ("https://e.com/?to=%2B1555", "https://e.com/?to=%2B1555"),
        ("https://e.com/?a=1#rc=2&access_token=x", f"https://e.com/?a=1#rc=2&access_token={MASK}"),
        ("https://e.com/#/in?token=x?", f"https://e.com/#/in?token={MASK}"),
        ("https://[broken", MASK),
        ("postgresql://parley:pa/ss@db/parley", MASK),
        ("postgresql://parley:12/ss@db/parley", MASK),
        ("mailto:someone@e.com", "mailto:someone@e.com"),
        ("https://e.com:8443/@someone", "https://e.com:8443/@someone"),
        ("sqlite:///relative/p@th", "sqlite:///relative/p@th"),
        ("sqlite:///relative/path", "sqlite:///relative/path"),
        ("sqlite:////absolute/path?", "sqlite:////absolute/path?"),
        ("https://u:p\tp@e.com/", MASK),
        ("", ""),
    ],
)
def test_mask_url(url: str, masked: str) -> None:
    assert mask_url(url) == masked


def test_scrub_masks_values_at_any_depth_and_leaves_the_original() -> None:
    given_ = {
        "to": "+14155552671",
        "auth_token": "s3cret",
        "headers": {"X-Twilio-Signature": "s3cret", "Host": "e.com"},
        "urls": ["see https://u:s3cret@e.com/ for more", 7],
        "password": Secret("s3cret"),
    }
    scrubbed = scrub(given_)
    assert scrubbed == {
        "to": "+14155552671",
        "auth_token": MASK,
        "headers": {"X-Twilio-Signature": MASK, "Host": "e.com"},
        "urls": [f"see https://{MASK}@e.com/ for more", 7],
        "password": MASK,
    }
    assert given_["auth_token"] == "s3cret"


def test_a_url_is_found_behind_any_scheme_and_any_other_text() -> None:
    long = "a" * 100_000
    for before in ("", "1", long, f"{long} ", "redis+sentinel+", "\u00fc"):
        scrubbed = scrub({"said": f"{before}tls://u:s3cret@e.com/"})["said"]
        assert scrubbed == f"{before}tls://{MASK}@e.com/"


VALUES = st.recursive(
    st.none() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=20,
)


@given(st.dictionaries(st.text(), VALUES, max_size=4))
def test_scrub_keeps_every_key_and_never_raises(mapping: dict[str, object]) -> None:
    assert scrub(mapping).keys() == mapping.keys()


@given(st.text(st.characters(codec=None)))
def test_mask_url_never_raises(text: str) -> None:
    assert isinstance(mask_url(text), str)


@given(st.from_regex(r"[a-z0-9]{4,12}", fullmatch=True), st.sampled_from(["https", "postgresql", "redis"]))
def test_no_userinfo_survives(password: str, scheme: str) -> None:
    assert f":{password}@" not in mask_url(f"{scheme}://user:{password}@host.example/path")
