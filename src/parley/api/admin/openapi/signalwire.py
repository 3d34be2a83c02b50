"""SignalWire's operations in the description, beside those on messages and their numbers. What a request may give is in
docs/compat/signalwire.csv; bodies are objects of JSON here.
"""

from typing import Final

from parley.api.admin.openapi.operation import Operation, operation

TAGS: Final = {
    "fabric": "SignalWire's resources that handle messages: webhooks, scripts, Relay applications",
    "registry": "SignalWire's campaign registry, as its API and as its messaging guide spell it",
    "number groups": "SignalWire's number groups and their memberships",
    "mfa": "SignalWire's one-time codes",
    "projects": "SignalWire's projects and API tokens",
    "caller ids": "SignalWire's verified caller ids",
    "short codes": "SignalWire's short codes",
}

_REST: Final = "/api/relay/rest"
_BETA: Final = f"{_REST}/registry/beta"
_FABRIC: Final = "/api/fabric/resources"
_PAGED: Final = (("page_size", "count"), ("page_number", "count"), ("page_token", "str"))
_TAKES: Final = ("POST", "PUT", "PATCH")
_ASKS_NOTHING: Final = frozenset({"rotate_signing_key", "call_caller_id_again"})


def _of(tag: str, *lines: tuple[str, str, str, int, str | None]) -> list[Operation]:
    """Operations of one tag: method and path, id, summary, status and body of the answer."""
    found = []
    for at, id_, summary, status, answer in lines:
        method, path = at.split()
        found.append(
            operation(
                at,
                id_,
                tag,
                summary,
                {status: ("It is done" if answer is None else "What there is then", answer)},
                query=_PAGED if answer is not None and answer.endswith("Page") else (),
                body="object" if method in _TAKES and id_ not in _ASKS_NOTHING else None,
                refusals=(404, 422) if "{" in path else (422,),
            )
        )
    return found


def _resource(kind: str, answer: str, change: str, made: int) -> list[Operation]:
    """The five operations on one kind of fabric resource."""
    path, name = f"{_FABRIC}/{kind}", kind.removesuffix("s")
    words = name.replace("_", " ")
    return _of(
        "fabric",
        (f"GET {path}", f"list_{kind}", f"List {words}s", 200, f"{answer}Page"),
        (f"POST {path}", f"create_{name}", f"Make a {words}", made, answer),
        (f"GET {path}/{{id}}", f"get_{name}", f"Read a {words}", 200, answer),
        (f"{change} {path}/{{id}}", f"update_{name}", f"Change a {words}", 200, answer),
        (f"DELETE {path}/{{id}}", f"delete_{name}", f"Remove a {words}", 204, None),
    )


_GROUP: Final = f"{_REST}/number_groups/{{id}}"
_MEMBERS: Final = f"{_GROUP}/number_group_memberships"
_MEMBER: Final = f"{_REST}/number_group_memberships/{{id}}"
_CALLER: Final = f"{_REST}/verified_caller_ids/{{id}}"
_CAMPAIGN: Final = f"{_BETA}/campaigns/{{id}}"

OPERATIONS: Final[tuple[Operation, ...]] = (
    *_of(
        "phone numbers",
        (f"POST {_REST}/phone_numbers", "buy_phone_number", "Buy a number", 200, "PhoneNumber"),
        (
            f"GET {_REST}/phone_numbers/search",
            "search_phone_numbers",
            "Search numbers for sale",
            200,
            "AvailablePhoneNumberPage",
        ),
        (f"DELETE {_REST}/phone_numbers/{{id}}", "release_phone_number", "Release a number", 204, None),
    ),
    *_of(
        "number groups",
        (f"GET {_REST}/number_groups", "list_number_groups", "List number groups", 200, "NumberGroupPage"),
        (f"POST {_REST}/number_groups", "create_number_group", "Make a number group", 200, "NumberGroup"),
        (f"GET {_GROUP}", "get_number_group", "Read a number group", 200, "NumberGroup"),
        (f"PUT {_GROUP}", "update_number_group", "Change a number group", 200, "NumberGroup"),
        (f"DELETE {_GROUP}", "delete_number_group", "Remove a number group", 204, None),
        (f"GET {_MEMBERS}", "list_memberships", "List a group's numbers", 200, "NumberGroupMembershipPage"),
        (f"POST {_MEMBERS}", "create_membership", "Put a number into a group", 200, "NumberGroupMembership"),
        (f"GET {_MEMBER}", "get_membership", "Read a membership", 200, "NumberGroupMembership"),
        (f"DELETE {_MEMBER}", "delete_membership", "Take a number out of a group", 204, None),
    ),
    *_of(
        "short codes",
        (f"GET {_REST}/short_codes", "list_short_codes", "List short codes", 200, "ShortCodePage"),
        (f"GET {_REST}/short_codes/{{id}}", "get_short_code", "Read a short code", 200, "ShortCode"),
        (f"PUT {_REST}/short_codes/{{id}}", "update_short_code", "Change a short code", 200, "ShortCode"),
    ),
    *_of(
        "caller ids",
        (f"GET {_REST}/verified_caller_ids", "list_caller_ids", "List caller ids", 200, "VerifiedCallerIDPage"),
        (f"POST {_REST}/verified_caller_ids", "create_caller_id", "Verify a caller id", 201, "VerifiedCallerID"),
        (f"GET {_CALLER}", "get_caller_id", "Read a caller id", 200, "VerifiedCallerID"),
        (f"PUT {_CALLER}", "update_caller_id", "Rename a caller id", 200, "VerifiedCallerID"),
        (f"DELETE {_CALLER}", "delete_caller_id", "Remove a caller id", 204, None),
        (f"POST {_CALLER}/verification", "call_caller_id_again", "Have it called again", 200, "VerifiedCallerID"),
        (f"PUT {_CALLER}/verification", "verify_caller_id", "Tell its code", 200, "VerifiedCallerID"),
    ),
    *_of(
        "registry",
        (f"GET {_BETA}/brands", "list_brands", "List brands", 200, "BrandPage"),
        (f"POST {_BETA}/brands", "create_brand", "Register a brand", 201, "Brand"),
        (f"GET {_BETA}/brands/{{id}}", "get_brand", "Read a brand", 200, "Brand"),
        (f"GET {_BETA}/brands/{{id}}/campaigns", "list_campaigns", "List a brand's campaigns", 200, "CampaignPage"),
        (f"POST {_BETA}/brands/{{id}}/campaigns", "create_campaign", "Register a campaign", 201, "Campaign"),
        (f"GET {_CAMPAIGN}", "get_campaign", "Read a campaign", 200, "Campaign"),
        (f"PUT {_CAMPAIGN}", "update_campaign", "Rename a campaign", 200, "Campaign"),
        (f"GET {_CAMPAIGN}/numbers", "list_assigned_numbers", "List its numbers", 200, "AssignedNumberPage"),
        (f"GET {_CAMPAIGN}/orders", "list_orders", "List its orders", 200, "OrderPage"),
        (f"POST {_CAMPAIGN}/orders", "create_order", "Assign numbers to it", 200, "Order"),
        (f"GET {_BETA}/orders/{{id}}", "get_order", "Read an order", 200, "Order"),
        (f"DELETE {_BETA}/numbers/{{id}}", "delete_assignment", "Take a number back", 204, None),
        ("POST /api/messaging/brands", "create_guide_brand", "Register a brand, as the guide has it", 201, "object"),
        ("GET /api/messaging/brands/{id}", "get_guide_brand", "Read it, as the guide has it", 200, "object"),
        ("POST /api/messaging/campaigns", "create_guide_campaign", "Register a campaign so", 201, "object"),
        ("GET /api/messaging/campaigns/{id}", "get_guide_campaign", "Read a campaign so", 200, "object"),
    ),
    *_of(
        "mfa",
        (f"POST {_REST}/mfa/sms", "send_code", "Send a code", 200, "MfaResponse"),
        (f"POST {_REST}/mfa/{{id}}/verify", "verify_code", "Compare what was told back", 200, "MfaVerifyResponse"),
    ),
    *_of(
        "projects",
        ("GET /api/projects", "list_projects", "List projects", 200, "ProjectPage"),
        ("GET /api/projects/{id}", "get_project", "Read a project", 200, "Project"),
        (
            "POST /api/projects/{id}/signing-key/rotate",
            "rotate_signing_key",
            "Make another signing key",
            200,
            "ProjectWithSigningKey",
        ),
        ("POST /api/project/tokens", "create_token", "Make an API token", 200, "TokenResponse"),
        ("PATCH /api/project/tokens/{id}", "update_token", "Change an API token", 200, "TokenResponse"),
        ("DELETE /api/project/tokens/{id}", "delete_token", "Remove an API token", 204, None),
    ),
    *_resource("cxml_webhooks", "CxmlWebhookResource", "PATCH", 201),
    *_resource("relay_applications", "RelayApplicationResource", "PUT", 200),
    *_resource("swml_scripts", "SwmlScriptResource", "PUT", 200),
    *_resource("swml_webhooks", "SwmlWebhookResource", "PATCH", 201),
    *_of(
        "fabric",
        (f"GET {_FABRIC}", "list_resources", "List resources of every kind", 200, "ResourcePage"),
        (f"GET {_FABRIC}/{{id}}", "get_resource", "Read a resource", 200, "object"),
        (f"DELETE {_FABRIC}/{{id}}", "delete_resource", "Remove a resource", 204, None),
        (f"POST {_FABRIC}/{{id}}/phone_routes", "route_phone", "Give a number to a resource", 200, "FabricAddress"),
    ),
)
