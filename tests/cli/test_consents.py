"""`parley consents`: what one server exports, another takes in."""

import subprocess
from pathlib import Path

from tests.cli.process import PARLEY, environment, parley, serving, well

SENDER, PHONE = "+15551234567", "+15550120001"


def test_what_is_exported_can_be_imported(tmp_path: Path) -> None:
    with serving(tmp_path):
        (tmp_path / "given.csv").write_text(f"sender,recipient,opted_out_at\n{SENDER},{PHONE},2024-01-02T03:04:05Z\n")
        assert well(tmp_path, "consents", "import", "given.csv") == "1 opt-out is taken in\n"
        exported = well(tmp_path, "consents", "export", "--sender", SENDER)
        wanted = f"{SENDER},{PHONE},,2024-01-02T03:04:05.000000Z"
        assert exported.splitlines() == ["sender,recipient,keyword,opted_out_at", wanted]
        (tmp_path / "exported.csv").write_text(exported)
        assert well(tmp_path, "consents", "import", "exported.csv") == "1 opt-out is taken in\n"
        (tmp_path / "more.jsonl").write_text(f'{{"sender":"ACME","recipient":"{PHONE}"}}\n' * 2)
        assert well(tmp_path, "consents", "import", "more.jsonl") == "2 opt-outs are taken in\n"
        assert len(well(tmp_path, "consents", "export").splitlines()) == 3
        refused = parley(tmp_path, "consents", "import", "--format", "jsonl", "given.csv")
        assert refused.returncode == 1
        assert "Line 1: The request body is not valid JSON" in refused.stderr


def test_what_is_more_than_a_server_takes_at_once_goes_in_pieces(tmp_path: Path) -> None:
    lines = [f"+15550001401,+1555{n:07}\n" for n in range(12_000)]
    with serving(tmp_path):
        (tmp_path / "many.csv").write_text("sender,recipient\n" + "".join(lines))
        assert well(tmp_path, "consents", "import", "many.csv") == "12000 opt-outs are taken in\n"
        exported = well(tmp_path, "consents", "export").splitlines()[1:]
        assert [",".join(line.split(",")[:2]) + "\n" for line in exported] == lines
        (tmp_path / "wrong.csv").write_text("sender,recipient\n" + "".join([*lines, "nobody,nobody\n"]))
        refused = parley(tmp_path, "consents", "import", "wrong.csv")
    assert refused.returncode == 1
    assert "behind the first 9999 opt-outs, which are taken in" in refused.stderr


def test_an_output_that_takes_no_more_is_told_as_that(tmp_path: Path) -> None:
    with serving(tmp_path), Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [PARLEY, "consents", "export"],
            cwd=tmp_path,
            env=environment(),
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert (done.returncode, done.stderr) == (1, "Error: The output cannot be written: No space left on device.\n")
