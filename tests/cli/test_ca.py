"""Certificates of this machine: what clients trust, what they do not, and a server that is reached by TLS alone."""

import ssl
from pathlib import Path

import pytest
import requests

from parley.cli.local_tls import LocalTls, local_tls
from parley.lib.clock import SystemClock
from tests.cli.process import parley, serving, well
from tests.cli.test_proxy import shakes_hands
from tests.clock import ManualClock

DAY_S = 86_400


def is_trusted(files: LocalTls, host: str, authority: Path | None = None) -> bool:
    """Whether a strict client that trusts an authority takes the server's certificate for a host."""
    client = ssl.create_default_context(cafile=authority or files.authority)
    client.verify_flags |= ssl.VERIFY_X509_STRICT
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(files.certificate, files.key)
    return shakes_hands(client, server, host)


def read(files: LocalTls) -> list[bytes]:
    return [file.read_bytes() for file in (files.authority, files.certificate, files.key)]


def test_clients_trust_it_for_its_names_and_no_other(tmp_path: Path) -> None:
    files = local_tls(tmp_path, ["parley.test", "10.1.2.3"], SystemClock())
    for host in ("localhost", "127.0.0.1", "::1", "parley.test", "10.1.2.3"):
        assert is_trusted(files, host), host
    assert not is_trusted(files, "example.org")
    assert {file.stat().st_mode & 0o777 for file in tmp_path.iterdir()} == {0o600}


def test_they_stay_until_a_name_is_new_or_they_are_about_to_expire(tmp_path: Path) -> None:
    clock = ManualClock(SystemClock().now())
    first = read(local_tls(tmp_path, ["a.test"], clock))
    assert read(local_tls(tmp_path, [], clock)) == first
    files = local_tls(tmp_path, ["b.test"], clock)
    second = read(files)
    assert second != first
    assert [is_trusted(files, host) for host in ("a.test", "b.test", "localhost")] == [True] * 3
    clock.advance(330 * DAY_S)
    assert read(local_tls(tmp_path, [], clock)) == second
    clock.advance(10 * DAY_S)
    assert read(local_tls(tmp_path, [], clock)) != second


def test_what_a_crash_left_is_made_again(tmp_path: Path) -> None:
    files = local_tls(tmp_path, [], SystemClock())
    other = local_tls(tmp_path / "other", [], SystemClock())
    files.key.write_bytes(other.key.read_bytes())
    assert is_trusted(local_tls(tmp_path, [], SystemClock()), "localhost")
    files.authority.write_bytes(other.authority.read_bytes())
    assert is_trusted(local_tls(tmp_path, [], SystemClock()), "localhost")


def test_a_certificate_of_others_is_used_and_never_touched(tmp_path: Path) -> None:
    theirs = local_tls(tmp_path, [], SystemClock())
    authority = theirs.authority.rename(tmp_path / "theirs.pem")
    before = theirs.certificate.read_bytes()
    files = local_tls(tmp_path, ["new.test"], SystemClock())
    assert is_trusted(files, "localhost", authority)
    files.key.write_text("no key")
    with pytest.raises(ValueError, match=r"server-key\.pem"):
        local_tls(tmp_path, [], SystemClock())
    assert files.certificate.read_bytes() == before
    assert not files.authority.exists()


def test_the_command_says_what_each_client_needs(tmp_path: Path) -> None:
    said = dict(line.split(":", 1) for line in well(tmp_path, "ca", "--dir", "tls", "--host", "a.test").splitlines())
    authority = str(tmp_path / "tls" / "ca.pem")
    assert said["Node"].strip() == f"NODE_EXTRA_CA_CERTS={authority}"
    assert said["signalwire-sdk"].split()[0] == f"SIGNALWIRE_RELAY_CA_FILE={authority}"
    assert [Path(said[name].strip()).exists() for name in ("Authority", "Certificate", "Key")] == [True] * 3
    done = parley(tmp_path, "ca", "--dir", "tls", "--host", "ä b")
    assert done.returncode == 1
    assert done.stderr.startswith("Error: No certificate in tls: ")


def test_serve_speaks_tls_and_the_other_commands_trust_it(tmp_path: Path) -> None:
    with serving(tmp_path, "--tls") as server:
        assert server.url.startswith("https://127.0.0.1:")
        authority = server.said["Authority"]
        answer = requests.get(f"{server.url}/readyz", verify=authority, timeout=30)
        assert answer.json()["status"] == "ready"
        with pytest.raises(requests.exceptions.SSLError):
            requests.get(f"{server.url}/readyz", timeout=30)
        with pytest.raises(requests.exceptions.ConnectionError):
            requests.get(server.url.replace("https:", "http:"), timeout=30)
        assert "delivered" in well(tmp_path, "send", "+15550001111", "Hello", "--wait")
        env = {"PARLEY_TLS": "true", "PARLEY_PORT": server.url.rpartition(":")[2]}
        mine = {"PARLEY_ACCOUNT_SID": server.said["Account SID"], "PARLEY_AUTH_TOKEN": server.said["Auth token"]}
        assert "+15551234567" in well(tmp_path, "numbers", "list", env=env | mine)
        said = parley(tmp_path, "doctor", env=env)
        assert "a Parley answers" in said.stdout
