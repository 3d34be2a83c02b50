"""Numbers out of service: those that an account wrote to on a day, and whose carrier said that nobody has them.

Twilio lists what US carriers report of all their numbers; a server of one's own knows what its carriers tell it.
Source: messaging v1, Deactivations; twilio.com/docs/messaging/api/deactivated-phone-numbers.
"""

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as Base64Error
from typing import Final

import structlog
from starlette.types import Receive, Scope, Send

from parley.api.http.endpoint import Call, Reply, json_reply, respond
from parley.api.http.fault import Fault
from parley.api.twilio.parameters import period
from parley.api.twilio.problems import explain
from parley.lib.clock import Clock
from parley.lib.phone import region
from parley.store import Engine, StoreUnavailable, messages

log = structlog.get_logger(__name__)

PATH: Final = "/messaging/v1/Deactivations"
_GOOD_FOR_US: Final = 120_000_000
_DAY_US: Final = 86_400_000_000
_UNKNOWN: Final = 30005
"""The code of messages to a number that nobody has."""
_COUNTRY: Final = "US"
_MAC: Final = 16
_LENGTH: Final = 16 + 8 + 8 + _MAC


class Deactivations:
    """Leads to the list of a day, at `origin`, for two minutes. Whoever has `key` can make the links."""

    def __init__(self, engine: Engine, clock: Clock, origin: str, key: bytes) -> None:
        self._engine = engine
        self._clock = clock
        self._origin = origin
        self._key = key

    async def fetch(self, call: Call) -> Reply:
        """307 to the list of `Date`, a day in UTC that has begun. Raises Fault."""
        form = call.arguments()
        form.allow(frozenset({"Date"}))
        begins, ends = period(form, "Date")
        now = self._clock.now()
        if begins is None or ends is None or ends - begins != _DAY_US or begins > now:
            raise Fault("invalid_parameter", "Date must be a day that has begun, as YYYY-MM-DD", "Date")
        url = f"{self._origin}{PATH}/{self._token(call.account.id, begins, now + _GOOD_FOR_US)}"
        return json_reply(307, {"redirect_to": url}, ((b"location", url.encode()),))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer who follows a link: a number a line. The link is the right to it."""
        try:
            reply = await self._listed(scope["path_params"]["token"])
        except Fault as fault:
            reply = explain(fault, scope)
        except StoreUnavailable as error:
            log.warning("the database is away", path=PATH, error=str(error))
            reply = explain(Fault("unavailable"), scope)
        except Exception:
            log.exception("request failed", path=PATH)
            reply = explain(Fault("internal"), scope)
        await respond(send, reply)

    async def _listed(self, token: str) -> Reply:
        named = self._read(token)
        if named is None:
            raise Fault("not_found")
        account_id, begins = named
        found = await self._engine.read(messages.ended_by, account_id, _UNKNOWN, begins, begins + _DAY_US)
        numbers = sorted(number for number in found if number[1:].isdecimal() and region(number) == _COUNTRY)
        text = "".join(f"{number}\n" for number in numbers)
        return Reply(200, text.encode(), b"text/plain; charset=utf-8", ((b"cache-control", b"no-store"),))

    def _token(self, account_id: bytes, begins: int, until: int) -> str:
        said = account_id + begins.to_bytes(8) + until.to_bytes(8)
        mac = hmac.digest(self._key, said, "sha256")[:_MAC]
        return urlsafe_b64encode(said + mac).decode()

    def _read(self, token: str) -> tuple[bytes, int] | None:
        """Account and day of a link; None when it is not ours, or no longer good."""
        try:
            raw = urlsafe_b64decode(token)
        except (Base64Error, ValueError):
            return None
        if len(raw) != _LENGTH:
            return None
        account_id, begins, until = raw[:16], int.from_bytes(raw[16:24]), int.from_bytes(raw[24:32])
        ours = self._token(account_id, begins, until).encode()
        is_ours = hmac.compare_digest(ours, token.encode("utf-8", "replace"))
        return (account_id, begins) if is_ours and self._clock.now() < until else None
