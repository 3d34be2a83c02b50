"""Read the settings of webhooks that numbers, short codes and applications share: URLs, empty to unset them."""

from parley.api.http.decode import Form
from parley.api.twilio.problems import Invalid
from parley.api.twilio.urls import Urls


def given_url(form: Form, name: str, urls: Urls) -> str | None:
    """A URL; empty to unset it, None when not given. Raises Invalid 21402."""
    url = form.one(name)
    if url and (fault := urls.callback_fault(url)):
        raise Invalid(21402, f"{name} {fault}", name)
    return url


def url_or(form: Form, name: str, urls: Urls, present: str | None) -> str | None:
    """A URL as it is after the request: `present` when not given, None when unset. Raises Invalid 21402."""
    url = given_url(form, name, urls)
    return present if url is None else url or None
