"""Verifications of toll-free numbers: submit, list, fetch, edit, drop. Source: messaging v1, Tollfree/Verifications."""

from typing import Any, Final

import msgspec
from msgspec.structs import replace

from parley.api.http.decode import Form
from parley.api.http.endpoint import NO_CONTENT, Call, Reply, json_reply
from parley.api.http.fault import Fault
from parley.api.twilio import collection, pages
from parley.api.twilio.messaging import registry_fields as fields
from parley.api.twilio.messaging.tollfree_form import CHANGE, MOST, SUBMISSION, given, submitted
from parley.api.twilio.parameters import boolean, choice
from parley.api.twilio.paths import NUMBER, check_nothing_asked, resource_id
from parley.api.twilio.problems import Invalid
from parley.api.twilio.urls import Urls
from parley.core.numbers import Numbers
from parley.core.refusal import Refused
from parley.core.resources import Resources
from parley.core.review import Reviewing
from parley.lib import ids
from parley.lib.clock import Clock
from parley.lib.phone import is_toll_free
from parley.model.number import Number
from parley.model.registry import Flaw, TollFreeVerification, Verdict
from parley.model.resource import Resource

VERIFICATION: Final = ("HH",)
_FILTERS: Final = pages.PARAMETERS | {
    "TollfreePhoneNumberSid",
    "Status",
    "ExternalReferenceId",
    "IncludeSubAccounts",
    "TrustProductSid",
}
_STATUS: Final[dict[Verdict, str]] = {
    "pending": "PENDING_REVIEW",
    "approved": "TWILIO_APPROVED",
    "rejected": "TWILIO_REJECTED",
}
_STATUSES: Final = (*_STATUS.values(), "IN_REVIEW")
_CODES: Final[dict[Flaw, int]] = {"sample_length": 30538, "opt_in_evidence": 30513}
"""Source: twilio.com/docs/api/errors. The others have none."""
_OURS: Final = frozenset({"number_id", "verdict", "objections", "editable_until", "edit_reason"})


class TollFreeVerifications:
    """The operations on verifications."""

    def __init__(
        self,
        verifications: Resources[TollFreeVerification],
        reviewing: Reviewing,
        numbers: Numbers,
        urls: Urls,
        clock: Clock,
    ) -> None:
        self._verifications = verifications
        self._reviewing = reviewing
        self._numbers = numbers
        self._urls = urls
        self._clock = clock

    async def create(self, call: Call) -> Reply:
        """Submit one of the account's toll-free numbers."""
        form = call.form()
        form.allow(SUBMISSION)
        told = submitted(form, self._urls)
        number = await self._number(call, form)
        asked = TollFreeVerification(
            **told,
            number_id=number.id,
            customer_profile_sid=fields.sid(form, "CustomerProfileSid", "BU"),
            external_reference_id=fields.optional(form, "ExternalReferenceId", MOST),
        )
        try:
            made = await self._reviewing.submit(
                self._verifications, call.account.id, asked, name=number.address, number=number.address
            )
        except Refused as refused:
            if refused.reason != "name_taken":
                raise
            raise Invalid(20001, "The number has a verification already", "TollfreePhoneNumberSid") from None
        return json_reply(201, self._shown(call, made))

    async def list(self, call: Call) -> Reply:
        """A page of the account's verifications, newest first."""
        form = call.arguments()
        form.allow(_FILTERS)
        page = pages.page_of(form)
        number, status = fields.sid(form, "TollfreePhoneNumberSid", "PN"), choice(form, "Status", _STATUSES)
        reference = form.one("ExternalReferenceId") or None
        if boolean(form, "IncludeSubAccounts"):
            raise Fault("invalid_parameter", "Ask with each subaccount's own credentials", "IncludeSubAccounts")
        found = [
            each
            for each in reversed(await self._verifications.family(call.account.id))
            if number in (None, ids.sid("PN", each.value.number_id))
            and status in (None, _STATUS[each.value.verdict])
            and reference in (None, each.value.external_reference_id)
            and not any(form.many("TrustProductSid"))  # none has one
        ]
        return collection.list_reply(
            call,
            "verifications",
            form,
            page,
            pages.cut(page, found, lambda each: each.id),
            lambda each: each.id,
            lambda each: self._shown(call, each),
        )

    async def fetch(self, call: Call) -> Reply:
        """One verification."""
        check_nothing_asked(call)
        found = await self._verifications.fetch(call.account.id, resource_id(call, VERIFICATION))
        return json_reply(200, self._shown(call, found))

    async def update(self, call: Call) -> Reply:
        """Edit a verification that is not approved, and submit it again. What is not given stays as it is."""
        form = call.form()
        form.allow(CHANGE)
        told = given(form, self._urls)

        def edited(before: Resource[TollFreeVerification]) -> TollFreeVerification:
            if before.value.verdict == "approved" or not self._is_editable(before.value):
                raise Invalid(20001, "The verification cannot be edited any more")
            reason = fields.optional(form, "EditReason", MOST)
            return replace(before.value, **told, edit_reason=reason, editable_until=None)

        changed = await self._reviewing.resubmit(
            self._verifications, call.account.id, resource_id(call, VERIFICATION), edited
        )
        return json_reply(202, self._shown(call, changed))

    async def delete(self, call: Call) -> Reply:
        """Drop a verification: its number is unverified from then on."""
        check_nothing_asked(call)
        await self._verifications.drop(call.account.id, resource_id(call, VERIFICATION))
        return NO_CONTENT

    async def _number(self, call: Call, form: Form) -> Number:
        name = "TollfreePhoneNumberSid"
        number_id = ids.parse_sid(form.one(name) or "", NUMBER)
        number = None if number_id is None else await self._numbers.fetch(call.account.id, number_id)
        if number is None or not is_toll_free(number.address):
            raise Invalid(30436, f"{name} names no toll-free number of this account", name)
        return number

    def _is_editable(self, asked: TollFreeVerification) -> bool:
        return asked.editable_until is None or self._clock.now() < asked.editable_until

    def _shown(self, call: Call, verification: Resource[TollFreeVerification]) -> dict[str, Any]:
        value, sid = verification.value, ids.sid("HH", verification.id)
        told = {name: each for name, each in msgspec.structs.asdict(value).items() if name not in _OURS}
        reasons = [{"code": _CODES.get(each.flaw), "reason": each.text} for each in value.objections]
        until = value.editable_until
        return {
            **told,
            "opt_in_keywords": value.opt_in_keywords or None,
            "sid": sid,
            "account_sid": ids.sid("AC", verification.account_id),
            "trust_product_sid": None,
            "regulated_item_sid": None,
            "date_created": collection.iso(verification.created_at),
            "date_updated": collection.iso(verification.updated_at),
            "tollfree_phone_number_sid": ids.sid("PN", value.number_id),
            "tollfree_phone_number": verification.name,
            "status": _STATUS[value.verdict],
            "url": collection.url_of(call, f"/v1/Tollfree/Verifications/{sid}"),
            "rejection_reason": " ".join(each.text for each in value.objections) or None,
            "rejection_reasons": reasons or None,
            "error_code": reasons[0]["code"] if reasons else None,
            "edit_expiration": None if until is None else collection.iso(until),
            "edit_allowed": None if until is None else self._is_editable(value),
            "resource_links": {},
            "vetting_id_expiration": None,
        }
