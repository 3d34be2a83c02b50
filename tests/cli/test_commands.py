import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any, Self

import pytest
import requests

from tests.cli.process import PARLEY, Serving, environment, parley, serving, well
from tests.receiver import Received, Receiver, Reply

NOWHERE = "http://127.0.0.1:1"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    with serving(tmp_path_factory.mktemp("serving")) as running:
        yield running


def arrived(server: Serving, phone: str, contains: str) -> dict[str, Any]:
    """Wait for a message at a phone."""
    query = {"wait": "30", "contains": contains}
    url = f"{server.url}/simulator/phones/{phone}/messages"
    messages = requests.get(url, query, auth=server.auth, timeout=60).json()["messages"]
    assert len(messages) == 1
    found: dict[str, Any] = messages[0]
    return found


def test_version(tmp_path: Path) -> None:
    assert well(tmp_path, "version").startswith(f"parley {version('parley')} ")


def test_light_commands_load_nothing_heavy() -> None:
    code = (
        "import sys, parley.cli.version, parley.cli.send, parley.cli.tail, parley.cli.numbers;"
        "print([m for m in ('sqlalchemy', 'aiohttp', 'uvicorn', 'structlog', 'asyncio') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_help_names_every_command(tmp_path: Path) -> None:
    text = well(tmp_path, "--help")
    for name in ("serve", "send", "tail", "numbers", "callbacks", "migrate", "doctor", "version"):
        assert f"\n  {name} " in text


def test_an_unknown_command_is_refused(tmp_path: Path) -> None:
    assert parley(tmp_path, "explode").returncode == 2


def test_send_tells_sid_and_status(server: Serving) -> None:
    sid, status = well(server.directory, "send", "+15550110001", "From the command line").split()
    assert sid.startswith("SM")
    assert status in ("queued", "sending", "sent", "delivered")
    assert arrived(server, "+15550110001", "command line")["from"] == "+15551234567"


def test_send_waits_for_the_end(server: Serving) -> None:
    _, status = well(server.directory, "send", "+15550110002", "Wait", "--from", "+15557654321", "--wait").split()
    assert status == "delivered"


def test_send_that_waits_fails_with_the_message(server: Serving) -> None:
    behaviour = {"outcome": "undelivered", "error_code": 30005}
    url = f"{server.url}/simulator/phones/+15550110003"
    assert requests.put(url, json=behaviour, auth=server.auth, timeout=10).status_code == 200
    done = parley(server.directory, "send", "+15550110003", "Lost", "--wait")
    assert done.returncode == 1
    assert " undelivered (30005" in done.stdout


def test_a_refusal_is_told_with_its_code(server: Serving) -> None:
    done = parley(server.directory, "send", "12", "x")
    assert (done.returncode, done.stdout) == (1, "")
    assert "21211" in done.stderr
    empty = parley(server.directory, "send", "+15550110004")
    assert empty.returncode == 1
    assert "21602" in empty.stderr


def test_wrong_credentials_are_told(server: Serving) -> None:
    done = parley(server.directory, "send", "+15550110005", "x", "--token", "wrong")
    assert done.returncode == 1
    assert "20003" in done.stderr


def test_credentials_come_from_flags_and_environment(server: Serving, tmp_path: Path) -> None:
    account, token = server.auth
    none = parley(tmp_path, "numbers", "list")
    assert none.returncode == 1
    assert "PARLEY_ACCOUNT_SID" in none.stderr
    assert "run this where `make serve` was run" in none.stderr
    env = {"PARLEY_ACCOUNT_SID": account, "PARLEY_AUTH_TOKEN": token, "PARLEY_PUBLIC_URL": server.url}
    assert "+15551234567" in well(tmp_path, "numbers", "list", env=env)
    flags = ("--url", server.url, "--account", account, "--token", token)
    assert "+15551234567" in well(tmp_path, "numbers", "list", *flags)


@pytest.mark.parametrize("url", [NOWHERE, "127.0.0.1:8080", "ftp://127.0.0.1", "http://[::1"])
def test_a_server_that_is_not_there_is_told(server: Serving, url: str) -> None:
    for words in (("send", "+15550110006", "x"), ("tail",), ("numbers", "list")):
        done = parley(server.directory, *words, "--url", url)
        assert done.returncode == 1
        assert done.stderr.startswith("Error: ")
        assert url in done.stderr


def test_short_codes_are_numbers_too(server: Serving) -> None:
    well(server.directory, "send", "+15550110007", "x", "--from", "55566")
    [line] = [line for line in well(server.directory, "numbers", "list").splitlines() if line.startswith("55566 ")]
    sid = line.split()[1]
    assert well(server.directory, "numbers", "set", "55566", "--name", "Votes").split() == ["55566", sid]
    well(server.directory, "numbers", "remove", "55566")
    assert "55566" not in well(server.directory, "numbers", "list")


def test_numbers_are_added_configured_and_removed(server: Serving) -> None:
    number, sid = well(server.directory, "numbers", "add", "+15557770001").split()
    assert number == "+15557770001"
    hook = "http://127.0.0.1:9/sms"
    changes = ("--sms-url", hook, "--status-callback", f"{hook}/status", "--name", "Front desk")
    assert well(server.directory, "numbers", "set", number, *changes).split() == [number, sid]
    url = f"{server.url}/2010-04-01/Accounts/{server.auth[0]}/IncomingPhoneNumbers/{sid}.json"
    stands = requests.get(url, auth=server.auth, timeout=10).json()
    assert (stands["sms_url"], stands["friendly_name"]) == (hook, "Front desk")
    assert stands["status_callback"] == f"{hook}/status"
    assert f"{number} {sid} {hook}\n" in well(server.directory, "numbers", "list")
    well(server.directory, "numbers", "set", "1 (555) 777-0001", "--sms-url", "")
    assert f"{number} {sid} -\n" in well(server.directory, "numbers", "list")
    well(server.directory, "numbers", "remove", number)
    assert number not in well(server.directory, "numbers", "list")


def test_a_number_takes_the_json_webhook(server: Serving) -> None:
    number, sid = well(server.directory, "numbers", "add", "+15557770002").split()
    well(server.directory, "numbers", "set", sid, "--json-webhook", "http://127.0.0.1:9/json")
    listed = requests.get(
        f"{server.url}/api/relay/rest/phone_numbers?filter_number=5557770002",
        auth=(server.said["Project ID"], server.auth[1]),
        timeout=10,
    ).json()["data"]
    assert [each["number"] for each in listed] == [number]
    assert listed[0]["message_handler"] == "json_webhook"
    assert listed[0]["message_request_url"] == "http://127.0.0.1:9/json"


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("set", "+15557770099", "--sms-url", "http://127.0.0.1:9"), 1, "not a number of this account"),
        (("set", "+15551234567"), 2, "Nothing to change"),
        (("set", "+15551234567", "--sms-url", "http://a.example", "--json-webhook", "http://b.example"), 2, "one or"),
        (("set", "+15551234567", "--sms-url", "nonsense"), 1, "HTTP 400"),
        (("add", "nonsense"), 1, "21421"),
        (("add", "nonsense", "--database"), 1, "E.164"),
        (("add", "+15557770003", "--database", "--account", "nonsense"), 1, "account SID"),
        (("add", "+15557770003", "--database", "--account", f"AC{'0' * 32}"), 1, "no account"),
    ],
)
def test_numbers_that_cannot_be_are_refused(server: Serving, words: tuple[str, ...], code: int, says: str) -> None:
    done = parley(server.directory, "numbers", *words)
    assert done.returncode == code
    assert says in done.stderr
    assert "Traceback" not in done.stderr


def test_an_operator_brings_numbers_to_the_strict_profile(tmp_path: Path) -> None:
    with serving(tmp_path, "--profile", "strict", last="Auth token") as server:
        account, token = server.auth
        env = {"PARLEY_ACCOUNT_SID": account, "PARLEY_AUTH_TOKEN": token, "PARLEY_PUBLIC_URL": server.url}
        bought = parley(tmp_path, "numbers", "add", "+14155552671", env=env)
        assert bought.returncode == 1
        assert "--database" in bought.stderr
        number, sid = well(tmp_path, "numbers", "add", "+14155552671", "--database", env=env).split()
        assert f"{number} {sid} -\n" in well(tmp_path, "numbers", "list", env=env)


def test_tail_tells_what_happens_across_a_restart(tmp_path: Path) -> None:
    with serving(tmp_path) as first:
        port = first.url.rpartition(":")[2]
        with tailing(tmp_path, "--json", "--since", "0") as lines:
            well(tmp_path, "send", "+15550110010", "Before", "--wait")
            kinds = set()
            while "delivered" not in kinds:
                kinds.add(json.loads(next(lines))["kind"])
            assert first.stop() == 0
            with serving(tmp_path, "--port", port):
                well(tmp_path, "send", "+15550110011", "After", "--wait")
                while True:
                    event = json.loads(next(lines))
                    if event["to"] == "+15550110011":
                        break
                assert {"seq", "message_id", "kind", "at", "from"} <= event.keys()


def test_tail_waits_for_a_server_that_is_busy(receiver: Receiver, tmp_path: Path) -> None:
    event = {"seq": 1, "message_id": "m", "kind": "queued", "at": "now", "from": None, "to": None, "data": None}
    answers = iter(
        [
            Reply(429, json.dumps({"code": "too_many_requests", "message": "Later", "status": 429}).encode()),
            Reply(503, b"{}"),
            Reply(200, json.dumps({"events": [event], "next": 1}).encode()),
        ]
    )
    receiver.answer = lambda _: next(answers, Reply(503))
    flags = ("--url", receiver.url, "--account", f"AC{'0' * 32}", "--token", "x", "--since", "0")
    with tailing(tmp_path, "--json", *flags) as lines:
        assert json.loads(next(lines)) == event


def test_the_usual_sender_is_the_first_of_all_pages(receiver: Receiver, tmp_path: Path) -> None:
    pages = {"0": ["+15550000003", "+15550000002"], "1": ["+15550000001"]}

    def answer(received: Received) -> Reply:
        if received.method == "POST":
            return Reply(201, json.dumps({"sid": "SM1", "status": "queued"}).encode())
        page = received.form.get("Page", "0")
        following = f"{received.path}?Page=1" if page == "0" else None
        numbers = [{"phone_number": number} for number in pages[page]]
        told = {"incoming_phone_numbers": numbers, "next_page_uri": following}
        return Reply(200, json.dumps(told).encode())

    receiver.answer = answer
    flags = ("--url", receiver.url, "--account", f"AC{'0' * 32}", "--token", "x")
    assert well(tmp_path, "send", "+15550110040", "Hi", *flags) == "SM1 queued\n"
    assert receiver.requests[-1].form["From"] == "+15550000001"


def test_tail_can_be_read_by_people(server: Serving) -> None:
    well(server.directory, "send", "+15550110020", "Earlier", "--wait")
    sid, _ = well(server.directory, "send", "+15550110021", "Later", "--wait").split()
    with tailing(server.directory, "--since", "0") as lines:
        line = next(line for line in lines if "+15550110021" in line and "delivered" in line)
    uuid = line.split()[2]
    assert uuid.replace("-", "") == sid[2:]
    assert "+15551234567 > +15550110021" in line
    assert "\x1b" not in line


def test_tail_ends_well_by_ctrl_c(server: Serving) -> None:
    well(server.directory, "send", "+15550110030", "Anything", "--wait")
    with tailing(server.directory, "--since", "0") as lines:
        next(lines)
        assert lines.interrupt() == 0


def test_migrate_tells_from_where_to_where(tmp_path: Path) -> None:
    assert "from nothing to " in well(tmp_path, "migrate")
    assert "already" in well(tmp_path, "migrate")
    done = parley(tmp_path, "migrate", "--database-url", "mysql://x")
    assert done.returncode == 1
    assert "sqlite:///" in done.stderr


class tailing(Iterator[str]):  # noqa: N801 - reads as a with statement
    """The lines of a `parley tail` that runs for the time of a with block."""

    def __init__(self, directory: Path, *flags: str) -> None:
        self._process = subprocess.Popen(
            [PARLEY, "tail", *flags],
            cwd=directory,
            env=environment({"PYTHONUNBUFFERED": "1"}),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def __enter__(self) -> Self:
        return self

    def __next__(self) -> str:
        assert self._process.stdout is not None
        return next(self._process.stdout)

    def interrupt(self) -> int:
        """Press Ctrl-C, and return the exit code."""
        self._process.send_signal(signal.SIGINT)
        return self._process.wait(60)

    def __exit__(self, *problem: object) -> None:
        self._process.kill()
        self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()
