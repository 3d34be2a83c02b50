"""What SignalWire-shaped webhooks look like on the wire, to the byte, signatures and all."""

import hashlib
import hmac
import json
import os
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from msgspec.structs import replace

from parley.api.signalwire.callbacks import SignalWireRenderer
from parley.api.signalwire.media import MediaLinks
from parley.model.message import MOVES, Status
from parley.webhooks.render import Failure, Rendered
from tests.api.signalwire.values import (
    ACCOUNT,
    CALLBACK,
    INBOUND,
    LINK_KEY,
    OUTBOUND,
    PICTURE,
    PUBLIC_URL,
    SIGNING_KEY,
    callback,
    outbound,
)

GOLDEN = Path(__file__).parents[2] / "golden" / "signalwire"
HOOK = "https://user:pass@app.example:8443/incoming-sms?tenant=1"


def renderer() -> SignalWireRenderer:
    return SignalWireRenderer(MediaLinks(LINK_KEY), PUBLIC_URL)


def inbound(**changes: Any) -> Rendered:
    options: dict[str, Any] = {"message": INBOUND, "media": [], "url": HOOK, "method": "POST", **changes}
    message, media = options.pop("message"), options.pop("media")
    return renderer().inbound(ACCOUNT, message, media, CALLBACK, **options)


def requests() -> dict[str, Rendered]:
    variables = '{"custom_variables":{"order":"42","lang":"de"}}'
    failed = outbound(status="failed", error_code=30008, error_message="the carrier would not say")
    picture = replace(INBOUND, kind="mms", num_media=1, body="")
    return {
        "status_queued": renderer().status(ACCOUNT, OUTBOUND, callback(status="queued")),
        "status_initiated": renderer().status(ACCOUNT, OUTBOUND, callback(status="sending")),
        "status_sent": renderer().status(ACCOUNT, OUTBOUND, CALLBACK),
        "status_delivered": renderer().status(ACCOUNT, outbound(extras=variables), callback(status="delivered")),
        "status_undelivered": renderer().status(
            ACCOUNT, outbound(status="undelivered", error_code=30003), callback(status="undelivered", error_code=30003)
        ),
        "status_failed": renderer().status(ACCOUNT, failed, callback(status="failed", error_code=30008)),
        "status_canceled": renderer().status(ACCOUNT, outbound(status="canceled"), callback(status="canceled")),
        "status_read": renderer().status(ACCOUNT, outbound(status="read"), callback(status="read")),
        "inbound_sms": inbound(),
        "inbound_mms": inbound(message=picture, media=[PICTURE]),
        "inbound_get": inbound(message=picture, media=[PICTURE, replace(PICTURE, id=b"\x09" * 16)], method="GET"),
        "inbound_fallback": inbound(url="https://app.example/fallback", failure=Failure(11200, HOOK)),
        "inbound_action": inbound(extra=renderer().action_parameters(OUTBOUND)),
    }


def wire_head(request: Rendered) -> str:
    return "".join([f"{request.method} {request.url}\n", *(f"{name}: {value}\n" for name, value in request.headers)])


@pytest.mark.parametrize("name", sorted(requests()))
def test_golden(name: str) -> None:
    """Set PARLEY_GOLDEN=update to write them anew; the difference is for review."""
    request = requests()[name]
    body, head = GOLDEN / f"{name}.json", GOLDEN / f"{name}.headers"
    if os.environ.get("PARLEY_GOLDEN") == "update":
        head.write_text(wire_head(request))
        if request.body is not None:
            body.write_bytes(request.body)
    assert wire_head(request) == head.read_text()
    assert (request.body or b"") == (body.read_bytes() if body.exists() else b"")


def test_golden_files_are_all_of_them() -> None:
    assert {path.stem for path in GOLDEN.iterdir()} == set(requests())


@pytest.mark.parametrize("name", sorted(requests()))
def test_signatures_are_those_of_the_security_guide(name: str) -> None:
    """Computed again from what is on the wire alone: the URL as it is requested, and the raw body."""
    request = requests()[name]
    headers = dict(request.headers)
    signed = request.url.encode() + (request.body or b"")
    assert headers["X-SignalWire-Signature"] == hmac.new(SIGNING_KEY.encode(), signed, hashlib.sha1).hexdigest()
    assert headers["X-SignalWire-SHA256-Signature"] == hmac.new(SIGNING_KEY.encode(), signed, "sha256").hexdigest()


def test_states_are_every_change_of_an_outbound_message() -> None:
    after: set[Status] = {status for before in MOVES for status in MOVES[before]} | {"queued"}
    assert set(renderer().states) == after - {"received"}


def test_status_callback_has_the_documented_fields() -> None:
    body = requests()["status_sent"].body
    assert body is not None
    told = json.loads(body)
    assert told.pop("message_id") == told["id"]
    assert set(told) == {
        "id",
        "project_id",
        "status",
        "to",
        "from",
        "body",
        "number_of_segments",
        "timestamp",
        "error_code",
        "error_message",
    }
    assert told["timestamp"] == "2025-01-15T10:30:01Z"


def test_an_older_state_does_not_borrow_the_error_of_a_later_one() -> None:
    failed = outbound(status="failed", error_code=30008, error_message="late")
    body = renderer().status(ACCOUNT, failed, callback(status="sent")).body
    assert body is not None
    told = json.loads(body)
    assert (told["status"], told["error_code"], told["error_message"]) == ("sent", None, None)


def test_inbound_is_flat_and_nested_alike() -> None:
    body = requests()["inbound_mms"].body
    assert body is not None
    told = json.loads(body)
    nested = told["message"]
    assert {name: told[name] for name in ("message_id", "from", "to", "timestamp")} == {
        name: nested[name] for name in ("message_id", "from", "to", "timestamp")
    }
    assert told["body"] == ""
    assert nested["body"] is None
    assert told["media"] == [item["url"] for item in nested["media"]]
    assert nested["type"] == "mms"
    assert set(nested) == {
        "message_id",
        "project_id",
        "space_id",
        "direction",
        "type",
        "from",
        "to",
        "body",
        "media",
        "segments",
        "timestamp",
    }
    assert told["params"] == {}


def test_by_get_everything_flat_is_in_the_query() -> None:
    request = requests()["inbound_get"]
    pairs = parse_qsl(urlsplit(request.url).query, keep_blank_values=True)
    assert pairs[0] == ("tenant", "1")
    assert [name for name, _ in pairs[1:]] == ["message_id", "from", "to", "body", "media", "media", "timestamp"]
    assert dict(pairs)["timestamp"] == "2025-01-15T10:30:00Z"
    assert request.body is None


def test_connection_overrides_stay_here() -> None:
    request = inbound(url="https://app.example/in#rc=2&rt=3000")
    assert request.url == "https://app.example/in"
