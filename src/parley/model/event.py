"""An event: a fact committed together with the change of state that it tells of."""

import msgspec


class Event(msgspec.Struct, frozen=True):
    """One fact about a message, in the order of `seq`.

    `kind` is a state's name (the message entered it), `submit` (a carrier answered without a change of state),
    `receipt` (one that changed nothing), `webhook` (an inbound webhook or its reply went
    wrong), `relay` (no Relay client took an event in time), `redacted` or `deleted`.
    """

    seq: int
    account_id: bytes
    message_id: bytes
    kind: str
    at: int
    data: str | None
    """JSON object: for a submit `carrier`, `outcome`, `refs`; for a failure `code`, `reason`."""
