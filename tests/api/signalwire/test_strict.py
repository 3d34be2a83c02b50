"""The strict profile: numbers must be owned and dialable, and callbacks may not lead inside."""

from collections.abc import Iterator

import pytest

from tests.api.signalwire.client import Client
from tests.server import Server, serve

MESSAGES = "/api/messaging/messages"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Return a server of the strict profile, whose account owns one number, which needs no campaign to send."""
    url = f"sqlite:///{tmp_path_factory.mktemp('strict')}/parley.db"
    with serve(url, profile="strict", campaign_registration=False) as parley:
        numbers = parley.app.numbers
        parley.run(numbers.own(numbers.blank(parley.account_id, "+14155550100", "signalwire")))
        yield parley


def test_a_number_of_the_project_sends(client: Client) -> None:
    assert client.send(**{"from": "+14155550100", "to": "+14155550123"})["status"] == "queued"


def test_nobody_elses_number_does(client: Client) -> None:
    given = {"from": "+14155550199", "to": "+14155550123", "body": "x"}
    assert client.codes("POST", MESSAGES, json=given) == [("invalid_from_number", "from")]


def test_a_number_that_cannot_be_is_refused(client: Client) -> None:
    given = {"from": "+14155550100", "to": "+1415555", "body": "x"}
    assert client.codes("POST", MESSAGES, json=given) == [("invalid_to_number", "to")]


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/x", "http://localhost/x", "http://10.1.2.3/x", "http://[::1]/x"])
def test_no_callback_leads_inside(client: Client, url: str) -> None:
    given = {"from": "+14155550100", "to": "+14155550123", "body": "x"}
    wrong = client.codes("POST", MESSAGES, json=given | {"status_callback": url, "media": [url]})
    assert wrong == [("url_is_unsafe", "media"), ("url_is_unsafe", "status_callback")]
