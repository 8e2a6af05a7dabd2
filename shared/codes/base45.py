"""Base45 (RFC 9285): bytes as the characters of a QR code's alphanumeric mode."""

from __future__ import annotations

from shared.problems import CodeMalformed

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
_VALUE = {char: value for value, char in enumerate(ALPHABET)}


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
    values = [_VALUE.get(char, -1) for char in text]
    if -1 in values or len(values) % 3 == 1:
        raise CodeMalformed("This text is not Base45.")
    out = bytearray()
    for at in range(0, len(values) - 2, 3):
        number = values[at] + values[at + 1] * 45 + values[at + 2] * 2025
        if number > 0xFFFF:
            raise CodeMalformed("This text is not Base45.")
        out += number.to_bytes(2, "big")
    if len(values) % 3:
        number = values[-2] + values[-1] * 45
        if number > 0xFF:
            raise CodeMalformed("This text is not Base45.")
        out.append(number)
    return bytes(out)
