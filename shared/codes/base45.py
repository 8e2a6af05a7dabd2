"""Base45 (RFC 9285): bytes as the characters of a QR code's alphanumeric mode."""

from __future__ import annotations

import struct

from shared.problems import CodeMalformed

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
_NO_VALUE = 255
_VALUES = bytes(ALPHABET.find(chr(code)) % 256 for code in range(256))
"""The value of each character; ``_NO_VALUE`` for those outside the alphabet."""


def encode(data: bytes) -> str:
    """Return three characters for every two bytes, two for a last single byte."""
    out: list[str] = []
    for at in range(0, len(data) - 1, 2):
        rest, low = divmod(data[at] << 8 | data[at + 1], 45)
        high, middle = divmod(rest, 45)
        out += (ALPHABET[low], ALPHABET[middle], ALPHABET[high])
    if len(data) % 2:
        high, low = divmod(data[-1], 45)
        out += (ALPHABET[low], ALPHABET[high])
    return "".join(out)


def decode(text: str) -> bytes:
    """Return the bytes of a Base45 text.

    Raises:
        CodeMalformed: a character outside the alphabet, an impossible length or a group above 65535.
    """
    try:
        values = text.encode("ascii").translate(_VALUES)
    except UnicodeEncodeError as exc:
        raise CodeMalformed("This text is not Base45.") from exc
    if _NO_VALUE in values or len(values) % 3 == 1:
        raise CodeMalformed("This text is not Base45.")
    whole = len(values) // 3 * 3
    triples = zip(values[0:whole:3], values[1:whole:3], values[2:whole:3], strict=True)
    numbers = [low + middle * 45 + high * 2025 for low, middle, high in triples]
    tail = values[-2] + values[-1] * 45 if len(values) % 3 else 0
    if max(numbers, default=0) > 0xFFFF or tail > 0xFF:
        raise CodeMalformed("This text is not Base45.")
    return struct.pack(f">{len(numbers)}H", *numbers) + bytes([tail] if len(values) % 3 else [])
