"""Signed tokens: only what we made is read, to the letter."""

from hypothesis import given
from hypothesis import strategies as st

from parley.api.http.signed import Signer

signer = Signer(b"a key", b"tests")
SAID = b"what is said"
TOKEN = signer.token(SAID)


@given(st.binary(max_size=100))
def test_what_is_said_is_read(said: bytes) -> None:
    assert signer.read(signer.token(said)) == said


def test_another_key_or_purpose_reads_nothing() -> None:
    assert Signer(b"another key", b"tests").read(TOKEN) is None
    assert Signer(b"a key", b"other tests").read(TOKEN) is None


@given(st.integers(0, len(TOKEN) - 1), st.sampled_from("AZaz09-_"))
def test_no_letter_can_be_changed(at: int, letter: str) -> None:
    forged = TOKEN[:at] + letter + TOKEN[at + 1 :]
    assert signer.read(forged) == (SAID if forged == TOKEN else None)


@given(st.sampled_from(["=", "==", " ", "\n", "+", "."]), st.integers(0, len(TOKEN)))
def test_nor_one_added(letter: str, at: int) -> None:
    assert signer.read(TOKEN[:at] + letter + TOKEN[at:]) is None


@given(st.text(max_size=100))
def test_any_text_is_looked_at(text: str) -> None:
    assert signer.read(text) is None
