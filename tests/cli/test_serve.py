import json
import signal
import socket
import stat
import tomllib
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path

import msgspec
import pytest
import requests

from parley.settings import Settings, describe
from tests.cli.process import Serving, parley, serving

PHONE = "+15550102030"


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_serve_says_where_it_is_and_stops_well(tmp_path: Path, how: signal.Signals) -> None:
    with serving(tmp_path) as server:
        assert requests.get(f"{server.url}/readyz", timeout=10).status_code == 200
        account, token = server.auth
        mine = requests.get(f"{server.url}/2010-04-01/Accounts/{account}.json", auth=(account, token), timeout=10)
        assert mine.json()["sid"] == account
        same = requests.get(f"{server.url}/api/messaging/logs", auth=(server.said["Project ID"], token), timeout=10)
        assert same.status_code == 200
        assert server.stop(how) == 0
    assert (tmp_path / "var" / "parley.db").exists()


def test_output_in_a_pipe_is_plain_and_logs_are_lines_of_json_without_secrets(tmp_path: Path) -> None:
    with serving(tmp_path, "--log-level", "debug") as server:
        account, token = server.auth
        requests.get(f"{server.url}/simulator/phones", auth=(account, token), timeout=10)
        assert server.stop() == 0
        assert "\x1b" not in "".join(server.said.values())
        entries = [json.loads(line) for line in server.log.splitlines()]
        assert {"timestamp", "level", "event", "logger"} <= set(entries[0])
        assert any(entry["event"] == "ready" for entry in entries)
        assert token not in server.log
        assert "GET /simulator" not in server.log  # no access log


def test_what_is_written_is_for_the_owner_only(tmp_path: Path) -> None:
    with serving(tmp_path):
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "var").iterdir()}
        assert {"parley.db", "parley.db-wal", "parley.key", "credentials.toml"} <= modes.keys()
        assert set(modes.values()) == {0o600}


def test_credentials_are_left_for_the_other_commands(tmp_path: Path) -> None:
    with serving(tmp_path) as server:
        path = tmp_path / server.said["Credentials"]
        assert path == tmp_path / "var" / "credentials.toml"
        assert tomllib.loads(path.read_text()) == {
            "url": server.url,
            "account_sid": server.said["Account SID"],
            "project_id": server.said["Project ID"],
            "auth_token": server.said["Auth token"],
        }
        rotated = requests.post(f"{server.url}/admin/account/token", auth=server.auth, timeout=30).json()
        assert tomllib.loads(path.read_text())["auth_token"] == rotated["auth_token"] != server.auth[1]


def test_the_strict_profile_tells_a_token_once(tmp_path: Path) -> None:
    with serving(tmp_path, "--profile", "strict", last="Auth token") as server:
        first = server.said
        assert server.stop() == 0
    with serving(tmp_path, "--profile", "strict", last="Project ID") as server:
        assert server.said["Account SID"] == first["Account SID"]
        assert server.process.stdout is not None
        server.process.send_signal(signal.SIGTERM)
        assert server.process.stdout.read() == ""
        assert server.ended() == 0
    assert not (tmp_path / "var" / "credentials.toml").exists()


def test_the_strict_profile_never_tells_a_token_that_was_given(tmp_path: Path) -> None:
    env = {"PARLEY_AUTH_TOKEN": "the-operators-own-token"}
    with serving(tmp_path, "--profile", "strict", env=env, last="Project ID") as server:
        assert server.process.stdout is not None
        server.process.send_signal(signal.SIGTERM)
        assert server.process.stdout.read() == ""
        assert server.ended() == 0
        assert "the-operators-own-token" not in server.log


def test_settings_come_from_flag_environment_and_file(tmp_path: Path) -> None:
    file = tmp_path / "parley.toml"
    file.write_text('database_url = "sqlite:///file.db"\nlog_format = "text"\npublic_url = "https://file.example"\n')
    env = {"PARLEY_CONFIG": str(file), "PARLEY_DATABASE_URL": "sqlite:///environment.db", "PARLEY_PORT": "1"}
    with serving(tmp_path, "--port", "0", env=env) as server:
        assert server.said["Public URL"] == "https://file.example"
        assert server.stop() == 0
        assert not server.log.startswith("{")
    assert (tmp_path / "environment.db").exists()
    assert not (tmp_path / "file.db").exists()


def test_every_setting_is_a_flag(tmp_path: Path) -> None:
    text = parley(tmp_path, "serve", "--help").stdout
    for name in Settings.__struct_fields__:
        assert f"--{name.replace('_', '-')} " in text


@pytest.mark.parametrize(
    ("flags", "says"),
    [
        (("--port", "70000"), "port"),
        (("--profile", "production"), "profile"),
        (("--drain-s", "soon"), "drain_s"),
        (("--host", "no.such.host.invalid"), "host"),
        (("--host", "192.0.2.1"), "--host"),
    ],
)
def test_a_setting_that_cannot_be_is_named(tmp_path: Path, flags: tuple[str, ...], says: str) -> None:
    done = parley(tmp_path, "serve", *flags)
    assert done.returncode == 1
    assert done.stderr.startswith("Error: ")
    assert says in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("url", ["mysql://x/y", "sqlite:///", "postgresql://127.0.0.1:1/parley"])
def test_a_database_that_cannot_be_ends_it(tmp_path: Path, url: str) -> None:
    done = parley(tmp_path, "serve", "--port", "0", "--database-url", url)
    assert done.returncode == 1
    assert done.stdout == ""
    assert "the node cannot start" in only(done.stderr.splitlines())


def test_a_key_that_is_not_the_record_s_ends_it(tmp_path: Path) -> None:
    with serving(tmp_path, env={"PARLEY_SECRET_KEY": "the key that it was written with"}):
        pass
    done = parley(tmp_path, "serve", "--port", "0", env={"PARLEY_SECRET_KEY": "another one than this"})
    assert done.returncode == 1
    assert "PARLEY_SECRET_KEY" in only(done.stderr.splitlines())


def only(lines: list[str]) -> str:
    """The one line that there is."""
    (line,) = lines
    return line


def test_a_taken_port_is_said(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = parley(tmp_path, "serve", "--port", str(port))
    assert done.returncode == 1
    assert f"Port {port} of 127.0.0.1 is taken" in done.stderr
    assert not (tmp_path / "var").exists()


def test_the_dev_profile_stays_on_loopback_unless_told_on_the_command_line(tmp_path: Path) -> None:
    refused = parley(tmp_path, "serve", "--port", "0", env={"PARLEY_HOST": "0.0.0.0"})
    assert refused.returncode == 1
    assert "--host 0.0.0.0" in refused.stderr
    with serving(tmp_path, "--host", "0.0.0.0") as server:
        assert server.url.startswith("http://127.0.0.1:")
        assert server.stop() == 0
        assert "open to the network" in server.log


def test_who_waits_for_news_is_let_go_at_once(tmp_path: Path) -> None:
    with serving(tmp_path, "--drain-s", "600") as server, waiting(server) as request:
        assert server.stop() == 0
        answer = request.getresponse()
        assert (answer.status, answer.headers["Retry-After"]) == (503, "1")


def test_a_request_that_does_not_end_is_told_that_the_server_stops(tmp_path: Path) -> None:
    with serving(tmp_path, "--drain-s", "1") as server, unfinished(server) as request:
        assert server.stop() == 0
        assert request.getresponse().status == 503
        assert "Traceback" not in server.log


def test_a_second_signal_ends_it_at_once(tmp_path: Path) -> None:
    with serving(tmp_path, "--drain-s", "600", "--log-level", "debug") as server, unfinished(server):
        server.process.send_signal(signal.SIGTERM)
        while '"Shutting down"' not in server.log:
            assert server.process.poll() is None
        assert server.stop() == 128 + signal.SIGTERM


@contextmanager
def waiting(server: Serving) -> Iterator[HTTPConnection]:
    """Ask for a message that never comes, and return once the server has the request."""
    connection = HTTPConnection(server.url.removeprefix("http://"), timeout=60)
    credentials = b64encode(":".join(server.auth).encode()).decode()
    path = f"/simulator/phones/{PHONE}/messages?wait=60"
    connection.request("GET", path, headers={"Authorization": f"Basic {credentials}"})
    # What was sent first is read first: with this answered, the other request is under way.
    assert requests.get(f"{server.url}/healthz", timeout=10).status_code == 200
    try:
        yield connection
    finally:
        connection.close()


@contextmanager
def unfinished(server: Serving) -> Iterator[HTTPConnection]:
    """Begin a request whose body never ends, and return once the server has its beginning."""
    connection = HTTPConnection(server.url.removeprefix("http://"), timeout=60)
    credentials = b64encode(":".join(server.auth).encode()).decode()
    connection.putrequest("PUT", "/simulator/faults")
    connection.putheader("Authorization", f"Basic {credentials}")
    connection.putheader("Content-Length", "2")
    connection.endheaders(b"{")
    assert requests.get(f"{server.url}/healthz", timeout=10).status_code == 200
    try:
        yield connection
    finally:
        connection.close()


def test_every_default_is_told() -> None:
    """What describe() says is what a bare Settings has: --help and the documentation are made of it."""
    bare = msgspec.structs.asdict(Settings())
    assert {name: default for name, _, default in describe()} == {
        name: "" if value is None else str(value) for name, value in bare.items()
    }
