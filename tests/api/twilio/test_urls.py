"""URLs are judged once, but for those that are too long to be worth remembering."""

from yarl import URL

from parley.api.twilio.urls import Urls
from parley.webhooks.guard import MAX_URL, Guard

AT = "https://example.com/"


class Counting(Guard):
    """Counts how often it is asked."""

    asked = 0

    def check_url(self, url: str) -> URL:
        """Judge a URL."""
        self.asked += 1
        return super().check_url(url)


def test_a_judgement_is_remembered_unless_the_url_is_too_long() -> None:
    guard = Counting()
    urls = Urls(guard)
    longest = AT + "x" * (MAX_URL - len(AT))
    for url, told in ((longest, None), (longest + "x", "longer than 4000"), ("ftp://example.com/", "not http")):
        guard.asked = 0
        faults = [urls.fault(url), urls.callback_fault(url)]
        assert faults == [None, None] if told is None else all(told in (fault or "") for fault in faults)
        assert guard.asked == (2 if len(url) > MAX_URL else 1)


def test_an_underscore_matters_in_the_host_of_what_is_called_back() -> None:
    urls = Urls(Guard())
    assert urls.callback_fault("https://example.com/a_b?c_d") is None
    assert urls.fault("https://a_b.example.com/") is None
    assert "underscore" in (urls.callback_fault("https://a_b.example.com/") or "")
