"""Ids: shape, strict order whatever the clock does, and both spellings."""

import uuid
from threading import Thread

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parley.lib.clock import SystemClock
from parley.lib.ids import Ids, floor, made_at, parse_sid, parse_uuid, sid, to_uuid
from tests.clock import ManualClock

ids_16 = st.binary(min_size=16, max_size=16)
times_us = st.integers(0, 4_000_000_000_000_000)


def ones(size: int) -> bytes:
    return b"\xff" * size


def test_an_id_is_a_version_7_uuid_of_its_time() -> None:
    clock = ManualClock(at_us=1_750_000_000_123_456)
    made = Ids(clock).new()
    assert len(made) == 16
    assert int.from_bytes(made[:6]) == 1_750_000_000_123, "milliseconds, as RFC 9562 has them"
    assert made_at(made) == 1_750_000_000_123_456
    read = uuid.UUID(bytes=made)
    assert (read.version, read.variant) == (7, uuid.RFC_4122)


@given(st.lists(st.integers(-3_000, 3_000), min_size=1, max_size=200), times_us)
def test_ids_strictly_increase_whatever_the_clock_does(steps: list[int], start: int) -> None:
    clock = ManualClock(at_us=start + 1_000_000)
    ids = Ids(clock)
    made = []
    for step in steps:
        clock.set(clock.now() + step)
        made.append(ids.new())
    assert made == sorted(set(made))
    assert all(uuid.UUID(bytes=each).version == 7 for each in made)


@given(st.lists(st.integers(0, 50), min_size=1, max_size=50), times_us)
def test_ids_of_given_times_sort_by_them_and_then_as_they_were_made(times: list[int], start: int) -> None:
    ids = Ids(ManualClock())
    made = [(start + at, n, ids.at(start + at)) for n, at in enumerate(times)]
    assert [id for *_, id in sorted(made)] == sorted(id for *_, id in made)
    assert all(floor(at) <= id < floor(at + 1) for at, _, id in made)
    assert all(uuid.UUID(bytes=id).version == 7 for *_, id in made)


def test_ids_of_one_time_keep_their_order_for_longer_than_a_process_lives() -> None:
    ids = Ids(ManualClock(), ones)
    first, second = (int.from_bytes(ids.at(7)) % 2**62 for _ in range(2))  # what is random of them
    assert (2**62 - first) // (second - first) > 10_000 * 86_400 * 100, "ten thousand a second, for a hundred days"


def test_order_holds_when_the_random_tail_overflows() -> None:
    clock = ManualClock(at_us=1_000)
    ids = Ids(clock, ones)
    made = [ids.new() for _ in range(50)]
    assert made == sorted(set(made))
    assert all(uuid.UUID(bytes=each).version == 7 for each in made)


def test_entropy_is_drawn_in_chunks_and_never_reused() -> None:
    drawn: list[int] = []

    def zeros(size: int) -> bytes:
        drawn.append(size)
        return bytes(size)

    ids = Ids(ManualClock(), zeros)
    made = {ids.new() for _ in range(513)}
    assert (len(made), drawn) == (513, [4096, 4096])


def test_threads_share_one_maker() -> None:
    ids = Ids(SystemClock())
    made: list[list[bytes]] = [[] for _ in range(4)]

    def make(into: list[bytes]) -> None:
        into.extend(ids.new() for _ in range(2_000))

    threads = [Thread(target=make, args=(into,)) for into in made]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(into == sorted(into) for into in made)
    assert len({each for into in made for each in into}) == 8_000


@given(times_us, st.integers(1, 10_000))
def test_floor_divides_the_ids_of_one_microsecond_from_the_next(at: int, later: int) -> None:
    made = Ids(ManualClock(at_us=at)).new()
    assert floor(at) <= made < floor(at + later)
    assert made_at(made) == at


def test_floor_holds_beyond_the_ends_of_time() -> None:
    assert floor(-(10**20)) == floor(0)
    assert floor(10**20) > floor(4_000_000_000_000_000)


@given(ids_16)
def test_spellings_round_trip(id: bytes) -> None:
    assert parse_sid(sid("SM", id), ("SM", "MM")) == id
    assert parse_sid("MM" + id.hex().upper(), ("SM", "MM")) == id
    assert to_uuid(id) == str(uuid.UUID(bytes=id))
    assert parse_uuid(to_uuid(id)) == id
    assert parse_uuid(to_uuid(id).upper()) == id


@pytest.mark.parametrize(
    "text",
    [
        "",
        "SM",
        "SM" + "0" * 31,
        "SM" + "0" * 33,
        "SM" + "0" * 32 + "\n",
        "sm" + "0" * 32,
        "AC" + "0" * 32,
        "SM" + "g" * 32,
        "SM" + "٠" * 32,
        "SM" + "\x00" * 32,
    ],
)
def test_other_sids_are_refused(text: str) -> None:
    assert parse_sid(text, ("SM", "MM")) is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0" * 32,
        "{00000000-0000-0000-0000-000000000000}",
        "urn:uuid:00000000-0000-0000-0000-000000000000",
        "00000000-0000-0000-0000-00000000000",
        "00000000-0000-0000-0000-000000000000\n",
        "00000000-0000-0000-00000000-00000000",
        "0000000٠-0000-0000-0000-000000000000",
    ],
)
def test_other_uuids_are_refused(text: str) -> None:
    assert parse_uuid(text) is None


@given(st.text())
def test_parsers_never_raise(text: str) -> None:
    assert parse_uuid(text) is None
    assert parse_sid(text, ("SM",)) is None


@given(times_us)
def test_the_microsecond_of_an_id_is_read_back(at_us: int) -> None:
    assert made_at(floor(at_us)) == at_us
