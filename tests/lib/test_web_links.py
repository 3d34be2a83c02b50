"""The URLs in a text, without the punctuation around them."""

import re

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
        ("https://example.com/o'brien's?q='x'/y", ["https://example.com/o'brien's?q='x'/y"]),
        ("at 'https://example.com/a', or 'https://example.com'.", ["https://example.com/a", "https://example.com"]),
        (
            "{'a':'https://example.com/a','b':'https://example.com/b'}",
            ["https://example.com/a", "https://example.com/b"],
        ),
        ("https://example.com's page, http://example.com/a'_!", ["https://example.com", "http://example.com/a"]),
    ],
)
def test_links(body: str, found: list[str]) -> None:
    assert links(body) == found


HOSTS = st.sampled_from(["example.com", "a.b-c.example:8080", "bücher.example", "[::1]:80", "u:p@example.com"])
INSIDE = st.text(st.sampled_from("aZ9ü商-_.~%/?#@!$&'*+,;=:"), max_size=12)
PATHS = st.builds("{}{}{}".format, st.sampled_from("/?#"), INSIDE, st.sampled_from("aZ9ü商/%=&-"))
URLS = st.builds("{}{}{}".format, st.sampled_from(["https://", "http://", "HTTPS://"]), HOSTS, PATHS | st.just(""))
BEFORE = st.sampled_from(["", "(", "'", '"', "«", "see: ", "<", "*", "请看", "a="])
AFTER = st.sampled_from([" ", ". ", "', ", '" ', ") ", "»", "> ", "。", "!\n", "… ", "?) ", "\x00", "'. "])


@given(st.lists(st.tuples(BEFORE, URLS.filter(lambda url: "''" not in url), AFTER), max_size=4))
def test_whatever_stands_around_a_url_is_not_of_it_and_all_else_is(parts: list[tuple[str, str, str]]) -> None:
    # An apostrophe that no word follows is taken for a quote; brackets are their own tests' matter.
    sound = [(before, re.sub(r"'(?![\w/%])", "", url), after) for before, url, after in parts]
    assert links("".join(map("".join, sound))) == [url for _, url, _ in sound]


@given(st.text() | st.text("htps:/.)]*_ [(x"))
def test_any_text_is_read(body: str) -> None:
    found = list(spans(body))
    assert [body[begin:end] for begin, end in found] == links(body)
    assert all(body[begin:end].lower().startswith(("http://", "https://")) for begin, end in found)
    assert found == sorted(found)
