"""An account's balance. Source: the OpenAPI document of the API of 2010, Balance."""

from starlette.routing import Route

from parley.api.http.credentials import Credentials
from parley.api.http.endpoint import Call, Reply, json_reply
from parley.api.twilio.acting import Operations
from parley.api.twilio.money import dollars
from parley.api.twilio.paths import check_account, check_nothing_asked
from parley.core.accounts import Accounts
from parley.core.allowances import Allowances

_PLACES = 2


def routes(allowances: Allowances, accounts: Accounts, credentials: Credentials) -> list[Route]:
    """The one operation on balances."""

    async def fetch(call: Call) -> Reply:
        """What is left; of an account without a limit, what it spent, below zero."""
        check_account(call)
        check_nothing_asked(call)
        balance = dollars(await allowances.balance(call.account), _PLACES)
        return json_reply(200, {"account_sid": f"AC{call.account.id.hex()}", "balance": balance, "currency": "USD"})

    return [Operations(accounts, credentials).route("GET", "/Balance.json", fetch)]
