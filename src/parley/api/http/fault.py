"""What may be wrong with a request before its meaning is looked at. Each dialect has its own words and codes for it."""

from typing import Literal

Kind = Literal[
    "malformed",
    "unsupported_content_type",
    "too_large",
    "unauthorized",
    "forbidden",
    "test_credentials",
    "not_found",
    "method_not_allowed",
    "invalid_parameter",
    "too_many_requests",
    "unavailable",
    "internal",
]

STATUS: dict[Kind, int] = {
    "malformed": 400,
    "unsupported_content_type": 415,
    "too_large": 413,
    "unauthorized": 401,
    "forbidden": 403,
    "test_credentials": 403,
    "not_found": 404,
    "method_not_allowed": 405,
    "invalid_parameter": 400,
    "too_many_requests": 429,
    "unavailable": 503,
    "internal": 500,
}


class Fault(Exception):
    """A request that is refused for its form. `detail` is a sentence for the client; `parameter` names the culprit."""

    def __init__(self, kind: Kind, detail: str = "", parameter: str | None = None) -> None:
        super().__init__(kind, detail)
        self.kind: Kind = kind
        self.detail = detail
        self.parameter = parameter
