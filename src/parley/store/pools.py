"""Read what the senders of services' pools can do."""

from collections.abc import Collection

from parley.store import schema
from parley.store.engine.statements import Lookup, Operation


def capabilities(account_id: bytes, addresses: Collection[str]) -> Operation[dict[str, tuple[bool, bool]]]:
    """Whether each of these addresses that the account owns can send SMS, and MMS."""
    columns = ("address", "account_id", "can_sms", "can_mms")
    rows = yield Lookup(schema.numbers, columns, ("address",), [(address,) for address in addresses])
    return {row[0]: (bool(row[2]), bool(row[3])) for row in rows if row[1] == account_id}
