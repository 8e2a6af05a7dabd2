"""Reading a received file of tickets in portions; everything here blocks and belongs into a thread."""

from __future__ import annotations

import csv
import itertools
from collections.abc import Iterator
from typing import BinaryIO, TextIO

from msgspec import Struct

from server.domain.import_file import Fault, Kinds, UsableRow, choose_delimiter, read_header, read_row, refuse_header
from server.services.problems_organiser import FileTooLarge, FileUnusable

PORTION = 2000
MOST_ROWS = 200_000
_LONGEST_LINE = 64 * 1024


class NumberedRow(Struct, frozen=True, kw_only=True):
    """A row that can be used; the header is row 1."""

    n: int
    row: UsableRow


class NumberedFault(Struct, frozen=True, kw_only=True):
    """What is wrong with one field of a row."""

    n: int
    fault: Fault


class Portion(Struct, frozen=True, kw_only=True):
    """Some rows of a file; ``count`` of them, those that cannot be used among them."""

    count: int
    rows: list[NumberedRow]
    faults: list[NumberedFault]


class ImportReader:
    """Reads a table from its start.

    Raises:
        FileUnusable: it is empty, or its first line is no header.
    """

    def __init__(self, file: BinaryIO, text: TextIO, kinds: Kinds) -> None:
        file.seek(0)
        self._kinds = kinds
        first = text.readline(_LONGEST_LINE)
        file.seek(0)
        text.seek(0)
        self._rows: Iterator[list[str]] = csv.reader(text, delimiter=choose_delimiter(first), strict=True)
        try:
            self._header = read_header(next(self._rows, []))
        except csv.Error as exc:
            raise FileUnusable("The first line is no list of columns.") from exc
        refusal = refuse_header(self._header)
        if refusal is not None:
            raise FileUnusable(refusal)
        self._n = 1

    def read(self) -> Portion | None:
        """Return the next rows, None at the end.

        Raises:
            FileTooLarge: there are more rows than are taken at once.
        """
        rows: list[NumberedRow] = []
        faults: list[NumberedFault] = []
        begun = self._n
        try:
            for cells in itertools.islice(self._rows, PORTION):
                self._n += 1
                self._sort(cells, rows, faults)
        except csv.Error:
            self._n += 1
            faults.append(_malformed(self._n))
            # what stands behind a row that never ends cannot be told apart any more
            self._rows = iter(())
        if self._n - 1 > MOST_ROWS:
            raise FileTooLarge(f"A file has at most {MOST_ROWS} rows: cut it into several.")
        if self._n == begun:
            return None
        return Portion(count=len(rows) + len({one.n for one in faults}), rows=rows, faults=faults)

    def _sort(self, cells: list[str], rows: list[NumberedRow], faults: list[NumberedFault]) -> None:
        if not any(cells):
            return
        found = read_row(self._header, cells, self._kinds)
        if isinstance(found, UsableRow):
            rows.append(NumberedRow(n=self._n, row=found))
        else:
            faults += [NumberedFault(n=self._n, fault=one) for one in found]


def _malformed(n: int) -> NumberedFault:
    message = "A quotation mark does not fit, or a field is far too long."
    return NumberedFault(n=n, fault=Fault(field="", code="malformed", message=message))
