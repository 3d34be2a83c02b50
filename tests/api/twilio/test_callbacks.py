"""What Twilio-shaped webhooks look like on the wire, to the byte, and that the official library takes them."""

import os
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from msgspec.structs import replace
from twilio.request_validator import RequestValidator

from parley.api.twilio.callbacks import TwilioRenderer
from parley.model.message import MOVES
from parley.webhooks.client import Answer
from parley.webhooks.render import Failure, Redirect, Rendered, Say, UnreadableAnswer, Verb
from tests.api.twilio.values import ACCOUNT, CALLBACK, INBOUND, OUTBOUND, PICTURE, PUBLIC_URL, TOKEN, callback, outbound

GOLDEN = Path(__file__).parents[2] / "golden" / "twilio"
HOOK = "https://app.example:8443/sms?tenant=1#rc=2&rp=all"
FALLBACK = "https://app.example/fallback"
RENDERER = TwilioRenderer(PUBLIC_URL + "/")


def inbound(**changes: Any) -> Rendered:
    options: dict[str, Any] = {"message": INBOUND, "media": [], "url": HOOK, "method": "POST", **changes}
    message, media = options.pop("message"), options.pop("media")
    told = options.pop("callback", callback(kind="inbound", url=HOOK, fallback_url=FALLBACK, status="received"))
    return RENDERER.inbound(ACCOUNT, message, media, told, **options)


def requests() -> dict[str, Rendered]:
    whatsapp = replace(OUTBOUND, kind="whatsapp", sender="whatsapp:+14155550100", recipient="whatsapp:+12125550123")
    picture = replace(INBOUND, kind="mms", num_media=1, body="")
    on_whatsapp = replace(INBOUND, kind="whatsapp", sender="whatsapp:+447700900123", recipient="whatsapp:+14155550100")
    bare = callback(status="undelivered", error_code=30003)
    told = callback(status="failed", error_code=30007)
    stop = callback(kind="inbound", url=HOOK, status="received", data='{"opt_out_type":"STOP"}')
    return {
        "status_service_queued": RENDERER.status(
            ACCOUNT, outbound(status="queued", service_id=b"\x02" * 16), callback(status="queued")
        ),
        "status_service_failed": RENDERER.status(
            ACCOUNT,
            outbound(status="failed", service_id=b"\x02" * 16, error_code=30001),
            callback(status="failed", error_code=30001),
        ),
        "inbound_service": inbound(message=replace(INBOUND, service_id=b"\x02" * 16)),
        "status_sent": RENDERER.status(ACCOUNT, OUTBOUND, CALLBACK),
        "status_delivered": RENDERER.status(ACCOUNT, outbound(status="delivered"), callback(status="delivered")),
        "status_undelivered": RENDERER.status(ACCOUNT, outbound(status="undelivered", error_code=30003), bare),
        "status_failed": RENDERER.status(
            ACCOUNT, outbound(status="failed", error_code=30007, error_message="Blocked as spam"), told
        ),
        "status_canceled": RENDERER.status(ACCOUNT, outbound(status="canceled"), callback(status="canceled")),
        "status_mms_sent": RENDERER.status(ACCOUNT, outbound(kind="mms", num_media=2), CALLBACK),
        "status_whatsapp_read": RENDERER.status(ACCOUNT, whatsapp, callback(status="read")),
        "status_whatsapp_failed": RENDERER.status(
            ACCOUNT, replace(whatsapp, status="failed", error_code=63016), callback(status="failed", error_code=63016)
        ),
        "inbound_sms": inbound(),
        "inbound_get": inbound(method="GET"),
        "inbound_mms": inbound(message=picture, media=[PICTURE, replace(PICTURE, id=b"\x09" * 16, position=1)]),
        "inbound_whatsapp": inbound(message=on_whatsapp),
        "inbound_stop": inbound(message=replace(INBOUND, body="STOP"), callback=stop),
        "inbound_fallback": inbound(url=FALLBACK, failure=Failure(11200, HOOK)),
        "inbound_action": inbound(url="https://app.example/next", extra=RENDERER.action_parameters(OUTBOUND)),
    }


def wire_head(request: Rendered) -> str:
    return "".join([f"{request.method} {request.url}\n", *(f"{name}: {value}\n" for name, value in request.headers)])


def parameters(request: Rendered) -> dict[str, str]:
    text = urlsplit(request.url).query if request.body is None else request.body.decode()
    return dict(parse_qsl(text, keep_blank_values=True, strict_parsing=True))


@pytest.mark.parametrize("name", sorted(requests()))
def test_golden(name: str) -> None:
    """Set PARLEY_GOLDEN=update to write them anew; the difference is for review."""
    request = requests()[name]
    body, head = GOLDEN / f"{name}.form", GOLDEN / f"{name}.headers"
    if os.environ.get("PARLEY_GOLDEN") == "update":
        GOLDEN.mkdir(parents=True, exist_ok=True)
        head.write_text(wire_head(request))
        if request.body is not None:
            body.write_bytes(request.body)
    assert wire_head(request) == head.read_text()
    assert (request.body or b"") == (body.read_bytes() if body.exists() else b"")


def test_golden_files_are_all_of_them() -> None:
    assert {path.stem for path in GOLDEN.iterdir()} == set(requests())


@pytest.mark.parametrize("name", sorted(requests()))
def test_the_official_library_takes_the_signature(name: str) -> None:
    request = requests()[name]
    signature = dict(request.headers)["X-Twilio-Signature"]
    params = {} if request.body is None else parameters(request)
    assert RequestValidator(TOKEN).validate(request.url, params, signature)
    assert not RequestValidator("54321").validate(request.url, params, signature)


def test_states_are_every_change_but_sending() -> None:
    after = {status for before in MOVES for status in MOVES[before]}
    assert set(RENDERER.states) == after - {"sending", "received"}


def test_errors_are_told_of_failures_only() -> None:
    late = outbound(status="undelivered", error_code=30003)
    assert "ErrorCode" not in parameters(RENDERER.status(ACCOUNT, late, CALLBACK))
    told = parameters(RENDERER.status(ACCOUNT, late, callback(status="undelivered", error_code=30003)))
    assert (told["ErrorCode"], told["ErrorMessage"]) == ("30003", "Unreachable destination handset")


def test_the_fragment_is_not_sent() -> None:
    assert all("#" not in request.url for request in requests().values())


def test_where_a_number_is_from() -> None:
    told = parameters(inbound())
    assert [told[f"From{what}"] for what in ("City", "State", "Zip", "Country")] == ["NEW YORK", "NY", "", "US"]
    assert told["ToCountry"] == "US"
    assert not any(name.startswith("FromC") for name in parameters(requests()["inbound_whatsapp"]))


def test_the_token_is_the_same_over_retries_and_the_fallback_but_another_where_a_document_leads() -> None:
    def token(request: Rendered) -> str:
        return dict(request.headers)["I-Twilio-Idempotency-Token"]

    first, again = inbound(), inbound()
    assert token(first) == token(again) == token(inbound(url=FALLBACK, failure=Failure(11200, HOOK)))
    elsewhere = inbound(url="https://app.example/next")
    assert token(elsewhere) == token(inbound(url="https://app.example/next"))
    assert len({token(first), token(elsewhere), token(inbound(extra=[("MessageStatus", "queued")]))}) == 3


def test_an_action_is_told_of_the_reply_and_still_of_the_inbound_message() -> None:
    told = parameters(requests()["inbound_action"])
    assert told["MessageSid"] == told["SmsSid"] == f"SM{OUTBOUND.id.hex()}"
    assert told["MessageStatus"] == "sent"
    assert told["SmsMessageSid"] == f"SM{INBOUND.id.hex()}"


def read(body: bytes) -> list[Verb]:
    answer = Answer(status=200, headers={"content-type": "text/xml"}, set_cookies=(), body=body, url=HOOK)
    return list(RENDERER.read(ACCOUNT, INBOUND, [], CALLBACK, answer))


def test_answers_are_read_as_twiml() -> None:
    assert read(b"<Response><Message>Hi</Message><Redirect>/next</Redirect></Response>") == [
        Say("Hi"),
        Redirect("/next"),
    ]
    with pytest.raises(UnreadableAnswer):
        read(b"<Response>")
