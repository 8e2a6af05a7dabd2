"""Sheets come back as they were, and calculate nothing."""

from __future__ import annotations

import csv
from datetime import UTC, datetime
from io import StringIO
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.domain.sheet import write_rows

NAMES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=40)


def read_back(data: bytes) -> list[list[str]]:
    """Return what a reader of CSV finds."""
    return list(csv.reader(StringIO(data.decode(), newline="")))


def test_every_kind_of_cell_has_one_form() -> None:
    row = ("Ada", 7, -7, True, False, None, datetime(2026, 6, 20, 18, tzinfo=UTC), UUID(int=1))
    assert write_rows([row]) == (
        b"Ada,7,-7,true,false,,2026-06-20T18:00:00+00:00,00000000-0000-0000-0000-000000000001\r\n"
    )


@pytest.mark.parametrize(
    "bad",
    [
        "=1+1",
        "+1",
        "-1",
        "@SUM(A1)",
        "\t=1",
        "\r=1",
        "\n=1",
        "  =1",
        "\uff1d1",
        '=HYPERLINK("http://x")',
        "=cmd|' /C calc'!A0",
    ],
)
def test_what_a_spreadsheet_would_calculate_stands_behind_an_apostrophe(bad: str) -> None:
    assert read_back(write_rows([("x", bad)])) == [["x", "'" + bad]]


@given(st.lists(NAMES, min_size=2, max_size=4))
def test_any_text_comes_back_but_for_the_apostrophe(texts: list[str]) -> None:
    (found,) = read_back(write_rows([texts]))
    for text, seen in zip(texts, found, strict=True):
        assert seen in {text, "'" + text}
        assert not seen.lstrip(" ").startswith(("=", "+", "-", "@"))
