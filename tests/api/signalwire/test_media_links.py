"""Links to media: only what we made is taken, for as long as it is good."""

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from parley.api.signalwire.media import MediaLinks, download
from tests.api.signalwire.values import AT, PICTURE

DAY_US = 86_400_000_000
links = MediaLinks(b"a key")
TOKEN = links.url("https://x.example", PICTURE, AT).rpartition("/")[2]
NAMED = (PICTURE.account_id, PICTURE.message_id, PICTURE.id)


def test_a_link_names_its_attachment_for_a_week() -> None:
    assert links.read(TOKEN, AT) == NAMED
    assert links.read(TOKEN, AT + 7 * DAY_US) == NAMED
    assert links.read(TOKEN, AT + 8 * DAY_US) is None


def test_a_link_stays_the_same_all_day() -> None:
    assert links.url("https://x.example", PICTURE, AT + 3_600_000_000).endswith(TOKEN)


def test_another_key_is_another_server() -> None:
    assert MediaLinks(b"another key").read(TOKEN, AT) is None


def test_media_that_are_not_here_are_where_the_client_said() -> None:
    away = replace(PICTURE, content_hash=None, source_url="https://cdn.example/a.png")
    assert links.url("https://x.example", away, AT) == "https://cdn.example/a.png"


@given(st.integers(0, len(TOKEN) - 1), st.sampled_from("AZaz09-_"))
def test_no_letter_can_be_changed(at: int, letter: str) -> None:
    forged = TOKEN[:at] + letter + TOKEN[at + 1 :]
    assert links.read(forged, AT) == (NAMED if forged == TOKEN else None)


@given(st.text(max_size=100))
def test_any_text_is_read(text: str) -> None:
    assert links.read(text, AT) is None


def test_a_download_is_never_a_page_of_ours() -> None:
    for kind, shown in [
        ("image/png", "inline"),
        ("image/svg+xml", "attachment"),
        ("text/html", "attachment"),
        ("application/pdf", "attachment"),
        ('text/html"\r\nx: y', "attachment"),
        (None, "attachment"),
    ]:
        reply = download(replace(PICTURE, content_type=kind), b"octets")
        headers = dict(reply.headers)
        assert headers[b"content-disposition"].startswith(shown.encode())
        assert headers[b"x-content-type-options"] == b"nosniff"
        assert b"sandbox" in headers[b"content-security-policy"]
        assert not any(b"\n" in value or b"\r" in value for value in (reply.content_type, *headers.values()))
    assert download(replace(PICTURE, content_type="evil\r\n"), b"").content_type == b"application/octet-stream"
