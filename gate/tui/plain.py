"""Text from outside made safe for a terminal: names, seats and gates are chosen by strangers."""

from __future__ import annotations

import unicodedata

from rich.cells import cell_len, set_cell_size

_SKIN_TONES = frozenset(map(chr, range(0x1F3FB, 0x1F400)))
_FLAG_LETTERS = frozenset(map(chr, range(0x1F1E6, 0x1F200)))
# Terminals disagree on how wide what these make of their neighbours is.
_UNSURE = frozenset("\ufe0e\ufe0f") | _SKIN_TONES | _FLAG_LETTERS
_MOST_MARKS = 2
# Nobody reads more, and a name of a megabyte must not cost time.
_LONGEST = 4096


def make_plain(text: str, columns: int) -> str:
    """Return a text without anything that could move the cursor, turn the writing direction or break the layout.

    Control, format and unassigned characters go (Unicode categories C*: escape sequences, bidirectional overrides),
    every kind of space becomes one space, stacks of combining marks are cut at two, joined emoji fall apart into single
    ones whose width is known. What is wider than ``columns`` ends in an ellipsis.
    """
    flat = " ".join(_keep_printable(text[:_LONGEST]).split())
    if cell_len(flat) <= columns and len(text) <= _LONGEST:
        return flat
    return set_cell_size(flat, columns - 1).rstrip() + "…"


def make_ascii(text: str) -> str:
    """Return a text for a terminal that knows only ASCII: accents fall off, what is left over becomes a question mark."""
    folded = unicodedata.normalize("NFKD", text.translate(_TRANSCRIPTION))
    stripped = "".join(char for char in folded if not unicodedata.combining(char))
    return stripped.encode("ascii", "replace").decode("ascii")


_TRANSCRIPTION = str.maketrans(
    {
        "ß": "ss",
        "ä": "ae",
        "ö": "oe",
        "ü": "ue",
        "Ä": "Ae",
        "Ö": "Oe",
        "Ü": "Ue",
        "…": "~",
        "·": "-",
        "–": "-",
        "’": "'",
    }
)


def _keep_printable(text: str) -> str:
    kept: list[str] = []
    marks = 0
    for char in text:
        category = unicodedata.category(char)
        marks = marks + 1 if category.startswith("M") else 0
        if char.isspace() or category.startswith("Z"):
            kept.append(" ")
        elif char not in _UNSURE and category[0] != "C" and marks <= _MOST_MARKS:
            kept.append(char)
    return "".join(kept)
