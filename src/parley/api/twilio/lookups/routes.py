"""Where numbers are looked up."""

from starlette.routing import Route

from parley.api.http.credentials import Credentials
from parley.api.http.endpoint import Endpoint
from parley.api.twilio.lookups import v1, v2
from parley.api.twilio.problems import explain


def routes(credentials: Credentials) -> list[Route]:
    """Both versions of the one operation."""
    return [
        Route(path, Endpoint(handler, credentials, explain), methods=["GET"])
        for path, handler in (
            ("/lookups/v1/PhoneNumbers/{PhoneNumber}", v1.fetch),
            ("/lookups/v2/PhoneNumbers/{PhoneNumber}", v2.fetch),
        )
    ]
