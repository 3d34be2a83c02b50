"""What a request's path names."""

from parley.api.http.endpoint import Call
from parley.api.http.fault import Fault
from parley.lib.ids import parse_uuid


def path_id(call: Call) -> bytes:
    """The id that the path's UUID spells. Raises Fault(not_found) for what is none."""
    found = parse_uuid(call.path["id"])
    if found is None:
        raise Fault("not_found")
    return found
