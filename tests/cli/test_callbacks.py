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
