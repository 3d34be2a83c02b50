"""Consent in the description: its operations and objects. The shorthand is explained in openapi.py."""

from typing import Final

from parley.api.admin.openapi_operations import Operation

TAG: Final = {"consent": "Who wants nothing more from whom, who said so, and the words that say it"}

_PAIR: Final = "/admin/consents/{sender}/{recipient}"
_KEYWORDS: Final = "/admin/services/{service}/keywords"
_FILTERS: Final = (("sender", "str"), ("recipient", "str"))

OPERATIONS: Final = (
    Operation(
        method="GET",
        path="/admin/consents",
        id="list_consents",
        tag="consent",
        summary="List the opt-outs that stand",
        answers={200: ("A page, by sender and recipient", "Consents")},
        query=(*_FILTERS, ("limit", "count"), ("page_token", "str")),
    ),
    Operation(
        method="GET",
        path=_PAIR,
        id="get_consent",
        tag="consent",
        summary="Read what stands between a sender and a recipient, and what was said of it",
        answers={200: ("Not opted out where nothing was ever said", "Consent")},
        refusals=(404,),
    ),
    Operation(
        method="PUT",
        path=_PAIR,
        id="opt_out",
        tag="consent",
        summary="Note that a recipient wants nothing more from a sender",
        answers={200: ("As it stands now", "Consent")},
        body="OptOut",
        refusals=(404, 415),
    ),
    Operation(
        method="DELETE",
        path=_PAIR,
        id="opt_in",
        tag="consent",
        summary="Note that a recipient takes messages from a sender again",
        answers={204: ("They do", None)},
        refusals=(404,),
    ),
    Operation(
        method="POST",
        path="/admin/consents/import",
        id="import_consents",
        tag="consent",
        summary="Take opt-outs from CSV or JSON lines: all, or none where a line is wrong",
        answers={200: ("All are taken", "Imported")},
        body="text/csv str",
        refusals=(415,),
    ),
    Operation(
        method="GET",
        path="/admin/consents/export",
        id="export_consents",
        tag="consent",
        summary="Give the opt-outs that stand as CSV",
        answers={200: ("One a line, below a header", "text/csv str")},
        query=_FILTERS,
    ),
    Operation(
        method="GET",
        path=_KEYWORDS,
        id="get_keywords",
        tag="consent",
        summary="Read a messaging service's own words of consent",
        answers={200: ("Empty where the platform's hold", "Keywords")},
        refusals=(404,),
    ),
    Operation(
        method="PUT",
        path=_KEYWORDS,
        id="set_keywords",
        tag="consent",
        summary="Give a messaging service words of consent of its own, and its answers to them",
        answers={200: ("As they are now", "Keywords")},
        body="SetKeywords",
        refusals=(404, 415),
    ),
)

_KINDS: Final = "STOP|START|HELP"
FIELDS: Final[dict[str, dict[str, str]]] = {
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
