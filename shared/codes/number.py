"""A ticket's number: what people read to each other when a code cannot be scanned.

The first 40 bits of the handle's hash in Crockford's Base32, in two groups of four: ``K7QW-3M2X``. It names a ticket's present
generation and proves nothing: whoever knows it cannot make a code of it.
"""

from __future__ import annotations

from shared.codes import base32
from shared.problems import CodeMalformed

NUMBER_BYTES = 5
_DIGITS = 8
_HASH_BYTES = 16


def write_number(handle_hash: bytes) -> str:
    """Return the number of the ticket with this handle hash."""
    digits = base32.encode(handle_hash[:NUMBER_BYTES])
    return f"{digits[:4]}-{digits[4:]}"


def looks_like_number(text: str) -> bool:
    """Say whether a typed text has a number's length; no code is that short."""
    return len(_strip(text)) == _DIGITS


def read_number(text: str) -> tuple[bytes, bytes]:
    """Return the lowest and the highest handle hash with this number; case, blanks and hyphens do not matter.

    Raises:
        CodeMalformed: not eight letters and digits of Base32.
    """
    digits = _strip(text)
    if len(digits) != _DIGITS:
        raise CodeMalformed("A ticket's number has eight letters and digits, such as K7QW-3M2X.")
    start = base32.decode(digits)
    rest = _HASH_BYTES - NUMBER_BYTES
    return start + bytes(rest), start + b"\xff" * rest


def _strip(text: str) -> str:
    return "".join(text.split()).replace("-", "")
