"""Accounts: fetch one's own. Source: twilio.com/docs/iam/api/account."""

import hmac
from base64 import b64decode
from binascii import Error as Base64Error

from parley.api.http.endpoint import Call, Reply, json_reply
from parley.api.twilio import render
from parley.api.twilio.paths import check_account, check_nothing_asked


async def fetch(call: Call) -> Reply:
    """The credentials' account. `auth_token` is told only to who authenticated with that very token: an API key must
    not learn it, and neither must the holder of one that was rotated away.
    """
    check_account(call, "Sid")
    check_nothing_asked(call)
    token = call.account.auth_token.reveal()
    return json_reply(
        200, render.account(call.account, token if hmac.compare_digest(_password(call), token.encode()) else None)
    )


def _password(call: Call) -> bytes:
    _, _, encoded = call.headers.get(b"authorization", b"").partition(b" ")
    try:
        return b64decode(encoded.strip()).partition(b":")[2]
    except Base64Error:
        return b""
