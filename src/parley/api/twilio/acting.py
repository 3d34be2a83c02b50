"""For whom a request acts: an account's auth token is good for its subaccounts' resources in the API of 2010, too.

Source: twilio.com/docs/iam/api/subaccounts; error 20003 says that API keys are not.
"""

from collections.abc import Coroutine
from typing import Any

from starlette.routing import Route

from parley.api.http.credentials import Credentials, basic
from parley.api.http.endpoint import READS, Call, Endpoint, Handler, Reply
from parley.api.twilio import laml, render
from parley.api.twilio.problems import explain
from parley.core.accounts import Accounts
from parley.core.refusal import Refused
from parley.lib import ids

ACCOUNT = f"/{render.VERSION}/Accounts/{{AccountSid}}"


class Operations:
    """Makes the routes of what is below an account in the API of 2010."""

    def __init__(self, accounts: Accounts, credentials: Credentials) -> None:
        self._accounts = accounts
        self._credentials = credentials
        self._and_test = credentials.and_test()

    def route(self, method: str, path: str, handler: Handler, *, for_test: bool = False) -> Route:
        """An operation at a path below the account's, whose handler sees the path's account as the request's own when
        that is a subaccount. What an account may not touch stays for the handler to refuse. One that is not active
        can only be read. With `for_test` the handler knows what to do for test credentials.
        """
        credentials = self._and_test if for_test else self._credentials
        return Route(f"{ACCOUNT}{path}", Endpoint(self._acting(handler), credentials, explain), methods=[method])

    def _acting(self, handler: Handler) -> Handler:
        def serve(call: Call) -> Coroutine[Any, Any, Reply]:
            if call.body and laml.is_spoken(call):
                laml.accept_json(call)
            if call.path["AccountSid"] != f"AC{call.account.id.hex()}":
                return self._for_another(handler, call, call.path["AccountSid"])
            return handler(call)

        return serve

    async def _for_another(self, handler: Handler, call: Call, text: str) -> Reply:
        named = ids.parse_sid(text, ("AC",)) or ids.parse_uuid(text)
        if named is not None and named != call.account.id and not basic(call.headers)[0].startswith("SK"):
            subaccount = await self._accounts.by_id(named)
            if subaccount is not None and subaccount.owner_id == call.account.id:
                call.account = subaccount
                if subaccount.status != "active" and call.scope["method"] not in READS:
                    raise Refused("account_suspended")
        reply = await handler(call)
        # Who names the account by its UUID is answered in that spelling.
        return reply if text.startswith("AC") else laml.respelled(reply)
