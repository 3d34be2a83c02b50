"""Simulated phones and their carrier in the description: their operations and objects.

The shorthand is explained in document.py.
"""

from typing import Final

from parley.api.admin.openapi.operation import LIMIT, STATUSES, WAIT, Fields, Operation, operation

TAGS: Final = {
    "simulator": "Phones that exist only here: what they received, what they send, how they behave",
}

_PHONE: Final = "/simulator/phones/{phone}"

OPERATIONS: Final[tuple[Operation, ...]] = (
    operation(
        "GET /simulator/phones",
        "list_phones",
        "simulator",
        "List the phones that the account talked with",
        {200: ("The last active first", "Phones")},
    ),
    operation(
        f"GET {_PHONE}",
        "get_phone",
        "simulator",
        "Read how a phone behaves",
        {200: ("The phone", "Phone")},
    ),
    operation(
        f"PUT {_PHONE}",
        "tell_phone",
        "simulator",
        "Say how a phone behaves from now on",
        {200: ("The phone", "Phone")},
        body="BehaviourChange",
    ),
    operation(
        f"GET {_PHONE}/messages",
        "list_phone_messages",
        "simulator",
        "Read what arrived at a phone, waiting for it if need be",
        {200: ("Newest first", "PhoneMessages")},
        query=(WAIT, ("contains", "str"), ("since", "str"), LIMIT),
    ),
    operation(
        f"POST {_PHONE}/messages",
        "send_from_phone",
        "simulator",
        "Send a message from a phone",
        {201: ("The message is durable", "Sent")},
        body="SendFromPhone",
        refusals=(404,),
    ),
    operation(
        f"GET {_PHONE}/messages/{{message}}/media/{{position}}",
        "get_phone_media",
        "simulator",
        "Fetch an attachment as the phone got it",
        {200: ("The octets", "*/* str")},
        refusals=(404,),
    ),
    operation(
        f"POST {_PHONE}/receipts",
        "force_receipt",
        "simulator",
        "Bring a receipt for a message to a phone",
        {200: ("The state of the message then", "Receipt")},
        body="ForceReceipt",
        refusals=(404,),
    ),
    operation(
        "GET /simulator/faults",
        "get_faults",
        "simulator",
        "Read what goes wrong with the carrier",
        {200: ("The faults", "Faults")},
    ),
    operation(
        "PUT /simulator/faults",
        "set_faults",
        "simulator",
        "Say what goes wrong with the carrier from now on",
        {200: ("The faults", "Faults")},
        body="FaultsChange",
    ),
    operation(
        "GET /simulator/reviewers",
        "get_reviewers",
        "simulator",
        "Read how brands, campaigns and verifications are decided",
        {200: ("The reviewers", "Reviewers")},
    ),
    operation(
        "PUT /simulator/reviewers",
        "tell_reviewers",
        "simulator",
        "Say how brands, campaigns and verifications are decided from now on",
        {200: ("The reviewers", "Reviewers")},
        body="ReviewersChange",
    ),
    operation(
        "DELETE /simulator",
        "forget_simulator",
        "simulator",
        "Forget all phones and faults",
        {204: ("Forgotten", None)},
    ),
)

FIELDS: Final[Fields] = {
    "Phone": {"phone": "str", "last_activity_at": "time?"},
    "Phones": {"phones": "[Phone]"},
    "PhoneMessage": {
        "message_id": "uuid",
        "from": "str",
        "to": "str",
        "body": "str",
        "media": "[PhoneMedia]",
        "received_at": "time",
        "code": "str?",
        "links": "strings",
    },
    "PhoneMedia": {"content_type": "str", "size": "count", "url": "url"},
    "PhoneMessages": {"messages": "[PhoneMessage]"},
    "SendFromPhone": {"to": "str", "body?": "str", "media?": "[any]?"},
    "Sent": {"message_id": "uuid"},
    "ForceReceipt": {
        "message_id": "str",
        "status": "sent|delivered|undelivered|failed|read",
        "error_code?": "int?",
    },
    "Receipt": {"message_id": "uuid", "status": STATUSES, "error_code": "int?", "updated_at": "time"},
}
