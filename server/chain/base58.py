"""Base58 as Solana's JSON carries instruction data in it: big-endian digits, a leading 1 for each leading zero byte."""

from __future__ import annotations

from shared.problems import DataDamaged

_ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_VALUE = {letter: value for value, letter in enumerate(_ALPHABET)}


def decode_base58(text: str) -> bytes:
    """Return the bytes of a text.

    Raises:
        DataDamaged: it has a letter that is no digit.
    """
    number = 0
    for letter in text:
        if letter not in _VALUE:
            raise DataDamaged("The node sent instruction data that is no Base58.")
        number = number * 58 + _VALUE[letter]
    zeros = len(text) - len(text.lstrip("1"))
    return bytes(zeros) + number.to_bytes((number.bit_length() + 7) // 8, "big")


def encode_base58(data: bytes) -> str:
    """Return bytes as text."""
    number = int.from_bytes(data, "big")
    letters = ""
    while number:
        number, digit = divmod(number, 58)
        letters = _ALPHABET[digit] + letters
    return "1" * (len(data) - len(data.lstrip(b"\0"))) + letters
