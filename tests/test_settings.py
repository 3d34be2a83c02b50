"""Settings: where they come from, and what they never say."""

from parley.settings import load


def test_a_repr_says_no_secret() -> None:
    given = {"database_url": "postgresql://parley:hunter2@db/parley", "auth_token": "hunter3", "secret_key": "hunter4"}
    shown = repr(load(given, {}))
    assert "hunter" not in shown
    assert "@db/parley" in shown
