"""Opt-outs as lines of text: CSV with a header, or JSON objects."""

import csv
import io
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

import msgspec

from parley.api.admin.times import iso, moment
from parley.api.http.decode import json_object, text
from parley.api.http.fault import Fault
from parley.lib import ids
from parley.model.address import InvalidAddress, parse_recipient, parse_sender
from parley.model.consent import MOST_KEYWORD, OptOut

MOST_LINES: Final = 10_000
MAX_BODY: Final = 2 * 1024 * 1024
"""Octets of an import."""

COLUMNS: Final = ("sender", "recipient", "keyword", "opted_out_at")
HEADER: Final = (",".join(COLUMNS) + "\n").encode()
_NEEDED: Final = COLUMNS[:2]
_MOST_TOLD: Final = 10


class Line(msgspec.Struct, frozen=True):
    """One opt-out as it was given. `at` is None where no time was."""

    sender: str
    recipient: str
    keyword: str
    at: int | None


def sender_of(given: str) -> str:
    """A sender in the record's spelling: an address, or the `MG...` SID of a service. Raises Fault."""
    service_id = ids.parse_sid(given, ("MG",))
    if service_id is not None:
        return ids.sid("MG", service_id)
    return _address(given, "sender", lambda text: parse_sender(text).text)


def recipient_of(given: str) -> str:
    """A recipient in the record's spelling. Raises Fault."""
    return _address(given, "recipient", lambda text: parse_recipient(text).text)


def read(body: bytes, content_type: str) -> list[Line]:
    """The lines of an import. Raises Fault, which names the lines that are wrong."""
    rows = _READERS.get(content_type)
    if rows is None:
        raise Fault("unsupported_content_type", f"The body must be {' or '.join(_READERS)}")
    lines: list[Line] = []
    wrong: list[str] = []
    for number, row in rows(body):
        if len(lines) + len(wrong) == MOST_LINES:
            raise Fault("invalid_parameter", f"An import has no more than {MOST_LINES} lines")
        try:
            lines.append(_line(row))
        except Fault as fault:
            wrong.append(f"Line {number}: {fault.detail}")
    if wrong:
        more = [f"and {len(wrong) - _MOST_TOLD} more"] if len(wrong) > _MOST_TOLD else []
        raise Fault("invalid_parameter", "; ".join([*wrong[:_MOST_TOLD], *more]))
    return lines


def written(opt_outs: Sequence[OptOut]) -> bytes:
    """Lines of CSV, without the header."""
    lines = io.StringIO()
    csv.writer(lines, lineterminator="\n").writerows(
        (each.sender, each.recipient, each.keyword, iso(each.created_at)) for each in opt_outs
    )
    return lines.getvalue().encode()


def _line(row: dict[str, Any] | Fault) -> Line:
    if isinstance(row, Fault):
        raise row
    if unknown := row.keys() - set(COLUMNS):
        raise Fault("invalid_parameter", f"{str(min(unknown, key=str))[:100]} is not known")
    given = {name: "" if row.get(name) is None else row[name] for name in COLUMNS}
    if not all(isinstance(value, str) for value in given.values()):
        raise Fault("invalid_parameter", "all values are texts")
    keyword = given["keyword"].strip().upper()
    if len(keyword) > MOST_KEYWORD:
        raise Fault("invalid_parameter", f"keyword has more than {MOST_KEYWORD} characters")
    at = moment(given["opted_out_at"], "opted_out_at")
    return Line(sender_of(given["sender"]), recipient_of(given["recipient"]), keyword, at)


def _csv(body: bytes) -> Iterator[tuple[int, dict[str, Any] | Fault]]:
    reader = csv.reader(io.StringIO(text(body).removeprefix("\N{BYTE ORDER MARK}"), newline=""), strict=True)
    try:
        columns = [name.strip() for name in next(reader, [])]
        if set(columns) - set(COLUMNS) or not set(_NEEDED) <= set(columns) or len(set(columns)) != len(columns):
            raise Fault("invalid_parameter", f"Line 1 must name the columns: {', '.join(COLUMNS)}")
        for row in reader:
            if len(row) == len(columns):
                yield reader.line_num, dict(zip(columns, row, strict=True))
            elif row:
                yield reader.line_num, Fault("invalid_parameter", f"there must be {len(columns)} values")
    except csv.Error as error:
        raise Fault("invalid_parameter", f"Line {reader.line_num}: {error}") from None


def _json_lines(body: bytes) -> Iterator[tuple[int, dict[str, Any] | Fault]]:
    for number, line in enumerate(body.splitlines(), 1):
        if not line.strip():
            continue
        try:
            yield number, json_object(line)
        except Fault as fault:
            yield number, fault


_READERS: Final[dict[str, Callable[[bytes], Iterator[tuple[int, dict[str, Any] | Fault]]]]] = {
    "text/csv": _csv,
    "application/x-ndjson": _json_lines,
}


def _address(given: str, name: str, parse: Callable[[str], str]) -> str:
    try:
        return parse(given)
    except InvalidAddress as error:
        raise Fault("invalid_parameter", f"{name} is not an address ({error.reason})", name) from None
