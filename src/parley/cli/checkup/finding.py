"""What a check found: whether it is well, and what to do when it is not."""

from typing import Literal

import msgspec

Level = Literal["OK", "WARN", "FAIL"]
"""WARN: works, or may work, but look at it. FAIL: Parley cannot do its work like this."""


class Finding(msgspec.Struct, frozen=True):
    """One line of the doctor's report."""

    check: str
    level: Level
    said: str
    advice: str = ""


def well(check: str, said: str) -> Finding:
    """All is well."""
    return Finding(check, "OK", said)


def doubtful(check: str, said: str, advice: str) -> Finding:
    """Worth a look."""
    return Finding(check, "WARN", said, advice)


def broken(check: str, said: str, advice: str) -> Finding:
    """Has to be mended."""
    return Finding(check, "FAIL", said, advice)
