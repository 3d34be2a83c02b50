"""How the process is, in the description, and Parley's own error: operations and objects.

The shorthand is explained in document.py.
"""

from typing import Final

from parley.api.admin.openapi.operation import Fields, Operation, operation

TAGS: Final = {
    "operations": "How the process is",
}

OPERATIONS: Final[tuple[Operation, ...]] = (
    operation(
        "GET /healthz",
        "get_health",
        "operations",
        "Whether the process lives",
        {200: ("It does", "Health"), 503: ("It is stopping", "Health")},
        is_open=True,
    ),
    operation(
        "GET /readyz",
        "get_readiness",
        "operations",
        "Whether the process can serve",
        {200: ("It can", "Readiness"), 503: ("It cannot; troubles says why", "Readiness")},
        is_open=True,
    ),
    operation(
        "GET /metrics",
        "get_metrics",
        "operations",
        "Counts for Prometheus",
        {200: ("Prometheus' text format", "text/plain str")},
        is_open=True,
    ),
    operation(
        "GET /openapi.json",
        "get_description",
        "operations",
        "This description",
        {200: ("OpenAPI 3.1", "object")},
        is_open=True,
    ),
)

FIELDS: Final[Fields] = {
    "Problem": {"code": "str", "message": "str", "status": "int"},
    "Health": {"status": "str"},
    "Readiness": {"status": "str", "checks?": "strings", "troubles?": "object"},
}
