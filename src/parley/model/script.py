"""A SWML script that is kept here: a resource that answers inbound messages in an app's place."""

import msgspec

from parley.lib.ids import parse_uuid, to_uuid

_SCHEME = "swml-script://"


class SwmlScript(msgspec.Struct, frozen=True):
    """One script. A number leads to it by `url_of(its id)` in place of its inbound webhook's URL."""

    name: str
    contents: str
    """JSON or YAML, as it was given."""


def url_of(script_id: bytes) -> str:
    """The URL that stands for a script."""
    return _SCHEME + to_uuid(script_id)


def script_of(url: str) -> bytes | None:
    """The script that a URL stands for; None for a URL to ask."""
    return parse_uuid(url.removeprefix(_SCHEME)) if url.startswith(_SCHEME) else None
