import pytest
from hypothesis import given
from hypothesis import strategies as st

from parley.webhooks.overrides import DEFAULTS, Overrides, split_url


def test_no_fragment_means_twilios_defaults() -> None:
    assert split_url("https://e.com/a?b=1") == ("https://e.com/a?b=1", DEFAULTS)
    assert Overrides(connect_ms=5000, read_ms=15000, total_ms=15000, retries=1, policies=frozenset({"ct"})) == DEFAULTS


def test_all_of_them() -> None:
    url, overrides = split_url("https://e.com/a#ct=2000&rt=3000&tt=9000&rc=4&rp=4xx,5xx,rt&e=ashburn&sni=y")
    assert url == "https://e.com/a"
    assert overrides == Overrides(2000, 3000, 9000, 4, frozenset({"4xx", "5xx", "rt"}))


@pytest.mark.parametrize(
    ("fragment", "expected"),
    [
        ("", DEFAULTS),
        ("section-2", DEFAULTS),
        ("rc=9", Overrides(retries=5)),
        ("rc=0", Overrides(retries=0)),
        ("rc=-1", DEFAULTS),
        ("rc=1e3&ct=٣٠٠", DEFAULTS),
        ("rc=&&=&rc", DEFAULTS),
        ("rc=99999999999999999999", DEFAULTS),
        ("ct=1&rt=1&tt=1", Overrides(connect_ms=100, read_ms=100, total_ms=100)),
        ("ct=99999&rt=99999&tt=99999", Overrides(connect_ms=10000)),
        ("rp=nonsense", DEFAULTS),
        ("rp=ALL", Overrides(policies=frozenset({"all"}))),
        ("rp=ct%2C5xx", Overrides(policies=frozenset({"ct", "5xx"}))),
        ("rc=1&rc=3", Overrides(retries=3)),
        ("rc=3#rc=4", DEFAULTS),
    ],
)
def test_invalid_values_are_clamped_or_ignored(fragment: str, expected: Overrides) -> None:
    assert split_url(f"https://e.com/#{fragment}") == ("https://e.com/", expected)


def test_policies() -> None:
    assert [kind for kind in ("ct", "rt", "4xx", "5xx") if DEFAULTS.is_retried(kind)] == ["ct"]
    assert Overrides(policies=frozenset({"all"})).is_retried("4xx")


def test_what_is_signed_is_what_is_sent() -> None:
    assert split_url("https://bücher.example/ä?q=ö#rc=2")[0] == "https://xn--bcher-kva.example/%C3%A4?q=%C3%B6"


@pytest.mark.parametrize(
    ("url", "requested"),
    [
        ("https://e.com", "https://e.com/"),
        ("https://e.com:8443#rc=2", "https://e.com:8443/"),
        ("https://u:p@e.com?x=a/b", "https://u:p@e.com/?x=a/b"),
        ("https://e.com/a?", "https://e.com/a"),
        ("https://e.com?#rc=2", "https://e.com/"),
        ("https://e.com/a?x=http://f.com", "https://e.com/a?x=http://f.com"),
        ("https://e.com/a??", "https://e.com/a??"),
    ],
)
def test_a_url_is_signed_as_its_host_is_asked_for_it(url: str, requested: str) -> None:
    assert split_url(url)[0] == requested


@given(st.text() | st.just("http://[]@ä/"))
def test_never_fails(url: str) -> None:
    bare, overrides = split_url(url)
    assert "#" not in bare
    assert 100 <= overrides.connect_ms <= 10000
    assert 0 <= overrides.retries <= 5
