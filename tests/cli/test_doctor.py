import json
import os
import pty
import socket
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

import pytest
import requests

from tests.cli.process import PARLEY, environment, parley, serving, well
from tests.receiver import Receiver

ANY_PORT = {"PARLEY_PORT": "0"}


def examined(directory: Path, env: dict[str, str]) -> dict[str, str]:
    """Return each check's level; the worst, where a check has several findings."""
    done = parley(directory, "doctor", "--json", env=env)
    found = json.loads(done.stdout)
    assert all({"check", "level", "said", "advice"} == each.keys() for each in found)
    assert all(each["advice"] for each in found if each["level"] != "OK")
    levels = [each["level"] for each in found]
    assert done.returncode == ("FAIL" in levels)
    order = ["OK", "WARN", "FAIL"]
    worst: dict[str, str] = {}
    for each in found:
        worst[each["check"]] = max(worst.get(each["check"], "OK"), each["level"], key=order.index)
    return worst


def test_all_is_well_beside_a_running_server(tmp_path: Path) -> None:
    with serving(tmp_path) as server, socket.create_server(("127.0.0.1", 0)) as app:
        hook = f"http://127.0.0.1:{app.getsockname()[1]}/sms"
        well(tmp_path, "numbers", "set", "+15551234567", "--sms-url", hook)
        env = {"PARLEY_PORT": server.url.rpartition(":")[2], "PARLEY_PUBLIC_URL": server.url}
        assert examined(tmp_path, env) == dict.fromkeys(
            ("file system", "schema", "database", "clock", "key", "port", "carrier", "public URL", "callbacks"), "OK"
        )


def test_before_the_first_start(tmp_path: Path) -> None:
    assert examined(tmp_path, ANY_PORT) == {
        "database": "WARN",
        "clock": "OK",
        "port": "OK",
        "carrier": "WARN",
        "public URL": "OK",
        "callbacks": "OK",
    }
    assert not (tmp_path / "var").exists()


def test_a_key_that_is_not_the_databases(tmp_path: Path) -> None:
    with serving(tmp_path) as server:
        assert server.stop() == 0
    key = tmp_path / "var" / "parley.key"
    key.chmod(0o644)
    assert examined(tmp_path, ANY_PORT)["key"] == "FAIL"
    key.chmod(0o600)
    assert examined(tmp_path, ANY_PORT)["key"] == "OK"
    key.write_text("00" * 32)
    assert examined(tmp_path, ANY_PORT)["key"] == "FAIL"
    key.unlink()
    assert examined(tmp_path, ANY_PORT)["key"] == "FAIL"
    assert not key.exists()
    done = parley(tmp_path, "serve", env=ANY_PORT)
    assert (done.returncode, key.exists()) == (1, False)
    assert "parley.key is not there" in done.stderr
    key.write_text("00" * 32)
    done = parley(tmp_path, "serve", env=ANY_PORT)
    assert "does not open" in done.stderr
    assert "Unclosed" not in done.stderr


def test_a_database_that_others_can_read(tmp_path: Path) -> None:
    well(tmp_path, "migrate")
    assert "file mode" not in examined(tmp_path, ANY_PORT)
    (tmp_path / "var" / "parley.db").chmod(0o644)
    assert examined(tmp_path, ANY_PORT)["file mode"] == "WARN"


def test_a_port_that_something_else_has(tmp_path: Path, receiver: Receiver) -> None:
    assert examined(tmp_path, {"PARLEY_PORT": receiver.url.rpartition(":")[2]})["port"] == "FAIL"


def test_a_public_url_that_leads_nowhere(tmp_path: Path) -> None:
    assert examined(tmp_path, ANY_PORT | {"PARLEY_PUBLIC_URL": "http://127.0.0.1:1"})["public URL"] == "FAIL"
    assert examined(tmp_path, ANY_PORT | {"PARLEY_PROFILE": "strict"})["public URL"] == "WARN"


def test_settings_that_keep_a_server_from_starting(tmp_path: Path) -> None:
    assert examined(tmp_path, ANY_PORT | {"PARLEY_GEO_PERMISSIONS": "US, XX"})["settings"] == "FAIL"


def test_callbacks_that_cannot_arrive(tmp_path: Path) -> None:
    with serving(tmp_path) as server:
        account, _ = server.auth
        fields = {"To": "+15550120001", "From": "+15551234567", "Body": "x", "StatusCallback": "http://127.0.0.1:1/cb"}
        url = f"{server.url}/2010-04-01/Accounts/{account}/Messages.json"
        assert requests.post(url, fields, auth=server.auth, timeout=10).status_code == 201
        well(tmp_path, "send", "+15550120001", "x", "--wait")
    assert examined(tmp_path, ANY_PORT)["callbacks"] == "WARN"
    assert examined(tmp_path, ANY_PORT | {"PARLEY_PROFILE": "strict"})["callbacks"] == "FAIL"


@pytest.mark.parametrize("url", ["mysql://x", "postgresql://127.0.0.1:1/parley"])
def test_a_database_that_is_not_there(tmp_path: Path, url: str) -> None:
    assert examined(tmp_path, ANY_PORT | {"PARLEY_DATABASE_URL": url})["database"] == "FAIL"


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    (tmp_path / "parley.db").write_text("This is a letter." * 1000)
    assert examined(tmp_path, ANY_PORT | {"PARLEY_DATABASE_URL": "sqlite:///parley.db"})["database"] == "FAIL"
    (tmp_path / "parley.db").write_bytes(b"")
    assert examined(tmp_path, ANY_PORT | {"PARLEY_DATABASE_URL": "sqlite:///parley.db"})["schema"] == "FAIL"


def test_a_database_that_cannot_be_written(tmp_path: Path) -> None:
    well(tmp_path, "migrate")
    with closing(sqlite3.connect(tmp_path / "var" / "parley.db")) as other:
        other.execute("PRAGMA journal_mode = WAL")
        other.execute("BEGIN IMMEDIATE")
        done = parley(tmp_path, "doctor", "--json", env=ANY_PORT)
    assert {each["check"]: each["level"] for each in json.loads(done.stdout)}["database"] == "FAIL"
    assert "the database is away" in done.stderr


def test_postgresql(tmp_path: Path, empty_postgres_url: str) -> None:
    env = {"PARLEY_DATABASE_URL": empty_postgres_url, "PARLEY_SECRET_KEY": "a key that is long enough for a test"}
    assert examined(tmp_path, ANY_PORT | env)["schema"] == "FAIL"
    assert "from nothing" in well(tmp_path, "migrate", env=env)
    found = examined(tmp_path, ANY_PORT | env)
    assert (found["schema"], found["database"], found["clock"], found["key"]) == ("OK", "OK", "OK", "OK")
    assert "file system" not in found


def test_a_person_reads_lines_in_colour(tmp_path: Path) -> None:
    plain = parley(tmp_path, "doctor", env=ANY_PORT).stdout
    assert "WARN database: var/parley.db is not there yet\n     `parley serve`" in plain
    assert "\x1b" not in plain
    ours, theirs = pty.openpty()
    with os.fdopen(ours, "rb") as terminal:
        env = environment(ANY_PORT | {"TERM": "xterm"})
        subprocess.run([PARLEY, "doctor"], cwd=tmp_path, env=env, stdout=theirs, check=False, timeout=60)
        os.close(theirs)
        assert b"\x1b[32mOK" in terminal.read1()
