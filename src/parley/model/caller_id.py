"""A caller id: a phone of somebody else that an account has shown to answer. Source: api v2010, OutgoingCallerId."""

import msgspec


class CallerId(msgspec.Struct, frozen=True):
    """A verified phone. The resource's name is the number, in E.164 form."""

    phone_number: str
    friendly_name: str
