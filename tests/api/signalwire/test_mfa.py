"""Codes by SMS: sent, told back, bounded in tries and time."""

from typing import Any

from tests.api.signalwire.client import Client
from tests.clock import ManualClock
from tests.server import Server, serve

MFA = "/api/relay/rest/mfa"
OURS = "+15551234567"


def begin(client: Client, to: str, **given: Any) -> tuple[str, str]:
    """Ask for a code; where to tell it, and the code as the phone has it."""
    asked = client.ask("POST", f"{MFA}/sms", 200, json={"to": to, **given})
    [told] = client.inbox(to)
    return f"{MFA}/{asked['id']}/verify", told["body"].rpartition(" ")[2]


def is_right(client: Client, path: str, code: str) -> bool:
    answer = client.ask("POST", path, 200, json={"token": code})
    return bool(answer["success"])


def test_a_code_is_good_once(client: Client) -> None:
    path, code = begin(client, "+15559610001", **{"from": OURS})
    assert (len(code), code.isdigit()) == (6, True)
    assert not is_right(client, path, "x")
    assert is_right(client, path, code)
    assert client.ask("POST", path, 404, json={"token": code}) == {"error": "Not Found"}


def test_tries_are_bounded(client: Client) -> None:
    path, code = begin(client, "+15559610002", max_attempts=2, token_length=8, allow_alphas=True, message="Yours:")
    assert len(code) == 8
    assert not is_right(client, path, "00000000")
    assert not is_right(client, path, "00000000")
    client.ask("POST", path, 404, json={"token": code})


def test_the_record_does_not_hold_the_code(fresh_server: Server) -> None:
    client = Client(fresh_server)
    path, code = begin(client, "+15559610003")
    kept = fresh_server.run(fresh_server.app.verify.kept.family(fresh_server.account_id))
    assert [each.value.to for each in kept] == ["+15559610003"]
    assert code not in str(kept)
    assert is_right(client, path, code)


def test_a_code_ends(tmp_path: Any) -> None:
    clock = ManualClock()
    with serve(f"sqlite:///{tmp_path}/parley.db", clock) as server:
        client = Client(server)
        asked = client.ask("POST", f"{MFA}/sms", 200, json={"to": "+15559610004", "valid_for": 60})
        clock.advance(61)
        client.ask("POST", f"{MFA}/{asked['id']}/verify", 404, json={"token": "123456"})
        assert server.run(server.app.verify.turn()) > 0
        assert server.run(server.app.verify.kept.count(server.account_id)) == 0


def test_each_error(client: Client) -> None:
    for given, code in (
        ({}, "missing_required_parameter"),
        ({"to": "5551234"}, "invalid_to_number"),
        ({"to": "988"}, "invalid_to_number"),
        ({"to": "whatsapp:+15559610005"}, "invalid_to_number"),
        ({"to": "+15559610005", "token_length": 3}, "invalid_parameter"),
        ({"to": "+15559610005", "max_attempts": 21}, "invalid_parameter"),
        ({"to": "+15559610005", "valid_for": True}, "invalid_parameter"),
        ({"to": "+15559610005", "allow_alphas": "yes"}, "not_a_boolean"),
        *(
            ({"to": "+15559610005", "from": sender}, "invalid_from_number")
            for sender in ("ACME Inc. of Ohio", "ACME", "nope", "123", "whatsapp:+15551234567")
        ),
    ):
        assert [found for found, _ in client.codes("POST", f"{MFA}/sms", json=given)] == [code], given
    client.ask("POST", f"{MFA}/x/verify", 404, json={"token": "1"})
