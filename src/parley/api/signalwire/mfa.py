"""Multi-factor authentication: codes by SMS. Source: SignalWire's MFA pages."""

from typing import Final

from parley.api.http.endpoint import Call, Reply, json_reply
from parley.api.signalwire.fields import Fields
from parley.api.signalwire.paths import path_id
from parley.core.send import Draft
from parley.core.verify import DIGITS, DIGITS_AND_LETTERS, Verify
from parley.lib.ids import to_uuid
from parley.store import Engine, numbers

MFA: Final = "/api/relay/rest/mfa"
PARAMETERS: Final = frozenset({"to", "from", "message", "token_length", "valid_for", "max_attempts", "allow_alphas"})
ANSWER: Final = frozenset({"token"})
_MESSAGE: Final = "Your Personal Authorization Code is:"
_MOST_MESSAGE: Final = 1500
_LENGTHS: Final = (6, 4, 20)
_VALID_S: Final = (3600, 1, 604_800)
_ATTEMPTS: Final = (3, 1, 20)
"""What it is unless given, at least, and at most."""
_CANDIDATES: Final = 20
_FIRST: Final = bytes(16)


class Mfa:
    """The operations on codes."""

    def __init__(self, verify: Verify, engine: Engine) -> None:
        self._verify = verify
        self._engine = engine

    async def sms(self, call: Call) -> Reply:
        """POST: send a code. Without `from` the project's first number that can text sends it."""
        fields = Fields(call.json(), PARAMETERS)
        to = fields.phone("to", "invalid_to_number")
        sender = fields.text("from") or await self._sender(call.account.id)
        if sender is None:
            fields.refuse("missing_required_parameter", "from is required: the project has no number", "from")
        text = fields.text("message", most=_MOST_MESSAGE) or _MESSAGE
        size, valid_s = fields.whole("token_length", *_LENGTHS), fields.whole("valid_for", *_VALID_S)
        attempts = fields.whole("max_attempts", *_ATTEMPTS)
        alphabet = DIGITS_AND_LETTERS if fields.boolean("allow_alphas") else DIGITS
        fields.check()

        def draft(code: str) -> Draft:
            body = f"{text} {code}"
            return Draft(account=call.account, dialect="signalwire", recipient=to, sender=sender or "", body=body)

        made = await self._verify.begin(draft, alphabet=alphabet, size=size, valid_s=valid_s, attempts=attempts)
        return json_reply(200, {"id": to_uuid(made.id), "success": True, "to": to, "channel": "sms"})

    async def verify(self, call: Call) -> Reply:
        """POST: whether the code is the one that was sent; 404 once it was told, has ended, or was tried too often."""
        id = path_id(call)
        fields = Fields(call.json(), ANSWER)
        token = fields.required("token", most=100)
        fields.check()
        return json_reply(200, {"success": await self._verify.check(call.account.id, id, token)})

    async def _sender(self, account_id: bytes) -> str | None:
        found = await self._engine.read(numbers.page, account_id, _CANDIDATES, _FIRST, backwards=True, is_short=False)
        return next((number.address for number in reversed(found) if number.can_sms), None)
