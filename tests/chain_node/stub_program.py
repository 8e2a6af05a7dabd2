"""A program for a local chain that takes whatever it is called with and does nothing: two instructions, written by hand.

Stands where Bubblegum and MPL Core stand, so that the very bytes we send travel through real signing, fees, nonces, history.
"""

from __future__ import annotations

import struct

_RETURN_0 = bytes.fromhex("b7000000000000009500000000000000")  # r0 = 0; exit
_HEAD, _PROGRAM, _SECTION = 64, 56, 64
_SHARED_OBJECT, _BPF, _LOAD, _READ_RUN = 3, 247, 1, 5


def stub_program() -> bytes:
    """Return an ELF file as the chain's loader wants it: one segment, its text, and the sections' names."""
    names = b"\0.text\0.shstrtab\0"
    code_at = _HEAD + _PROGRAM
    names_at = code_at + len(_RETURN_0)
    table_at = (names_at + len(names) + 7) // 8 * 8
    head = b"\x7fELF\x02\x01\x01".ljust(16, b"\0") + struct.pack(
        "<HHIQQQIHHHHHH",
        *(_SHARED_OBJECT, _BPF, 1, code_at, _HEAD, table_at, 0, _HEAD, _PROGRAM, 1, _SECTION, 3, 2),
    )
    size = len(_RETURN_0)
    segment = struct.pack("<IIQQQQQQ", _LOAD, _READ_RUN, code_at, code_at, code_at, size, size, 0x1000)
    text = struct.pack("<IIQQQQIIQQ", 1, 1, 6, code_at, code_at, size, 0, 0, 8, 0)
    strings = struct.pack("<IIQQQQIIQQ", 7, 3, 0, 0, names_at, len(names), 0, 0, 1, 0)
    body = head + segment + _RETURN_0 + names
    return body.ljust(table_at, b"\0") + bytes(_SECTION) + text + strings
