"""Which URLs of clients are taken: those that the guard lets through."""

import re
from typing import Any, Final

from parley.api.signalwire.problems import Problem
from parley.webhooks.guard import Guard, RefusedUrl

_HTTP_URL: Final = re.compile(r"https?://[^/?#\s]", re.IGNORECASE)


def check_url(value: Any, name: str, guard: Guard, problems: list[Problem], code: str = "not_an_http_url") -> None:
    """Note what is wrong with a URL that we are to request: its type, its form (`code`), or where it leads."""
    if not isinstance(value, str):
        problems.append(Problem("not_a_string", f"{name} must be a string", name))
    elif _HTTP_URL.match(value) is None:
        problems.append(Problem(code, f"{name} must be an absolute HTTP or HTTPS URL", name))
    else:
        try:
            guard.check_url(value)
        except RefusedUrl as refused:
            problems.append(Problem("url_is_unsafe", f"{name} cannot be used: {refused.reason}", name))
