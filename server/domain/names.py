"""Which texts may be names of people, places and things: none that could break a line, a list or a screen."""

from __future__ import annotations

import unicodedata

from shared.problems import InputUnusable

_FORBIDDEN = frozenset({"Cc", "Cs", "Zl", "Zp"})
# Embeddings, overrides and isolates turn what stands after them on the same line; marks of single letters stay allowed.
_TURNING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_FORMULA = ("=", "+", "-", "@")


class NameUnusable(InputUnusable):
    """A name is empty, too long, or has characters that no name needs."""

    code = "name_unusable"


def refuse_name(text: str, most: int) -> str | None:
    """Return why a text cannot be a name of at most ``most`` characters, as a sentence's end; None if it can."""
    if not text:
        return "is empty"
    if len(text) > most:
        return f"is longer than {most} characters"
    if any(unicodedata.category(one) in _FORBIDDEN or one in _TURNING for one in text):
        return "has line breaks, control characters or marks that turn the direction of text"
    return None


def read_name(text: str, most: int, what: str) -> str:
    """Return a name as it is kept: in composed form (NFC), without spaces around it.

    Raises:
        NameUnusable: it cannot be a name; ``what`` says of what.
    """
    name = tidy_name(text)
    refusal = refuse_name(name, most)
    if refusal is not None:
        raise NameUnusable(f"The {what} {refusal}.")
    return name


def tidy_name(text: str) -> str:
    """Return a text in composed form (NFC), without spaces around it."""
    return unicodedata.normalize("NFC", text).strip()


def looks_like_formula(text: str) -> bool:
    """Tell whether a spreadsheet would run this text instead of showing it."""
    return text.startswith(_FORMULA)
