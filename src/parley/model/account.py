"""An account: one tenant, with what it signs and authenticates by."""

from typing import Literal

import msgspec

from parley.lib.redaction import Secret

AccountStatus = Literal["active", "suspended", "closed", "test"]
"""Only an active account sends. suspended: until its owner makes it active again. closed: for good. test: the double
that an account's test credentials name; no store holds it, and nothing is kept of what is asked of it."""
KeyKind = Literal["main", "standard"]
"""main: may do all that the auth token may. standard: all but see to accounts and keys."""
OptOutHandling = Literal["number", "platform", "app"]
"""Who honours STOP. `number`: we do on numbers configured for Twilio, the app does on SignalWire's; or one for all."""


class Account(msgspec.Struct, frozen=True):
    """One tenant. Twilio's AC sid and SignalWire's project UUID are spellings of the same id."""

    id: bytes
    name: str
    status: AccountStatus
    opt_out_handling: OptOutHandling
    auth_token: Secret
    """API secret of both dialects, and the key that Twilio-shaped webhooks are signed with."""
    signing_key: Secret
    """Signs SignalWire-shaped webhooks."""
    previous_auth_token: Secret | None
    previous_valid_until: int | None
    """A rotated token still authenticates until then."""
    created_at: int
    updated_at: int
    owner_id: bytes | None = None
    """The account whose subaccount this is; None for one that stands by itself."""
    next_signing_key: Secret | None = None
    """What takes the place of `signing_key` from `next_signs_from` on, so that receivers have time to learn it."""
    next_signs_from: int | None = None


class ApiKey(msgspec.Struct, frozen=True):
    """An API key (SK...) of an account. Only the hash of its secret is known."""

    id: bytes
    account_id: bytes
    name: str
    secret_hash: str
    created_at: int
    kind: KeyKind = "standard"
    updated_at: int = 0
