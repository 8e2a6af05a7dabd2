"""The printed ticket: a scanner reads it, and whatever people call themselves stays on the page."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from msgspec.structs import replace

from server.api.print_sheet import clean, draw_sheet, list_rules, load_face
from server.services.paper import PaperCode, Sheet
from shared.codes import base45
from shared.ids import TicketId
from shared.problems import SettingsInvalid
from tests.unit.server.paper_reader import read_codes, read_content

STARTS = datetime(2026, 6, 20, 19, 0, tzinfo=UTC)
TEXT = base45.encode(bytes(range(128)))
HOSTILE = [
    "<script>alert(1)</script>",
    ") Tj ET Q /JS (app.alert(1)) BT (",
    "a\x00b\x1bc\r\nd\u202ee\u2066f",
    "\u0645\u062d\u0645\u062f \u674e\u660e \U0001f39f",
    "W" * 5000,
    "\ud800",
    " ",
    "\\\\(((",
]


def sheet(**changes: object) -> Sheet:
    """Return a sheet as the service fills it."""
    code = PaperCode(
        ticket_id=TicketId(UUID(int=0x1234567890AB)),
        qr_data=TEXT,
        valid_from=STARTS,
        expires_at=STARTS + timedelta(hours=7),
    )
    usual = Sheet(
        code=code,
        event_name="Opening",
        type_name="Standing",
        holder_name="Ada Lovelace",
        seat="Row 3, 14",
        starts=STARTS,
        id_check=False,
        single_entry=True,
    )
    return replace(usual, **changes)


def test_a_scanner_reads_the_code_from_the_sheet() -> None:
    assert read_codes(draw_sheet(sheet())) == [TEXT]


def test_the_code_is_drawn_as_vectors() -> None:
    pdf = draw_sheet(sheet())
    assert b"/Subtype /Image" not in pdf
    assert read_content(pdf).count(b" re") > 400


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_stay_words_on_one_page(name: str) -> None:
    pdf = draw_sheet(sheet(holder_name=name, event_name=name, seat=name, type_name=name))
    assert read_codes(pdf) == [TEXT]
    assert (pdf.count(b"/Type /Page\n"), pdf.count(b"/JS"), pdf.count(b"/OpenAction")) == (1, 0, 0)


@pytest.mark.parametrize("name", HOSTILE)
def test_what_is_drawn_is_one_short_line_without_marks_that_turn_it_round(name: str) -> None:
    drawn = clean(name, load_face(None))
    assert len(drawn) <= 120
    assert drawn.isprintable()


def test_western_and_central_european_names_are_drawn_as_they_are() -> None:
    face = load_face(None)
    names = ["Zoë Ångström", "Šárka Žižková-Łuczak", "Þórður Œuvre"]
    assert [clean(name, face) for name in names] == names


def test_letters_the_font_lacks_become_dots() -> None:
    assert clean("Ελένη", load_face(None)) == "\N{MIDDLE DOT}" * 5


def test_a_font_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsInvalid, match="PRINT_FONT"):
        load_face(tmp_path / "none.ttf")


def test_a_file_that_is_no_font_is_named(tmp_path: Path) -> None:
    file = tmp_path / "not.ttf"
    file.write_bytes(b"no font at all")
    with pytest.raises(SettingsInvalid, match=r"not\.ttf"):
        draw_sheet(sheet(), file)


def test_rules_say_what_the_door_will_ask() -> None:
    plain, strict = list_rules(sheet(single_entry=False)), list_rules(sheet(id_check=True))
    assert not any("document" in rule or "one entry" in rule for rule in plain)
    assert any("document" in rule for rule in strict)
    assert any("one entry" in rule for rule in strict)
    assert any("20 June 2026, 19:00 to 21 June 2026, 02:00" in rule for rule in plain)
