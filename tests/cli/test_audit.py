import json
import sqlite3
from pathlib import Path

from tests.cli.process import parley, serving, well


def test_the_books_of_a_server_that_runs_and_what_is_missing_from_them(tmp_path: Path) -> None:
    with serving(tmp_path) as server:
        for n in range(3):
            well(tmp_path, "send", f"+1555701000{n}", "x", "--wait")
        said = well(tmp_path, "doctor", "--audit")
        account, _ = server.auth
    assert f"{account}\n  3 accepted = 3 delivered + 0 undelivered" in said
    assert "OK   the books balance" in said

    found = json.loads(well(tmp_path, "doctor", "--audit", "--json"))
    assert (found["total"]["accepted"], found["total"]["delivered"]) == (3, 3)
    assert found["accounts"].keys() == {account[2:]}
    assert found["faults"] == {}

    with sqlite3.connect(tmp_path / "var" / "parley.db") as database:
        (lost,) = database.execute("SELECT id FROM messages ORDER BY id LIMIT 1").fetchone()
        database.execute("DELETE FROM messages WHERE id = ?", (lost,))
    database.close()
    done = parley(tmp_path, "doctor", "--audit")
    assert done.returncode == 1
    assert "3 accepted IS NOT 2 delivered" in done.stdout
    assert f"FAIL lost: 1\n     SM{lost.hex()}: " in done.stdout
    done = parley(tmp_path, "doctor", "--audit", "--json")
    assert done.returncode == 1
    assert {"kind": "lost", "message_id": lost.hex(), "said": "it was accepted, and is not there"} in json.loads(
        done.stdout
    )["examples"]


def test_a_database_that_cannot_be_audited(tmp_path: Path) -> None:
    done = parley(tmp_path, "doctor", "--audit")
    assert done.returncode == 1
    assert "is not there" in done.stderr
    (tmp_path / "empty.db").write_bytes(b"")
    done = parley(tmp_path, "doctor", "--audit", env={"PARLEY_DATABASE_URL": "sqlite:///empty.db"})
    assert "parley migrate" in done.stderr
    done = parley(tmp_path, "doctor", "--audit", env={"PARLEY_DATABASE_URL": "mysql://x"})
    assert done.returncode == 1
