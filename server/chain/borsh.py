"""Borsh, the byte format of arguments of Solana programs: little endian, 32-bit lengths, no padding (borsh.io, version 1.0)."""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from typing import TypeVar

from shared.problems import Internal

T = TypeVar("T")


def u8(value: int) -> bytes:
    """Return one byte."""
    return struct.pack("<B", value)


def u16(value: int) -> bytes:
    """Return two bytes, little endian."""
    return struct.pack("<H", value)


def u32(value: int) -> bytes:
    """Return four bytes, little endian."""
    return struct.pack("<I", value)


def u64(value: int) -> bytes:
    """Return eight bytes, little endian."""
    return struct.pack("<Q", value)


def boolean(value: bool) -> bytes:  # noqa: FBT001
    """Return 1 or 0."""
    return u8(int(value))


def string(value: str) -> bytes:
    """Return the length in bytes and the UTF-8 text."""
    raw = value.encode()
    return u32(len(raw)) + raw


def option(value: T | None, write: Callable[[T], bytes]) -> bytes:
    """Return 0 for nothing, else 1 and the value."""
    return u8(0) if value is None else u8(1) + write(value)


def vector(values: Sequence[T], write: Callable[[T], bytes]) -> bytes:
    """Return the number of values and the values."""
    return u32(len(values)) + b"".join(write(one) for one in values)


def fixed(value: bytes, size: int = 32) -> bytes:
    """Return bytes that must have a certain length.

    Raises:
        Internal: they have another.
    """
    if len(value) != size:
        raise Internal(f"{size} bytes were expected, not {len(value)}.")
    return value
