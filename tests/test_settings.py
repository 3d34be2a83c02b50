"""Settings: where they come from, and what they never say."""

from msgspec.structs import fields

from parley.core.pacing import Paces
from parley.settings import describe, load


def test_a_repr_says_no_secret() -> None:
    given = {"database_url": "postgresql://parley:hunter2@db/parley", "auth_token": "hunter3", "secret_key": "hunter4"}
    shown = repr(load(given, {}))
    assert "hunter" not in shown
    assert "@db/parley" in shown


def test_what_is_said_of_the_strict_profiles_pace_is_so() -> None:
    meanings = {name: meaning for name, meaning, _ in describe()}
    for field in fields(Paces):
        assert f"In `strict`: {field.default:g}." in meanings[f"pace_{field.name}"]
