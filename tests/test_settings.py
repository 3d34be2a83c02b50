"""Settings: where they come from, and what they never say."""

import re
from pathlib import Path

import pytest
from msgspec.structs import fields

from parley.app.terms import check, trust
from parley.core.pacing import Paces
from parley.settings import SettingsError, describe, load


def test_a_repr_says_no_secret() -> None:
    given = {"database_url": "postgresql://parley:hunter2@db/parley", "auth_token": "hunter33", "secret_key": "hunter4"}
    shown = repr(load(given, {}))
    assert "hunter" not in shown
    assert "@db/parley" in shown


def test_what_is_said_of_the_strict_profiles_pace_is_so() -> None:
    meanings = {name: meaning for name, meaning, _ in describe()}
    for field in fields(Paces):
        assert f"In `strict`: {field.default:g}." in meanings[f"pace_{field.name}"]


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("pace_long_code", "nan", ">= 0"),
        ("pace_long_code", "inf", "finite"),
        ("pace_whatsapp", "-1", ">= 0"),
        ("api_rate", "inf", "finite"),
        ("credit", "inf", "finite"),
        ("drain_s", "nan", ">= 0"),
        ("log_level", "loud", "debug, info, warning or error, and is 'loud'"),
        ("profile", "prod", "dev or strict"),
        ("uncertain_policy", "drop", "hold or resend"),
        ("public_url", "notaurl", "https://"),
        ("public_url", "ftp://x", "https://"),
        ("public_url", "http://u:p@h/", "without user"),
        ("public_url", "http://h:port", "https://"),
        ("link_url", "zzz", "https://"),
        ("node_name", " ", "letter"),
        ("auth_token", "a", "8 or more"),
        ("auth_token", "with a blank", "8 or more"),
        ("port", "70000", "<= 65535"),
        ("tls", "maybe", "true or false, and is 'maybe'"),
        ("campaign_registration", "yes", "true or false, and is 'yes'"),
        ("schedule_min_s", "3024001", "at most schedule_max_s, which is 3024000"),
    ],
)
def test_what_cannot_be_is_refused_by_its_name_with_what_may_be(name: str, value: str, said: str) -> None:
    with pytest.raises(SettingsError) as refused:
        load({}, {f"PARLEY_{name.upper()}": value})
    assert str(refused.value).startswith(f"{name}: ")
    assert said in str(refused.value)


@pytest.mark.parametrize("value", ["INFO", "Info", "info"])
def test_a_log_level_in_any_case(value: str) -> None:
    assert load({"log_level": value}, {}).log_level == "info"


def test_what_the_file_says_wrong_is_told_with_the_file(tmp_path: Path) -> None:
    file = tmp_path / "parley.toml"
    env = {"PARLEY_CONFIG": str(file)}
    for text, said in (
        ("prot = 1", "there is no setting 'prot'"),
        ("port = 70000", "port: Expected `int` <= 65535"),
        ("credit = inf", "credit: it has to be a finite number"),
    ):
        file.write_text(text)
        with pytest.raises(SettingsError) as refused:
            load({}, env)
        assert str(refused.value) == f"PARLEY_CONFIG {file}: {said}"
    file.write_text("port = 1")
    with pytest.raises(SettingsError, match=r"^port: "):
        load({"port": "70000"}, env)


@pytest.mark.parametrize("text", [None, "no certificate"])
def test_authorities_that_cannot_be_read_are_a_setting_that_cannot_be(tmp_path: Path, text: str | None) -> None:
    file = tmp_path / "ca.pem"
    if text is not None:
        file.write_text(text)
    with pytest.raises(SettingsError, match=f"^ca_file {re.escape(str(file))}: "):
        trust(str(file))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("account_sid", "AC1"),
        ("geo_permissions", "US, XX"),
        ("prices_file", "none.tsv"),
        ("sender_rules_file", "none.tsv"),
        ("ca_file", "none"),
    ],
)
def test_what_keeps_a_node_from_starting_can_be_asked_before(name: str, value: str) -> None:
    check(load({"geo_permissions": "us, ca"}, {}))
    with pytest.raises(SettingsError, match=f"^{name}"):
        check(load({name: value}, {}))
