"""Time-ordered 128-bit ids (UUIDv7, RFC 9562 section 5.7) and their spellings in both dialects.

Time-ordered because random keys cost about half as much again per insert on a large table. One id has two
spellings: `SM` + 32 hex digits for Twilio, a hyphenated UUID for SignalWire.
"""

import os
import re
import struct
from collections.abc import Callable, Collection, Iterator
from threading import Lock

from parley.lib.clock import Clock

# An id is a 60-bit tick (48 bits of milliseconds, 12 bits of the fraction of one) and a 62-bit random tail,
# with the version and variant bits of RFC 9562 between and before them.
_VERSION = 0x7000
_VARIANT = 1 << 63
_TICK_LIMIT = 1 << 60
_TAIL_LIMIT = 1 << 62
_TAIL_MASK = _TAIL_LIMIT - 1
_STEP_MASK = (1 << 40) - 1
# Ids of given times share one tail, which has to last for a process: 2**37 of them even at the longest steps.
_AT_STEP_MASK = (1 << 24) - 1

_CHUNK_BYTES = 4096
_WORDS = struct.Struct(f">{_CHUNK_BYTES // 8}Q")
_HALVES = struct.Struct(">QQ")

_SID = re.compile(r"[A-Z]{2}[0-9a-fA-F]{32}", re.ASCII)
_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", re.ASCII)


class Ids:
    """Makes ids that strictly increase within the process, also when the clock stands still or steps back.

    Make one per process, after any fork (a copy would repeat the buffered entropy). Safe to share among threads.
    After a step back of the clock, ids keep the last time seen until the clock has caught up.
    """

    __slots__ = ("_at_tail", "_entropy", "_lock", "_now", "_tail", "_tick", "_words")

    def __init__(self, clock: Clock, entropy: Callable[[int], bytes] = os.urandom) -> None:
        self._now = clock.now
        self._entropy = entropy
        self._words: Iterator[int] = iter(())
        self._lock = Lock()
        self._tick = -1
        self._tail = 0
        self._at_tail: int | None = None

    def new(self) -> bytes:
        """The next id: 16 bytes that sort after every id this object has given so far."""
        # 4096 ticks a millisecond is 512 in 125 microseconds, so each microsecond has ticks of its own.
        tick = self._now() * 512 // 125
        with self._lock:
            word = self._word()
            if tick > self._tick:
                self._tick = tick
                tail = word & _TAIL_MASK
            else:
                # A random step keeps the next id unguessable while the order is kept.
                tail = self._tail + 1 + (word & _STEP_MASK)
                if tail >= _TAIL_LIMIT:
                    self._tick += 1
                    tail &= _TAIL_MASK
            self._tail = tail
            tick = self._tick
        return _HALVES.pack((tick & ~0xFFF) << 4 | _VERSION | (tick & 0xFFF), _VARIANT | tail)

    def at(self, at_us: int) -> bytes:
        """An id of a given time, whatever the clock says: they sort by it, and of one microsecond as they were made.

        For what must keep its order though several processes, whose clocks differ, name its parts.
        """
        tick = min(max(at_us * 512 // 125, 0), _TICK_LIMIT - 1)
        with self._lock:
            if self._at_tail is None:
                tail = self._word() & _TAIL_MASK >> 1
            else:
                tail = (self._at_tail + 1 + (self._word() & _AT_STEP_MASK)) & _TAIL_MASK
            self._at_tail = tail
        return _HALVES.pack((tick & ~0xFFF) << 4 | _VERSION | (tick & 0xFFF), _VARIANT | tail)

    def _word(self) -> int:
        word = next(self._words, None)
        if word is None:
            self._words = iter(_WORDS.unpack(self._entropy(_CHUNK_BYTES)))
            word = next(self._words)
        return word


def made_at(id: bytes) -> int:
    """When an id was made, in microseconds since the epoch: `floor` of it is the lowest id of the same tick."""
    half = int.from_bytes(id[:8])
    tick = (half >> 4) & ~0xFFF | half & 0xFFF
    return -(-tick * 125 // 512)


def floor(at_us: int) -> bytes:
    """The lowest id that can be made at `at_us` (microseconds since the epoch).

    Ids of the half-open interval [a, b) are those with `floor(a) <= id < floor(b)`. Times before the epoch or
    beyond the year 10889 give the lowest or highest id there is.
    """
    tick = min(max(at_us * 512 // 125, 0), _TICK_LIMIT - 1)
    return _HALVES.pack((tick & ~0xFFF) << 4 | _VERSION | (tick & 0xFFF), _VARIANT)


def sid(prefix: str, id: bytes) -> str:
    """Twilio's spelling: a two-letter prefix and 32 lower-case hex digits, such as `SM0190...`."""
    return prefix + id.hex()


def parse_sid(text: str, prefixes: Collection[str]) -> bytes | None:
    """The id that a SID spells, or None unless it is one of `prefixes` and 32 hex digits of either case."""
    if _SID.fullmatch(text) is None or text[:2] not in prefixes:
        return None
    return bytes.fromhex(text[2:])


def to_uuid(id: bytes) -> str:
    """SignalWire's spelling: the canonical lower-case UUID, such as `0190a6b0-....`."""
    digits = id.hex()
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def parse_uuid(text: str) -> bytes | None:
    """The id that a UUID of the canonical 8-4-4-4-12 form spells (either case), or None for anything else."""
    if _UUID.fullmatch(text) is None:
        return None
    return bytes.fromhex(text.replace("-", ""))
