"""Short links in the description: their operations and objects. The shorthand is explained in document.py."""

from typing import Final

from parley.api.admin.openapi.operation import Fields, Operation, operation

TAGS: Final = {"links": "Short links: the domains that they stand on, and who followed them"}

OPERATIONS: Final[tuple[Operation, ...]] = (
    operation(
        "GET /admin/messages/{message}/links",
        "list_message_links",
        "links",
        "List the short links in a message, with their clicks",
        {200: ("All of them", "ShortLinks")},
        refusals=(404,),
    ),
    operation(
        "GET /admin/domains",
        "list_domains",
        "links",
        "List the account's domains for short links",
        {200: ("The oldest first", "Domains")},
    ),
    operation(
        "POST /admin/domains",
        "add_domain",
        "links",
        "Take a domain for short links; Twilio's LinkShortening configures it",
        {201: ("The domain", "Domain")},
        body="AddDomain",
        refusals=(409,),
    ),
    operation(
        "DELETE /admin/domains/{domain}",
        "drop_domain",
        "links",
        "Give up a domain; links that were sent lead on where they led",
        {204: ("It is gone", None)},
        refusals=(404,),
    ),
)

FIELDS: Final[Fields] = {
    "ShortLink": {
        "short_url": "str",
        "url": "str",
        "clicks": "count",
        "last_click_at": "time?",
        "expires_at": "time",
    },
    "ShortLinks": {"links": "[ShortLink]"},
    "AddDomain": {"domain": "str"},
    "Domain": {"sid": "str", "domain": "str", "created_at": "time"},
    "Domains": {"domains": "[Domain]"},
}
