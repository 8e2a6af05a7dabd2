"""A ticket on one sheet of A4: the code as vector, large, with what people at the door and at home want to read."""

from __future__ import annotations

import io
import unicodedata
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import segno
from msgspec import Struct

from server.services.paper import Sheet
from shared.problems import SettingsInvalid

PDF = "application/pdf"

_MM = 72 / 25.4
_WIDTH, _HEIGHT = 210 * _MM, 297 * _MM
_MARGIN = 20 * _MM
_SYMBOL = 80 * _MM
_QUIET_ZONE = 4
_LONGEST = 120
_SMALLEST_PT = 9.0
_UNDRAWABLE = "\N{MIDDLE DOT}"


class Face(Struct, frozen=True):
    """A font that was loaded: its name in the library, and the code points it draws."""

    name: str
    drawn: frozenset[int]


def draw_sheet(sheet: Sheet, font: Path | None = None) -> bytes:
    """Return the sheet as PDF; blocks for some milliseconds.

    ``font`` is a TrueType file to draw with; without it letters beyond those of Western and Central Europe become dots.

    Raises:
        SettingsInvalid: the font cannot be read.
    """
    from reportlab.pdfgen.canvas import Canvas  # noqa: PLC0415 - heavy, and most servers never print

    face = load_face(font)
    out = io.BytesIO()
    canvas = Canvas(out, pagesize=(_WIDTH, _HEIGHT), invariant=1)
    canvas.setTitle("Ticket")
    top = _draw_heading(canvas, face, sheet)
    top = _draw_symbol(canvas, sheet.code.qr_data, top - 10 * _MM)
    _draw_rules(canvas, face, list_rules(sheet), top - 12 * _MM)
    canvas.showPage()
    canvas.save()
    return out.getvalue()


def list_rules(sheet: Sheet) -> list[str]:
    """Return what the holder should know, one sentence each."""
    code = sheet.code
    rules = [
        f"Good from {code.valid_from:%d %B %Y, %H:%M} to {code.expires_at:%d %B %Y, %H:%M} (UTC).",
        "Whoever comes first with this code is let in. Keep this sheet, and any picture of it, to yourself.",
        "It ends when the ticket is passed on, refunded or cancelled.",
        "Print it in black on white, in full size, and do not fold it through the code.",
    ]
    if sheet.single_entry:
        rules.insert(1, "It counts for one entry.")
    if sheet.id_check:
        rules.insert(1, "Bring a document that shows your name.")
    return rules


def clean(text: str, face: Face) -> str:
    """Return a text as one line of drawable letters: no control or direction marks, at most 120 characters."""
    composed = unicodedata.normalize("NFC", text)
    plain = "".join(" " if letter.isspace() else letter for letter in composed)
    kept = "".join(letter for letter in plain if unicodedata.category(letter)[0] != "C")
    line = " ".join(kept.split())
    line = line if len(line) <= _LONGEST else line[: _LONGEST - 1] + "\N{HORIZONTAL ELLIPSIS}"
    return "".join(letter if ord(letter) in face.drawn else _UNDRAWABLE for letter in line)


@cache
def load_face(font: Path | None) -> Face:
    """Load a TrueType font, by default the one that comes with the PDF library; blocks.

    Raises:
        SettingsInvalid: it cannot be read.
    """
    from reportlab.pdfbase import pdfmetrics  # noqa: PLC0415 - see above
    from reportlab.pdfbase.ttfonts import TTFError, TTFont  # noqa: PLC0415

    name = "ticket" if font is None else f"ticket-{font}"
    try:
        loaded = TTFont(name, "Vera.ttf" if font is None else str(font))
    except (TTFError, OSError) as exc:
        raise SettingsInvalid(f"PRINT_FONT: {font} is no TrueType font that can be read: name another.") from exc
    pdfmetrics.registerFont(loaded)
    return Face(name, frozenset(loaded.face.charToGlyph))


def _draw_heading(canvas: Any, face: Face, sheet: Sheet) -> float:
    """Draw the words above the code and return how far down they go."""
    lines = [
        (sheet.event_name, 24.0),
        (f"{sheet.starts:%A, %d %B %Y, %H:%M} (UTC)", 12.0),
        (sheet.type_name, 16.0),
        (f"Seat {sheet.seat}" if sheet.seat else "", 16.0),
        (sheet.holder_name, 16.0),
        (f"Ticket {sheet.number or str(sheet.code.ticket_id)[-12:]}", 10.0),
    ]
    top = _HEIGHT - _MARGIN
    for text, size in lines:
        drawn = clean(text, face)
        if drawn:
            top -= size * 1.5
            _draw_line(canvas, face, drawn, size, top)
    return top


def _draw_line(canvas: Any, face: Face, text: str, size: float, y: float) -> None:
    """Draw one line as large as it fits, cut where even the smallest letters do not."""
    room = _WIDTH - 2 * _MARGIN
    while canvas.stringWidth(text, face.name, size) > room and size > _SMALLEST_PT:
        size -= 0.5
    while canvas.stringWidth(text, face.name, size) > room:
        text = text[:-2] + "\N{HORIZONTAL ELLIPSIS}"
    canvas.setFont(face.name, size)
    canvas.drawString(_MARGIN, y, text)


def _draw_symbol(canvas: Any, text: str, top: float) -> float:
    """Draw the QR code with its quiet zone (ISO/IEC 18004) centred below ``top``; return its lower edge."""
    rows = [bytes(row) for row in segno.make(text, error="m", boost_error=False, micro=False).matrix]
    module = _SYMBOL / (len(rows) + 2 * _QUIET_ZONE)
    left = (_WIDTH - _SYMBOL) / 2 + _QUIET_ZONE * module
    path = canvas.beginPath()
    for number, row in enumerate(rows):
        y = top - (_QUIET_ZONE + number + 1) * module
        for start, end in _find_runs(row):
            path.rect(left + start * module, y, (end - start) * module, module)
    canvas.setFillGray(0)
    canvas.drawPath(path, stroke=0, fill=1)
    return top - _SYMBOL


def _find_runs(row: bytes) -> list[tuple[int, int]]:
    """Return where dark modules begin and end: one rectangle each leaves no hairlines between neighbours."""
    edges = [at for at, (before, after) in enumerate(zip(b"\0" + row, row + b"\0", strict=True)) if before != after]
    return list(zip(edges[::2], edges[1::2], strict=True))


def _draw_rules(canvas: Any, face: Face, rules: Sequence[str], top: float) -> None:
    for number, rule in enumerate(rules):
        _draw_line(canvas, face, clean(rule, face), 10.0, top - number * 15.0)
