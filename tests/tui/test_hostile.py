"""What strangers write as names, seats and gates cannot move the cursor, turn the text around or break the screen."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from rich.cells import cell_len

from gate.tui.plain import make_ascii, make_plain
from shared.codes.keys import Holder
from tests.tui.scripted import ADMITTED, ONLINE, USED, ScriptedView, fixed_display
from tests.tui.stage import Setting, staged

HOSTILE = {
    "markup": ("[red]Rita[/red] [@click=app.quit]x[/]", "[red]Rita[/red] [@click=app.quit]x[/]"),
    "unclosed markup": ("[bold [/ \\[", "[bold [/ \\["),
    "newlines": ("Ada\nLovelace\r\nKing\tNoel\u2028X", "Ada Lovelace King Noel X"),
    "escapes": ("\x1b[2JAda\x1b]0;x\x07\x9b31m\x00", "[2JAda]0;x31m"),
    "bidi": ("\u202eadA\u202c \u2066x\u2069\u200f\u061c", "adA x"),
    "emoji": ("Zoë 🎉 👩\u200d👩\u200d👧 👍🏽 🇩🇪", "Zoë 🎉 👩👩👧 👍"),
    "zalgo": ("Z" + "\u0301" * 400 + "oe", "Z\u0301\u0301oe"),
    "wide": ("王小明 김철수", "王小明 김철수"),
    "surrogate": ("A\ud800B", "AB"),
    "long": ("W" * 500, "W" * 43 + "…"),
    "long and wide": ("王" * 500, "王" * 21 + "…"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_text_is_made_plain(name: str) -> None:
    written, shown = HOSTILE[name]
    assert make_plain(written, 44) == shown


@pytest.mark.parametrize("name", HOSTILE)
async def test_hostile_name_is_shown_safely_everywhere(name: str) -> None:
    written, shown = HOSTILE[name]
    guest = Holder(name=written, seat=written, product=written)
    status = replace(ONLINE, gate_name=written, event_name=written)
    async with staged(ScriptedView(status)) as stage:
        await stage.scan(replace(USED, holder=guest, prior_gate=written))
        lines = stage.text().splitlines()
        for part, columns in (("name", 44), ("ticket", 24), ("facts", 24)):
            region = stage.app.lane.query_one(f"#{part}").region
            rows = " ".join(line[: region.right].strip() for line in lines[region.y : region.bottom])
            assert (shown if part == "name" else make_plain(written, columns)) in rows, part
        assert "LOOK" in stage.text()
        assert "call a supervisor" in stage.text()
        assert len(lines) == 24
        assert all(cell_len(line) <= 80 for line in lines)
        assert stage.app.is_running


async def test_blank_name_takes_no_room() -> None:
    async with staged() as stage:
        await stage.scan(replace(ADMITTED, holder=Holder(name="\u200b\n\t", seat="", product="")))
        assert stage.card().name == ""
        assert not stage.app.lane.query_one("#name").display


async def test_ascii_terminal_gets_ascii_only() -> None:
    display = replace(fixed_display(), unicode=False, colour=False)
    guest = Holder(name="Zoë Größ 王 🎉", seat="Ränge · 4", product="")
    for language in ("en", "de"):
        async with staged(setting=Setting(display=display, language=language)) as stage:
            await stage.scan(replace(USED, holder=guest, prior_gate="Südtor"))
            assert stage.text().isascii(), [char for char in stage.text() if not char.isascii()]
            assert "Zoe Groess ? ?" in stage.text()
            assert "Suedtor" in stage.text()


@given(text=st.text(max_size=300), columns=st.integers(min_value=2, max_value=60))
def test_plain_text_is_one_harmless_line_that_fits(text: str, columns: int) -> None:
    plain = make_plain(text, columns)
    assert cell_len(plain) <= columns
    assert all(unicodedata.category(char)[0] != "C" for char in plain)
    assert plain == " ".join(plain.split())
    assert make_plain(plain, columns) == plain


@given(text=st.text(max_size=100))
def test_ascii_text_has_ascii_only(text: str) -> None:
    assert make_ascii(text).isascii()
