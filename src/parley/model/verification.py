"""A verification: a code that was sent to a phone, to be told back. Source: SignalWire's MFA."""

import msgspec


class Verification(msgspec.Struct, frozen=True):
    """One code. The resource is due when the code ends to be good."""

    to: str
    code_hash: bytes
    """Keyed by the server: who reads the record cannot try all codes."""
    attempts_left: int
