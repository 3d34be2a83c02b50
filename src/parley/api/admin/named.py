"""The things that paths and parameters name, by either spelling of an id."""

from parley.api.http.endpoint import Call
from parley.api.http.fault import Fault
from parley.lib import ids


def message_id(given: str) -> bytes:
    """A message's id, given as UUID or SID. Raises Fault(not_found)."""
    found = ids.parse_uuid(given) or ids.parse_sid(given, ("SM", "MM"))
    if found is None:
        raise Fault("not_found", "This is no message's id")
    return found


def service_id(call: Call) -> bytes:
    """The id of the messaging service that a path names by its SID. Raises Fault(not_found)."""
    found = ids.parse_sid(call.path["service"], ("MG",))
    if found is None:
        raise Fault("not_found", "This is no messaging service's SID")
    return found
