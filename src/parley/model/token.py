"""An API token: a password of a project that may do some things and not others. Source: SignalWire's project tokens."""

from typing import Literal, get_args

import msgspec

Permission = Literal[
    "calling",
    "chat",
    "datasphere",
    "fax",
    "management",
    "messaging",
    "numbers",
    "pubsub",
    "storage",
    "tasking",
    "video",
]
PERMISSIONS: tuple[Permission, ...] = get_args(Permission)


class Token(msgspec.Struct, frozen=True):
    """A token. Its secret is made from the resource's id and the server's key each time, and kept nowhere."""

    name: str
    permissions: tuple[Permission, ...]
