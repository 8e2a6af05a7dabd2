"""The token a QR code carries: a capsule, and for live codes the slot and its chain value, as text.

live    capsule 128 | slot u16 | x_slot 16      146 bytes: 219 characters of Base45, 234 of Base32
static  capsule 128                             128 bytes: 192 characters of Base45, 205 of Base32
"""

from __future__ import annotations

from shared.codes import base32, base45, capsule, chain
from shared.problems import CodeMalformed
from shared.secrecy import Reticent

LIVE_SIZE = capsule.SIZE + 2 + chain.VALUE_SIZE
MAX_TEXT = 1024
"""Longer texts are refused unread; a QR code of the largest version the door needs is far shorter."""


class Token(Reticent, frozen=True, kw_only=True):
    """The parts of a code, not yet verified; ``slot`` and ``value`` are None for a capsule alone.

    It prints nothing of its content: a token in a log is a ticket in a log.
    """

    capsule: bytes
    slot: int | None = None
    value: bytes | None = None


def pack_token(token: Token) -> bytes:
    """Return the token's bytes."""
    if token.slot is None or token.value is None:
        return token.capsule
    return token.capsule + token.slot.to_bytes(2, "big") + token.value


def write_token(token: Token) -> str:
    """Return the token as the QR code's text (Base45)."""
    return base45.encode(pack_token(token))


def write_wedge_token(token: Token) -> str:
    """Return the token as text for keyboard-wedge readers (Base32)."""
    return base32.encode(pack_token(token))


def read_text(text: str) -> bytes:
    """Return the bytes a scanned text stands for; line ends and tabs added by readers are dropped.

    Raises:
        CodeMalformed: too long, or in neither alphabet.
    """
    text = text.strip("\r\n\t")
    if len(text) > MAX_TEXT:
        raise CodeMalformed("This code is longer than any ticket's.")
    for decode in (base45.decode, base32.decode):
        try:
            data = decode(text)
        except CodeMalformed:
            continue
        # A Base32 text is also Base45 by its letters: the length tells them apart.
        if len(data) in {capsule.SIZE, LIVE_SIZE}:
            return data
    return base45.decode(text)


def unpack_token(data: bytes) -> Token:
    """Return the parts of 146 or 128 bytes.

    Raises:
        CodeMalformed: any other length.
    """
    if len(data) == capsule.SIZE:
        return Token(capsule=data)
    if len(data) != LIVE_SIZE:
        raise CodeMalformed("A ticket's code is 128 or 146 bytes long.")
    slot = int.from_bytes(data[capsule.SIZE : capsule.SIZE + 2], "big")
    return Token(capsule=data[: capsule.SIZE], slot=slot, value=data[capsule.SIZE + 2 :])
