"""The account, its allowance and its keys in the description: operations and objects.

The shorthand is explained in document.py.
"""

from typing import Final

from parley.api.admin.openapi.operation import Fields, Operation, operation

TAGS: Final = {
    "account": "The account that the credentials belong to",
}

OPERATIONS: Final[tuple[Operation, ...]] = (
    operation("GET /admin/account", "get_account", "account", "Read the account", {200: ("The account", "Account")}),
    operation(
        "PUT /admin/account",
        "change_account",
        "account",
        "Rename the account, say who honours STOP, or set its quiet hours",
        {200: ("The account", "Account")},
        body="ChangeAccount",
    ),
    operation(
        "GET /admin/services/{service}/quiet_hours",
        "get_quiet_hours",
        "account",
        "Read a messaging service's own quiet hours",
        {200: ("Null where it has none", "ServiceQuietHours")},
        refusals=(404,),
    ),
    operation(
        "PUT /admin/services/{service}/quiet_hours",
        "set_quiet_hours",
        "account",
        "Set a messaging service's quiet hours",
        {200: ("As they are now", "ServiceQuietHours")},
        body="SetQuietHours",
        refusals=(404,),
    ),
    operation(
        "DELETE /admin/services/{service}/quiet_hours",
        "drop_quiet_hours",
        "account",
        "Let a messaging service keep its account's quiet hours",
        {204: ("It has none of its own", None)},
        refusals=(404,),
    ),
    operation(
        "POST /admin/account/token",
        "rotate_token",
        "account",
        "Give the account a new auth token; the former one authenticates for a day more",
        {200: ("The new token, which is told this once", "RotatedToken")},
    ),
    operation(
        "GET /admin/allowance",
        "get_allowance",
        "account",
        "Read which countries the account may write to, its credit and its balance",
        {200: ("The allowance", "Allowance")},
    ),
    operation(
        "PUT /admin/allowance",
        "change_allowance",
        "account",
        "Say which countries the account may write to, and for how much",
        {200: ("The allowance", "Allowance")},
        body="ChangeAllowance",
    ),
    operation(
        "POST /admin/allowance/top_up",
        "top_up",
        "account",
        "Add to the account's credit",
        {200: ("The allowance", "Allowance")},
        body="TopUp",
    ),
    operation("GET /admin/keys", "list_keys", "account", "List API keys", {200: ("Without their secrets", "Keys")}),
    operation(
        "POST /admin/keys",
        "add_key",
        "account",
        "Make an API key",
        {201: ("With its secret, which is told this once", "MadeKey")},
        body="NewKey",
    ),
    operation(
        "DELETE /admin/keys/{key}",
        "drop_key",
        "account",
        "Drop an API key",
        {204: ("Dropped", None)},
        refusals=(404,),
    ),
)

FIELDS: Final[Fields] = {
    "Account": {
        "account_sid": "str",
        "project_id": "uuid",
        "name": "str",
        "status": "active|suspended|closed",
        "opt_out_handling": "number|platform|app",
        "quiet_hours": "QuietHours?",
        "signing_key": "str?",
        "test_account_sid": "str?",
        "test_auth_token": "str?",
        "created_at": "time",
        "updated_at": "time",
    },
    "ChangeAccount": {
        "name?": "str?",
        "opt_out_handling?": "number|platform|app?",
        "quiet_hours?": "SetQuietHours?",
    },
    "Allowance": {"geo_permissions": "[str]?", "credit": "str?", "balance": "str"},
    "ChangeAllowance": {"geo_permissions?": "[str]?", "credit?": "str?"},
    "TopUp": {"amount": "str"},
    "QuietHours": {"start": "str", "end": "str", "action": "hold|refuse"},
    "SetQuietHours": {"start": "str", "end": "str", "action?": "hold|refuse"},
    "ServiceQuietHours": {"quiet_hours": "QuietHours?"},
    "RotatedToken": {"account_sid": "str", "auth_token": "str", "former_valid_until": "time"},
    "Key": {"sid": "str", "name": "str", "kind": "main|standard", "created_at": "time"},
    "Keys": {"keys": "[Key]"},
    "NewKey": {"name?": "str", "kind?": "main|standard"},
    "MadeKey": {"sid": "str", "name": "str", "kind": "main|standard", "created_at": "time", "secret": "str"},
}
