"""A caller id: a phone of somebody else that an account has shown to answer. Source: api v2010, OutgoingCallerId;
SignalWire's verified caller ids.
"""

import msgspec


class CallerId(msgspec.Struct, frozen=True):
    """A phone, and whether it is verified. The resource's name is the number, in E.164 form."""

    phone_number: str
    friendly_name: str
    code: str | None = None
    """What the phone was told and has yet to be told back; None once it is verified."""
    attempts_left: int = 0
    called_at: tuple[int, ...] = ()
    """When the phone was called, within the last week."""
    verified_at: int | None = None
    """None where that was as it was made."""

    @property
    def is_verified(self) -> bool:
        """Whether it may be used."""
        return self.code is None
