"""Consent in the description: its operations and objects. The shorthand is explained in document.py."""

from typing import Final

from parley.api.admin.openapi.operation import Fields, Operation, operation

TAGS: Final = {"consent": "Who wants nothing more from whom, who said so, and the words that say it"}

_PAIR: Final = "/admin/consents/{sender}/{recipient}"
_KEYWORDS: Final = "/admin/services/{service}/keywords"
_FILTERS: Final = (("sender", "str"), ("recipient", "str"))

OPERATIONS: Final[tuple[Operation, ...]] = (
    operation(
        "GET /admin/consents",
        "list_consents",
        "consent",
        "List the opt-outs that stand",
        {200: ("A page, by sender and recipient", "Consents")},
        query=(*_FILTERS, ("limit", "count"), ("page_token", "str")),
    ),
    operation(
        f"GET {_PAIR}",
        "get_consent",
        "consent",
        "Read what stands between a sender and a recipient, and what was said of it",
        {200: ("Not opted out where nothing was ever said", "Consent")},
        refusals=(404,),
    ),
    operation(
        f"PUT {_PAIR}",
        "opt_out",
        "consent",
        "Note that a recipient wants nothing more from a sender",
        {200: ("As it stands now", "Consent")},
        body="OptOut",
        refusals=(404,),
    ),
    operation(
        f"DELETE {_PAIR}",
        "opt_in",
        "consent",
        "Note that a recipient takes messages from a sender again",
        {204: ("They do", None)},
        refusals=(404,),
    ),
    operation(
        "POST /admin/consents/import",
        "import_consents",
        "consent",
        "Take opt-outs from CSV or JSON lines: all, or none where a line is wrong",
        {200: ("All are taken", "Imported")},
        body="text/csv str",
    ),
    operation(
        "GET /admin/consents/export",
        "export_consents",
        "consent",
        "Give the opt-outs that stand as CSV",
        {200: ("One a line, below a header", "text/csv str")},
        query=_FILTERS,
    ),
    operation(
        f"GET {_KEYWORDS}",
        "get_keywords",
        "consent",
        "Read a messaging service's own words of consent",
        {200: ("Empty where the platform's hold", "Keywords")},
        refusals=(404,),
    ),
    operation(
        f"PUT {_KEYWORDS}",
        "set_keywords",
        "consent",
        "Give a messaging service words of consent of its own, and its answers to them",
        {200: ("As they are now", "Keywords")},
        body="SetKeywords",
        refusals=(404,),
    ),
)

_KINDS: Final = "STOP|START|HELP"
FIELDS: Final[Fields] = {
    "OptOut": {"keyword?": "str"},
    "StandingOptOut": {
        "sender": "str",
        "recipient": "str",
        "keyword": "str?",
        "source": "inbound|api|import",
        "opted_out_at": "time",
    },
    "Consents": {"consents": "[StandingOptOut]", "next_page_token": "str?"},
    "Consent": {
        "sender": "str",
        "recipient": "str",
        "opted_out": "bool",
        "opted_out_at": "time?",
        "history": "[ConsentChange]",
    },
    "ConsentChange": {
        "at": "time",
        "change": "opt_out|opt_in",
        "keyword": "str?",
        "source": "inbound|api|import",
        "by": "str",
        "message_id": "uuid?",
    },
    "Imported": {"imported": "count"},
    "KeywordReply": {"type": _KINDS, "keywords": "strings", "reply": "str", "language": "str", "country": "str"},
    "Keywords": {"keywords": "[KeywordReply]"},
    "SetKeywordReply": {
        "type": _KINDS,
        "keywords": "strings",
        "reply?": "str",
        "language?": "str",
        "country?": "str",
    },
    "SetKeywords": {"keywords": "[SetKeywordReply]"},
}
