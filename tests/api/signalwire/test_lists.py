"""Logs and the list of messages: pages forwards and back, times, and what a bad question is answered."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.api.admin.client import Client as Record
from tests.api.signalwire.client import Client
from tests.server import Server, serve

LOGS = "/api/messaging/logs"
MESSAGES = "/api/messaging/messages"
COUNT = 7


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Return a server with seven messages, which will not change any more, and nothing else."""
    with serve(f"sqlite:///{tmp_path_factory.mktemp('lists')}/parley.db") as parley:
        client, record = Client(parley), Record(parley)
        for sent in [client.send(to=f"+1555910000{n}", body=f"message {n}") for n in range(COUNT)]:
            record.in_state(sent["id"], "delivered")
        yield parley


def recipients(page: Any) -> list[str]:
    return [item["to"] for item in page["data"]]


@pytest.mark.parametrize("path", [LOGS, MESSAGES])
def test_pages_forwards_and_back(client: Client, path: str) -> None:
    everything = recipients(client.ask("GET", path, 200))
    assert everything == [f"+1555910000{n}" for n in reversed(range(COUNT))]
    page = client.ask("GET", f"{path}?page_size=3", 200)
    assert "prev" not in page["links"]
    seen, pages = recipients(page), [page]
    while "next" in pages[-1]["links"]:
        pages.append(client.ask("GET", pages[-1]["links"]["next"], 200))
        seen += recipients(pages[-1])
    assert seen == everything
    assert [len(page["data"]) for page in pages] == [3, 3, 1]
    assert "page_number=2" in pages[2]["links"]["self"]
    assert client.ask("GET", pages[1]["links"]["self"], 200) == pages[1]
    back = client.ask("GET", pages[2]["links"]["prev"], 200)
    assert recipients(back) == recipients(pages[1])
    first = client.ask("GET", back["links"]["prev"], 200)
    assert recipients(first) == recipients(pages[0])
    assert "prev" not in first["links"]
    assert recipients(client.ask("GET", first["links"]["next"], 200)) == recipients(pages[1])
    assert client.ask("GET", pages[1]["links"]["first"], 200) == page


def test_the_list_has_the_shape_of_messages(client: Client) -> None:
    listed = client.ask("GET", f"{MESSAGES}?page_size=1", 200)["data"][0]
    assert client.ask("GET", f"{MESSAGES}/{listed['id']}", 200) == listed
    assert listed["body"] == f"message {COUNT - 1}"


def test_times(client: Client) -> None:
    newest = client.ask("GET", f"{LOGS}?page_size=1", 200)["data"][0]
    made = datetime.fromisoformat(newest["created_at"])
    earlier, later = (made + timedelta(hours=h) for h in (-1, 1))

    def count(**asked: str) -> int:
        return len(client.ask("GET", LOGS, 200, params=asked)["data"])

    assert count(created_after=earlier.isoformat()) == COUNT
    assert count(created_after=later.isoformat()) == 0
    assert count(created_before=later.isoformat(), created_after=earlier.isoformat()) == COUNT
    assert count(created_before=earlier.replace(tzinfo=None).isoformat()) == 0
    assert count(created_on="2020-02-29") == 0
    assert count(created_before="0001-01-01") == 0
    assert count(created_after="9999-12-31T23:59:59Z") == 0
    unescaped = earlier.isoformat().replace("+", " ")
    assert count(created_after=unescaped) == COUNT


@pytest.mark.parametrize(
    ("query", "code", "attribute"),
    [
        ("created_before=soon", "datetime_required", "created_before"),
        ("created_on=2025-13-01", "datetime_required", "created_on"),
        ("created_after=12", "datetime_required", "created_after"),
        ("created_after=", "datetime_required", "created_after"),
        ("include_deleted=maybe", "not_a_boolean", "include_deleted"),
        ("page_number=1", "page_token_required", "page_token"),
        ("page_number=1&page_token=x", "page_token_is_invalid", "page_token"),
        ("page_token=PA" + "A" * 23, "page_token_is_invalid", "page_token"),
        ("page_token=%C3%A9", "page_token_is_invalid", "page_token"),
        ("page_size=0", "invalid_parameter", "page_size"),
        ("page_size=-1", "invalid_parameter", "page_size"),
        ("page_size=ten", "invalid_parameter", "page_size"),
        ("page_number=-1", "invalid_parameter", "page_number"),
        ("page_size=1&page_size=2", "invalid_parameter", "page_size"),
        ("status=sent", "invalid_parameter", "status"),
    ],
)
@pytest.mark.parametrize("path", [LOGS, MESSAGES])
def test_bad_questions(client: Client, path: str, query: str, code: str, attribute: str) -> None:
    assert client.codes("GET", f"{path}?{query}") == [(code, attribute)]


@pytest.mark.parametrize("query", ["page_size=%FF", "page_token=%00", "a=%80"])
def test_what_is_no_text(client: Client, query: str) -> None:
    assert client.ask("GET", f"{LOGS}?{query}", 400) == {"error": "Bad Request"}


def test_a_size_beyond_the_most_is_the_most(client: Client) -> None:
    assert "page_size=1000" in client.ask("GET", f"{LOGS}?page_size=5000", 200)["links"]["self"]


def test_deleted_messages_are_listed_when_asked_for(client: Client, server: Server) -> None:
    message = client.send(to="+15559100009", body="to be deleted")
    sid = "SM" + message["id"].replace("-", "")
    twilio = f"/2010-04-01/Accounts/{server.account_sid}/Messages/{sid}.json"
    Record(server).in_state(message["id"], "delivered")
    assert client.raw("DELETE", twilio).status_code == 204
    try:
        assert "+15559100009" not in recipients(client.ask("GET", LOGS, 200))
        assert "+15559100009" in recipients(client.ask("GET", f"{LOGS}?include_deleted=true", 200))
        client.ask("GET", f"{LOGS}/{message['id']}", 404)
    finally:
        assert client.ask("GET", f"{LOGS}?include_deleted=false", 200)


_NAMES = st.sampled_from(["page_size", "page_number", "page_token", "created_on", "created_after", "include_deleted"])


@settings(max_examples=60)
@given(st.lists(st.tuples(_NAMES | st.text(max_size=10), st.text(max_size=30)), max_size=4))
def test_no_query_breaks_it(server: Server, query: list[tuple[str, str]]) -> None:
    response = Client(server).raw("GET", LOGS, params=query)
    assert response.status_code in (200, 400, 422), response.text
