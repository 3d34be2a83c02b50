"""The URLs in a text, without the punctuation around them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parley.lib.web_links import links, spans


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ("", []),
        ("no link: example.com", []),
        ("https://", []),
        ("https://...", []),
        ("https://__ https://[) https://_a.example", ["https://_a.example"]),
        ("go to https://example.com.", ["https://example.com"]),
        (
            "http://a.example/x?y=1&z=2#f, then HTTPS://B.example!",
            ["http://a.example/x?y=1&z=2#f", "HTTPS://B.example"],
        ),
        ("(https://example.com/a)", ["https://example.com/a"]),
        ("(see https://example.com/a_(b))", ["https://example.com/a_(b)"]),
        ("<https://example.com>", ["https://example.com"]),
        ("https://[::1]:8080/x", ["https://[::1]:8080/x"]),
        ("https://bücher.example/ü", ["https://bücher.example/ü"]),
        ("“https://example.com/q” they said", ["https://example.com/q"]),
        ("«https://example.com/q»", ["https://example.com/q"]),
        ("请看https://example.com/商品，谢谢", ["https://example.com/商品"]),
        ("（https://example.com/1）。", ["https://example.com/1"]),
        ("https://example.com/a\x00b https://example.com/c", ["https://example.com/a", "https://example.com/c"]),
        ("https://example.com/*bold*", ["https://example.com/*bold"]),
        ("javascript://example.com ftp://example.com", []),
    ],
)
def test_links(body: str, found: list[str]) -> None:
    assert links(body) == found


@given(st.text() | st.text("htps:/.)]*_ [(x"))
def test_any_text_is_read(body: str) -> None:
    found = list(spans(body))
    assert [body[begin:end] for begin, end in found] == links(body)
    assert all(body[begin:end].lower().startswith(("http://", "https://")) for begin, end in found)
    assert found == sorted(found)
