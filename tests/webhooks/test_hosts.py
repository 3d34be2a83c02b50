"""The breaker of each host: when it opens, for how long, and that one probe at a time closes it."""

from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry

from parley.lib.randomness import SystemRandomness
from parley.webhooks.hosts import FIRST_S, MOST_S, OPENS_AFTER, Hosts, host_of
from tests.clock import ManualClock

HOST, OTHER = "app.example:443", "other.example:443"
ACCOUNT = b"a" * 16


def made() -> tuple[Hosts, ManualClock]:
    clock = ManualClock()
    return Hosts(clock, SystemRandomness(), CollectorRegistry()), clock


def opened() -> tuple[Hosts, ManualClock]:
    hosts, clock = made()
    for _ in range(OPENS_AFTER):
        hosts.failed(HOST, "no connection in time")
    return hosts, clock


def test_hosts_are_told_apart_by_name_and_port_alone() -> None:
    assert host_of("https://User:Pass@App.Example/sms?x=1#rc=2") == HOST
    assert host_of("http://app.example./") == "app.example:80"
    assert host_of("http://[2001:DB8::1]:8080/") == "[2001:db8::1]:8080"
    assert host_of("http://[bad") == host_of("http://a:99999/") == host_of("nothing") == ""


def test_it_opens_after_failures_in_a_row_only() -> None:
    hosts, _ = made()
    for _ in range(3):
        for _ in range(OPENS_AFTER - 1):
            hosts.failed(HOST, "no connection in time")
            assert hosts.is_troubled(HOST)
            assert hosts.admit(HOST)
        hosts.answered(HOST)
        assert not hosts.is_troubled(HOST)
    assert len(hosts) == 0


def test_one_probe_at_a_time_and_its_answer_closes() -> None:
    hosts, clock = opened()
    assert hosts.is_held(HOST)
    assert not hosts.admit(HOST)
    assert hosts.admit(OTHER)
    clock.advance(FIRST_S)
    assert not hosts.is_held(HOST)
    assert hosts.admit(HOST)
    assert hosts.is_probed(HOST)
    assert not hosts.admit(HOST)
    hosts.settle(HOST)
    assert hosts.admit(HOST), "a probe that asked nothing leaves its place to another"
    hosts.answered(HOST)
    assert hosts.admit(HOST)
    assert len(hosts) == 0


def test_breaks_grow_up_to_the_longest() -> None:
    hosts, clock = opened()
    lengths: list[float] = []
    for _ in range(9):
        hosts.note(HOST, ACCOUNT)
        (told,) = hosts.seen_by(ACCOUNT)
        assert told.until is not None
        lengths.append((told.until - clock.now()) / 1_000_000)
        clock.set(told.until)
        assert hosts.admit(HOST)
        hosts.failed(HOST, "no connection in time")
    for n, length in enumerate(lengths):
        whole = min(MOST_S, FIRST_S * 2**n)
        assert whole / 2 <= length <= whole


def test_what_is_parked_falls_due_one_after_the_other_once_the_break_is_over() -> None:
    hosts, clock = opened()
    due = [hosts.park(HOST, ACCOUNT) for _ in range(100)]
    (told,) = hosts.seen_by(ACCOUNT)
    assert told.until is not None
    assert due[0] == due[1] == told.until > clock.now()
    assert sorted(set(due[1:])) == due[1:]
    assert due[2] > told.until
    assert told.parked == 100


def test_the_probe_goes_to_a_path_that_has_not_failed() -> None:
    hosts, clock = made()
    for _ in range(OPENS_AFTER):
        hosts.failed(HOST, "no answer", "https://app.example/broken?message=1")
    for _ in range(3):
        broken = [hosts.park(HOST, ACCOUNT, "https://app.example/broken?message=2") for _ in range(10)]
        well = [hosts.park(HOST, ACCOUNT, "https://app.example/well") for _ in range(10)]
        assert well[0] == broken[0], "both may be the probe"
        assert well[1] > broken[0]
        clock.set(well[0])
        for _ in range(2):
            assert not hosts.admit(HOST, "https://app.example/broken")
        assert hosts.admit(HOST, "https://app.example/well")
        hosts.failed(HOST, "no answer", "https://app.example/other")
    for _ in range(2):
        hosts.park(HOST, ACCOUNT, "https://app.example/broken")
        clock.set(hosts.park(HOST, ACCOUNT, "https://app.example/well"))
        assert not hosts.admit(HOST, "https://app.example/broken")
        clock.advance(1)
        assert hosts.admit(HOST, "https://app.example/broken"), "the other never came"
        hosts.failed(HOST, "no answer", "https://app.example/broken")


def test_a_host_that_answers_elsewhere_is_not_left_alone_for_one_path() -> None:
    hosts, clock = made()
    broken, well = "https://app.example/broken", "https://app.example/well"
    for _ in range(OPENS_AFTER):
        hosts.failed(HOST, "no answer", broken)
    clock.advance(FIRST_S)
    assert hosts.admit(HOST, well)
    hosts.answered(HOST, well)
    for _ in range(2 * OPENS_AFTER):
        hosts.failed(HOST, "no answer", broken)
        assert not hosts.is_troubled(HOST)
        assert not hosts.is_held(HOST)
    for _ in range(OPENS_AFTER):
        assert not hosts.is_held(HOST)
        hosts.failed(HOST, "no connection in time")
    assert hosts.is_held(HOST), "it cannot be reached at all now"
    hosts.answered(HOST, well)
    hosts.answered(HOST, broken)
    assert len(hosts) == 0


def test_a_path_that_has_failed_is_the_probe_where_no_other_is_wanted() -> None:
    hosts, clock = made()
    for _ in range(OPENS_AFTER):
        hosts.failed(HOST, "no answer", "https://app.example/broken")
    clock.set(hosts.park(HOST, ACCOUNT, "https://app.example/broken"))
    assert hosts.admit(HOST, "https://app.example/broken")


def test_who_is_well_again_is_told_of_when_callbacks_wait_for_it() -> None:
    hosts, clock = opened()
    healed: list[str] = []
    hosts.on_heal(healed.append)
    for _ in range(10):
        hosts.park(HOST, ACCOUNT)
    hosts.failed(OTHER, "no connection in time")
    hosts.answered(OTHER)
    assert healed == [], "nothing waits for it"
    clock.advance(FIRST_S)
    assert hosts.admit(HOST)
    hosts.answered(HOST)
    assert healed == [HOST]


def test_another_node_s_good_news_ends_the_break_for_a_probe() -> None:
    hosts, _ = opened()
    hosts.ask_again()
    assert hosts.admit(HOST)
    hosts.ask_again()
    assert not hosts.admit(HOST), "one probe at a time"
    hosts.failed(HOST, "no connection in time")
    assert hosts.is_held(HOST)


def test_a_clock_that_was_set_back_keeps_no_host_waiting() -> None:
    hosts, clock = opened()
    clock.set(clock.now() - 3600 * 1_000_000)
    assert hosts.admit(HOST)
    assert hosts.park(HOST, ACCOUNT) <= clock.now() + round((MOST_S + 60) * 1_000_000)


def test_only_who_calls_a_host_sees_it() -> None:
    hosts, _ = opened()
    hosts.note(HOST, ACCOUNT)
    assert [each.host for each in hosts.seen_by(ACCOUNT)] == [HOST]
    assert hosts.seen_by(b"b" * 16) == []


@given(
    st.lists(
        st.one_of(
            st.sampled_from(["ask", "answered", "failed", "settle"]), st.floats(0.0, 2 * MOST_S, allow_nan=False)
        ),
        max_size=120,
    )
)
def test_whatever_happens_it_is_closed_open_or_half_open(steps: list[str | float]) -> None:
    hosts, clock = made()
    in_a_row, is_open, is_probing = 0, False, False
    quiet_until = 0.0
    for step in steps:
        if isinstance(step, float):
            clock.advance(step)
        elif step == "ask":
            admitted = hosts.admit(HOST)
            now = clock.monotonic()
            if not is_open:
                assert admitted
            elif is_probing or now < quiet_until:
                assert not admitted
            elif admitted:
                is_probing = True
            else:
                assert now < quiet_until + MOST_S
        elif step == "answered":
            hosts.answered(HOST)
            in_a_row, is_open, is_probing = 0, False, False
        elif step == "settle":
            if is_probing:
                hosts.settle(HOST)
                is_probing = False
        else:
            hosts.failed(HOST, "no connection in time")
            in_a_row += 1
            if is_probing or (not is_open and in_a_row >= OPENS_AFTER):
                is_open, is_probing = True, False
                quiet_until = clock.monotonic() + FIRST_S / 2
        assert hosts.is_troubled(HOST) == (in_a_row > 0)
        assert hosts.is_probed(HOST) == is_probing
        if is_probing:
            assert hosts.is_held(HOST)
