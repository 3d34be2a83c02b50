"""What can go wrong between a client and its service."""

from collections.abc import Mapping, Sequence
from typing import Any


class RealtimeError(Exception):
    """All of the below."""


class Unauthorized(RealtimeError):
    """The service does not know the project, or the token is not its own. Trying again is no use."""


class Unreachable(RealtimeError):
    """There was no connection in time; nothing was sent. The client goes on trying."""


class Dropped(RealtimeError):
    """The connection ended, or fell silent. A request that was under way may have been carried out, or not."""


class Refused(RealtimeError):
    """The service said no, and nothing was done."""

    def __init__(self, code: str, message: str, errors: Sequence[Mapping[str, Any]] = ()) -> None:
        super().__init__(f"{message} ({code})")
        self.code = code
        """`422` and the like, or a code of JSON-RPC, such as `-32601`."""
        self.message = message
        self.errors = errors
        """Where the service says more: `code`, `message` and `attribute` of each parameter that is wrong."""
