"""What a file of tickets may look like, row by row."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from uuid import UUID

import pytest

from server.domain.import_file import (
    Fault,
    Kind,
    UsableRow,
    choose_delimiter,
    index_kinds,
    read_header,
    read_row,
    refuse_header,
)
from server.services.import_reader import ImportReader, Portion
from server.services.problems_organiser import FileUnusable

FLOOR = Kind(id=UUID(int=1), name="Floor", product=1, seated=False)
SEATS = Kind(id=UUID(int=2), name="Seats", product=2, seated=True)
KINDS = index_kinds([FLOOR, SEATS])
HEADER = ["external_id", "ticket_type", "holder_name", "seat", "owner_id", "valid_from", "valid_until"]


def row(**fields: str) -> UsableRow | list[Fault]:
    """Read one row of which only some fields matter."""
    given = {"external_id": "x-1", "ticket_type": "floor"} | fields
    return read_row(HEADER, [given.get(name, "") for name in HEADER], KINDS)


def codes(found: UsableRow | list[Fault]) -> list[tuple[str, str]]:
    """Return what is wrong."""
    assert isinstance(found, list)
    return [(one.field, one.code) for one in found]


def read_all(data: bytes) -> Portion:
    """Read a whole small file."""
    file = io.BytesIO(data)
    reader = ImportReader(
        file, io.TextIOWrapper(file, encoding="utf-8-sig", errors="surrogateescape", newline=""), KINDS
    )
    portion = reader.read()
    assert portion is not None
    assert reader.read() is None
    return portion


def test_row_becomes_a_ticket() -> None:
    found = row(holder_name=" Ada\u0301 ", seat="Table 4", valid_from="2026-06-20T19:00:00+02:00")
    assert isinstance(found, UsableRow)
    assert (found.kind, found.holder_name, found.seat) == (FLOOR, "Adá", "Table 4")
    assert found.valid_from == datetime(2026, 6, 20, 17, 0, tzinfo=UTC)


@pytest.mark.parametrize("name", ["Floor", "FLOOR", str(FLOOR.id)])
def test_ticket_type_is_found_by_name_and_id(name: str) -> None:
    found = row(ticket_type=name)
    assert isinstance(found, UsableRow)
    assert found.kind is FLOOR


def test_ticket_type_is_found_by_product_number() -> None:
    found = read_row(["external_id", "product", "seat"], ["x", "2", "A 1"], KINDS)
    assert isinstance(found, UsableRow)
    assert found.kind is SEATS


def test_name_that_two_types_share_finds_neither() -> None:
    kinds = index_kinds([FLOOR, Kind(id=UUID(int=3), name="floor", product=3, seated=False)])
    assert codes(read_row(["external_id", "ticket_type"], ["x", "Floor"], kinds)) == [
        ("ticket_type", "ticket_type_unknown")
    ]


@pytest.mark.parametrize(
    ("fields", "fault"),
    [
        ({"external_id": ""}, ("external_id", "missing")),
        ({"external_id": "x" * 101}, ("external_id", "text")),
        ({"ticket_type": ""}, ("ticket_type", "missing")),
        ({"ticket_type": "Balcony"}, ("ticket_type", "ticket_type_unknown")),
        ({"ticket_type": "Seats"}, ("seat", "missing")),
        ({"holder_name": "=HYPERLINK(1)"}, ("holder_name", "formula")),
        ({"holder_name": "@SUM(A1)"}, ("holder_name", "formula")),
        ({"holder_name": "x" * 501}, ("holder_name", "text")),
        ({"holder_name": "two\nlines"}, ("holder_name", "text")),
        ({"holder_name": "a\u202eb"}, ("holder_name", "text")),
        ({"holder_name": "Ad\udce9"}, ("holder_name", "not_utf8")),
        ({"seat": "x" * 101}, ("seat", "text")),
        ({"owner_id": "ada@example.org"}, ("owner_id", "not_an_id")),
        ({"valid_from": "2026-06-20T19:00:00"}, ("valid_from", "not_a_time")),
        ({"valid_until": "tomorrow"}, ("valid_until", "not_a_time")),
        ({"valid_until": "0001-01-01T00:00:00Z"}, ("valid_until", "not_a_time")),
    ],
)
def test_row_that_cannot_be_used_says_why(fields: dict[str, str], fault: tuple[str, str]) -> None:
    assert codes(row(**fields)) == [fault]


def test_all_faults_of_a_row_are_told() -> None:
    found = row(ticket_type="Balcony", owner_id="x", valid_from="y")
    assert [field for field, _ in codes(found)] == ["ticket_type", "owner_id", "valid_from"]


def test_time_that_ends_before_it_begins_is_refused() -> None:
    found = row(valid_from="2026-06-20T19:00:00Z", valid_until="2026-06-20T18:00:00Z")
    assert codes(found) == [("valid_until", "order")]


def test_row_of_another_width_is_refused() -> None:
    assert codes(read_row(HEADER, ["x"], KINDS)) == [("", "columns")]


@pytest.mark.parametrize(
    "header",
    [
        [],
        ["external_id"],
        ["ticket_type"],
        ["external_id", "ticket_type", "price"],
        ["external_id", "external_id", "product"],
    ],
)
def test_wrong_header_is_refused(header: list[str]) -> None:
    assert refuse_header(header) is not None


def test_header_may_stand_in_any_order_and_case() -> None:
    assert refuse_header(read_header(["Product", " External_ID "])) is None


def test_semicolon_parts_columns_where_the_first_line_has_no_comma() -> None:
    assert choose_delimiter("external_id;product") == ";"
    assert choose_delimiter("external_id,product;x") == ","


def test_file_is_read_with_mark_quotes_and_line_breaks_of_windows() -> None:
    data = '\ufeffexternal_id,ticket_type,holder_name\r\n1,Floor,"Ada, ""Countess"""\r\n\r\n2,Floor,Ben\r\n'.encode()
    portion = read_all(data)
    assert (portion.count, portion.faults) == (2, [])
    assert [(one.n, one.row.holder_name) for one in portion.rows] == [(2, 'Ada, "Countess"'), (4, "Ben")]


def test_line_break_inside_quotes_belongs_to_the_field() -> None:
    portion = read_all(b'external_id,product,holder_name\n1,1,"a\nb"\n2,1,c\n')
    assert [(one.n, one.fault.code) for one in portion.faults] == [(2, "text")]
    assert [one.n for one in portion.rows] == [3]


def test_bytes_that_are_no_utf8_are_told_by_row() -> None:
    portion = read_all("external_id,product,holder_name\n1,1,Zoë\n".encode("latin-1"))
    assert [(one.n, one.fault.field, one.fault.code) for one in portion.faults] == [(2, "holder_name", "not_utf8")]


def test_quote_that_never_ends_is_told_once() -> None:
    portion = read_all(b'external_id,product\n1,1\n"2,1\n3,1\n')
    assert [(one.n, one.fault.code) for one in portion.faults] == [(3, "malformed")]
    assert (portion.count, [one.n for one in portion.rows]) == (2, [2])


@pytest.mark.parametrize("data", [b"", b"\n", b"\xff\xfe", b"name,price\nx,1\n", b'"external_id', b"{}", b"\x00\x01"])
def test_what_is_no_table_is_refused(data: bytes) -> None:
    with pytest.raises(FileUnusable):
        read_all(data)
