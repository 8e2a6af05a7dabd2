"""Tables for spreadsheets: CSV by RFC 4180, with cells that no spreadsheet takes for a formula."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from datetime import datetime
from enum import Enum
from io import StringIO
from uuid import UUID

Cell = str | int | bool | datetime | UUID | None

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""What begins a formula in one spreadsheet or another, the full-width forms among it; line ends hide one from a careless eye."""


def write_rows(rows: Iterable[Sequence[Cell]]) -> bytes:
    """Return rows as CSV in UTF-8: lines end with CRLF, cells are quoted where they must be.

    A text that a spreadsheet would take for a formula gets an apostrophe before it, which spreadsheets do not show: names
    come from strangers. Numbers stay numbers, moments are ISO 8601, nothing is an empty cell.
    """
    sheet = StringIO(newline="")
    csv.writer(sheet, lineterminator="\r\n").writerows([_cell(one) for one in row] for row in rows)
    return sheet.getvalue().encode()


def _cell(value: Cell) -> str | int:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return value
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, UUID):
        return str(value)
    return disarm(str(value.value) if isinstance(value, Enum) else value)


def disarm(text: str) -> str:
    """Return a text that no spreadsheet calculates."""
    return f"'{text}" if text.lstrip(" ").startswith(_FORMULA) else text
