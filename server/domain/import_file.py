"""A table of tickets from somewhere else: which columns it may have, and what one row of it must look like.

Comma-separated (or semicolon, if the first line has no comma), UTF-8 with or without a byte order mark, quoted as RFC 4180
says. Columns may stand in any order; `external_id` and one of `ticket_type` and `product` are needed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from msgspec import Struct

from server.domain.names import looks_like_formula, refuse_name, tidy_name
from server.domain.schedule import is_plausible

COLUMNS = (
    "external_id",
    "ticket_type",
    "product",
    "holder_name",
    "seat",
    "owner_id",
    "valid_from",
    "valid_until",
)
_NEEDED = "external_id"
_KIND = ("ticket_type", "product")
_MOST = {"external_id": 100, "holder_name": 500, "seat": 100}
_BROKEN = range(0xDC80, 0xDD00)
"""What bytes become that are not UTF-8 (PEP 383)."""


class Fault(Struct, frozen=True, kw_only=True):
    """What is wrong with one field of a row; the message never repeats the field."""

    field: str
    code: str
    message: str


class Kind(Struct, frozen=True, kw_only=True):
    """A ticket type as rows may name it: by id, by name, or by its product number."""

    id: UUID
    name: str
    product: int
    seated: bool


class Kinds(Struct, frozen=True, kw_only=True):
    """An event's ticket types by everything they may be called; a name that two of them share is left out."""

    by_name: Mapping[str, Kind]
    by_product: Mapping[str, Kind]


class UsableRow(Struct, frozen=True, kw_only=True):
    """A row that can become a ticket."""

    external_id: str
    kind: Kind
    holder_name: str
    seat: str
    owner: UUID | None
    valid_from: datetime | None
    valid_until: datetime | None


def choose_delimiter(first_line: str) -> str:
    """Return by what the columns of a table are parted."""
    return ";" if ";" in first_line and "," not in first_line else ","


def refuse_header(header: Sequence[str]) -> str | None:
    """Return why a first line cannot be the header of such a table, as a sentence; None if it can."""
    known = f"The first line names the columns, out of {', '.join(COLUMNS)}"
    if any(one not in COLUMNS for one in header):
        return f"{known}; there is another word in it."
    if len(set(header)) != len(header):
        return f"{known}; one of them is there twice."
    if _NEEDED not in header or not any(one in header for one in _KIND):
        return f"{known}; external_id and one of ticket_type and product are needed."
    return None


def read_header(cells: Sequence[str]) -> list[str]:
    """Return the names of the columns as they are compared."""
    return [cell.strip().lower() for cell in cells]


def index_kinds(kinds: Sequence[Kind]) -> Kinds:
    """Make ticket types findable by what rows call them."""
    names = [one.name.casefold() for one in kinds]
    by_name = {one.name.casefold(): one for one in kinds if names.count(one.name.casefold()) == 1}
    by_name |= {str(one.id): one for one in kinds}
    return Kinds(by_name=by_name, by_product={str(one.product): one for one in kinds})


def read_row(header: Sequence[str], cells: Sequence[str], kinds: Kinds) -> UsableRow | list[Fault]:
    """Return what a row says, or everything that is wrong with it."""
    if len(cells) != len(header):
        return [Fault(field="", code="columns", message=f"The row has {len(cells)} columns, the header {len(header)}.")]
    fields = {name: tidy_name(cell) for name, cell in zip(header, cells, strict=True)}
    faults = [fault for name, value in fields.items() if (fault := _check_text(name, value)) is not None]
    if faults:
        return faults
    kind = _find_kind(fields, kinds)
    seat = _check_seat(fields.get("seat", ""), kind) if isinstance(kind, Kind) else None
    owner = _read_owner(fields.get("owner_id", ""))
    begin, end = (_read_moment(name, fields.get(name, "")) for name in ("valid_from", "valid_until"))
    faults = [one for one in (kind, seat, owner, begin, end) if isinstance(one, Fault)]
    if isinstance(begin, datetime) and isinstance(end, datetime) and begin >= end:
        faults.append(Fault(field="valid_until", code="order", message="It ends before it begins."))
    if (
        faults
        or isinstance(kind, Fault)
        or isinstance(owner, Fault)
        or isinstance(begin, Fault)
        or isinstance(end, Fault)
    ):
        return faults
    return UsableRow(
        external_id=fields[_NEEDED],
        kind=kind,
        holder_name=fields.get("holder_name", ""),
        seat=fields.get("seat", ""),
        owner=owner,
        valid_from=begin,
        valid_until=end,
    )


def _check_text(name: str, value: str) -> Fault | None:
    if any(ord(one) in _BROKEN for one in value):
        return Fault(field=name, code="not_utf8", message="It is not UTF-8: save the file as UTF-8.")
    if name == _NEEDED and not value:
        return Fault(field=name, code="missing", message="Every ticket needs a name of its own.")
    if value and (refusal := refuse_name(value, _MOST.get(name, 200))) is not None:
        return Fault(field=name, code="text", message=f"The text {refusal}.")
    if name in _MOST and looks_like_formula(value):
        return Fault(
            field=name, code="formula", message="A text that begins with = + - or @ would run in a spreadsheet."
        )
    return None


def _find_kind(fields: Mapping[str, str], kinds: Kinds) -> Kind | Fault:
    name, product = fields.get("ticket_type", ""), fields.get("product", "")
    named = kinds.by_name.get(name.casefold()) if name else None
    numbered = kinds.by_product.get(product) if product else None
    if (name and named is None) or (product and numbered is None):
        field = "ticket_type" if name and named is None else "product"
        return Fault(field=field, code="ticket_type_unknown", message="The event sells no such ticket type.")
    if named is not None and numbered is not None and named is not numbered:
        return Fault(
            field="product", code="ticket_type_mixed", message="ticket_type and product are two different types."
        )
    kind = named or numbered
    return kind or Fault(field="ticket_type", code="missing", message="Name the ticket type or its product number.")


def _check_seat(seat: str, kind: Kind) -> Fault | None:
    if kind.seated and not seat:
        return Fault(field="seat", code="missing", message="Tickets of this type have seats.")
    return None


def _read_owner(text: str) -> UUID | Fault | None:
    if not text:
        return None
    try:
        return UUID(text)
    except ValueError:
        return Fault(field="owner_id", code="not_an_id", message="An owner is named by the id of an account.")


def _read_moment(name: str, text: str) -> datetime | Fault | None:
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None or not is_plausible(moment):
        return Fault(
            field=name, code="not_a_time", message="Write times as 2026-06-20T19:00:00+02:00, with the offset."
        )
    return moment
