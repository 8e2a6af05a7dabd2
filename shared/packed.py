"""MessagePack from outside: one way to decode it, in which every fault is the same problem, and the bounds of its numbers."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, TypeVar

from msgspec import Meta, msgpack

from shared.problems import CodeMalformed

T = TypeVar("T")

# SQLite and PostgreSQL hold signed 64-bit integers; a larger number must stop here and not in the middle of a transaction.
_HIGHEST = 2**63 - 1

Natural = Annotated[int, Meta(ge=0, le=_HIGHEST)]
"""A counter or position that every store can hold."""

Ordinal = Annotated[int, Meta(ge=1, le=_HIGHEST)]
"""A position that counts from 1."""

UnixMs = Annotated[int, Meta(ge=0, le=253_402_300_799_999)]
"""Milliseconds since 1970 up to the end of the year 9999, which is where datetime ends."""

Stamp = Annotated[int, Meta(ge=0, le=_HIGHEST)]
"""A hybrid logical clock's stamp."""

Bits16 = Annotated[int, Meta(ge=0, le=0xFFFF)]
Bits8 = Annotated[int, Meta(ge=0, le=0xFF)]
Bytes8 = Annotated[bytes, Meta(min_length=8, max_length=8)]
Bytes16 = Annotated[bytes, Meta(min_length=16, max_length=16)]
Bytes32 = Annotated[bytes, Meta(min_length=32, max_length=32)]
Bytes64 = Annotated[bytes, Meta(min_length=64, max_length=64)]
Sealed = Annotated[bytes, Meta(max_length=1536)]
"""Sealed holder data: 500 of them fit a frame."""

Words = Annotated[str, Meta(max_length=200)]
Aware = Annotated[datetime, Meta(tz=True)]


def unpack(decoder: msgpack.Decoder[T], data: bytes, complaint: str) -> T:
    """Return what a decoder makes of bytes from outside.

    Raises:
        CodeMalformed: with ``complaint``, whatever is wrong with the bytes.
    """
    try:
        return decoder.decode(data)
    except (ValueError, RecursionError) as exc:
        # msgspec's own errors are ValueErrors like that of broken UTF-8; nesting may be made to overflow the stack.
        raise CodeMalformed(complaint) from exc
