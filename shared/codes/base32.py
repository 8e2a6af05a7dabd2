"""Crockford's Base32: the form of a code for keyboard-wedge readers, whose layouts mangle punctuation.

Alphabet and look-alikes as in https://www.crockford.com/base32.html, without check symbol.
"""

from __future__ import annotations

from shared.problems import CodeMalformed

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_VALUE = {char: value for value, char in enumerate(ALPHABET)} | {"O": 0, "I": 1, "L": 1}


def encode(data: bytes) -> str:
    """Return ceil(8 n / 5) characters, the last padded with zero bits on the right."""
    count = (len(data) * 8 + 4) // 5
    number = int.from_bytes(data, "big") << (count * 5 - len(data) * 8)
    return "".join(ALPHABET[number >> 5 * at & 31] for at in reversed(range(count)))


def decode(text: str) -> bytes:
    """Return the bytes of a text in either case; hyphens are ignored.

    Raises:
        CodeMalformed: a character outside the alphabet, an impossible length or padding that is not zero.
    """
    if not text.isascii():  # some foreign letters become ASCII ones in upper case
        raise CodeMalformed("This text is not Base32.")
    values = [_VALUE.get(char, -1) for char in text.upper().replace("-", "")]
    size = len(values) * 5 // 8
    spare = len(values) * 5 - size * 8
    if -1 in values or spare >= 5:
        raise CodeMalformed("This text is not Base32.")
    number = 0
    for value in values:
        number = number << 5 | value
    if number & (1 << spare) - 1:
        raise CodeMalformed("This text is not Base32.")
    return (number >> spare).to_bytes(size, "big")
