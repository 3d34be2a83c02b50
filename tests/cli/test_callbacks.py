"""`parley callbacks`: what was given up is listed, and told again."""

from collections.abc import Callable
from pathlib import Path

import requests

from tests.cli.process import parley, serving, well
from tests.receiver import Received, Reply, receiving


def test_what_was_given_up_is_listed_and_replayed(tmp_path: Path) -> None:
    def told(status: int) -> Callable[[Received], Reply]:
        return lambda _: Reply(status)

    with serving(tmp_path) as server, receiving() as app:
        app.answer = told(404)
        form = {"To": "+15550110002", "From": "+15551234567", "Body": "Hi", "StatusCallback": f"{app.url}/status"}
        path = f"{server.url}/2010-04-01/Accounts/{server.auth[0]}/Messages.json"
        sid = requests.post(path, form, auth=server.auth, timeout=30).json()["sid"]
        app.wait(count=2)
        lines = well(tmp_path, "callbacks", "list", "--message", sid).splitlines()
        assert [line.split(" ", 1)[1].split(f" {app.url}")[0] for line in lines] in (
            ["gave_up 1 delivered", "gave_up 1 sent"],
            ["pending 0 delivered", "gave_up 1 sent"],  # its answer is not in the record yet
        )
        app.answer = told(204)
        first = lines[-1].split()[0]
        assert well(tmp_path, "callbacks", "replay", first) == "1 callback is owed again\n"
        app.wait(count=3)
        assert "owed again" in well(tmp_path, "callbacks", "replay", "--gave-up")
        assert parley(tmp_path, "callbacks", "replay").returncode == 2
        assert parley(tmp_path, "callbacks", "replay", "nonsense").returncode == 1
        assert well(tmp_path, "callbacks", "replay", sid).endswith("owed again\n")


def test_the_oldest_are_replayed_first_so_that_a_message_is_told_of_in_its_order(tmp_path: Path) -> None:
    pages = {
        "": b'{"callbacks": [{"callback_id": "%s"}, {"callback_id": "%s"}], "next_page_token": "PA"}',
        "PA": b'{"callbacks": [{"callback_id": "%s"}], "next_page_token": null}',
    }
    newest, middle, oldest = (f"01a1fec6-f4cf-767e-8493-4c1c490886a{n}".encode() for n in (3, 2, 1))

    def server(request: Received) -> Reply:
        if request.method == "POST":
            asked = [each.path for each in app.requests]
            return Reply(body=b"{}") if request.path in asked else Reply(429, b"{}", (("Retry-After", "0"),))
        token = request.form.get("page_token", "")
        return Reply(body=pages[token] % ((oldest,) if token else (newest, middle)))

    with receiving() as app:
        app.answer = server
        to = ("--url", app.url, "--account", "AC01a1fec2562a7d589ca9e7ddcdaaa47e", "--token", "anything")
        assert well(tmp_path, "callbacks", "replay", "--gave-up", *to) == "3 callbacks are owed again\n"
        replayed = [request.path for request in app.requests if request.method == "POST"]
    # Each is asked for again where the server is asked too much.
    names = (oldest, oldest, middle, middle, newest, newest)
    assert replayed == [f"/admin/callbacks/{name.decode()}/replay" for name in names]
