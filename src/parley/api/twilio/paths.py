"""What a request's path names: the account, which must be the credentials' own, and a resource by its SID."""

from collections.abc import Collection

from parley.api.http.endpoint import Call
from parley.api.http.fault import Fault
from parley.lib import ids

MESSAGE = ("SM", "MM")
MEDIA = ("ME",)
NUMBER = ("PN",)
_NO_PARAMETERS: frozenset[str] = frozenset()


def check_account(call: Call, name: str = "AccountSid") -> None:
    """Hold the path's account against the credentials'. Raises Fault: unauthorized for another account's, as Twilio
    answers (20003), not_found for what is no account's id.
    """
    text = call.path[name]
    mine = call.account.id
    if text == f"AC{mine.hex()}":
        return
    named = ids.parse_sid(text, ("AC",)) or ids.parse_uuid(text)
    if named is None:
        raise Fault("not_found")
    if named != mine:
        raise Fault("unauthorized")


def check_nothing_asked(call: Call) -> None:
    """For an operation without parameters. Raises Fault(invalid_parameter) when the query has any."""
    if call.query:
        call.arguments().allow(_NO_PARAMETERS)


def resource_id(call: Call, prefixes: Collection[str], name: str = "Sid") -> bytes:
    """The id that a SID in the path spells, or a UUID as SignalWire's clients write it. Raises Fault(not_found)."""
    text = call.path[name]
    found = ids.parse_sid(text, prefixes) or ids.parse_uuid(text)
    if found is None:
        raise Fault("not_found")
    return found
