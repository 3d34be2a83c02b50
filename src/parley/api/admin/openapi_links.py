"""Short links in the description: their operations and objects. The shorthand is explained in openapi.py."""

from typing import Final

from parley.api.admin.openapi_operations import Operation

TAG: Final = {"links": "Short links: the domains that they stand on, and who followed them"}

OPERATIONS: Final = (
    Operation(
        method="GET",
        path="/admin/messages/{message}/links",
        id="list_message_links",
        tag="links",
        summary="List the short links in a message, with their clicks",
        answers={200: ("All of them", "ShortLinks")},
        refusals=(404,),
    ),
    Operation(
        method="GET",
        path="/admin/domains",
        id="list_domains",
        tag="links",
        summary="List the account's domains for short links",
        answers={200: ("The oldest first", "Domains")},
    ),
    Operation(
        method="POST",
        path="/admin/domains",
        id="add_domain",
        tag="links",
        summary="Take a domain for short links; Twilio's LinkShortening configures it",
        answers={201: ("The domain", "Domain")},
        body="AddDomain",
        refusals=(409, 415),
    ),
    Operation(
        method="DELETE",
        path="/admin/domains/{domain}",
        id="drop_domain",
        tag="links",
        summary="Give up a domain; links that were sent lead on where they led",
        answers={204: ("It is gone", None)},
        refusals=(404,),
    ),
)

FIELDS: Final[dict[str, dict[str, str]]] = {
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
