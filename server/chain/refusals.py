"""What a refused transaction means for us: try again, look again, or stop and ask a person."""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import Enum

from msgspec import Struct

from server.chain.programs import BUBBLEGUM, MPL_COMPRESSION, SPL_COMPRESSION

_FAILED = re.compile(r"^Program (\w+) failed: custom program error: 0x([0-9a-f]+)$")


class Remedy(Enum):
    """What to do about it."""

    READ_AGAIN = "read_again"
    """The leaf or its proof is not as we thought: fetch both, then try again."""
    NEXT_TREE = "next_tree"
    DONE = "done"
    """What was asked for is so already."""
    CONFLICT = "conflict"
    """Somebody else's will stands against it: a person decides."""
    CONFIGURATION = "configuration"
    """Keys or accounts are wrong for everything: stop sending."""
    FAULT = "fault"
    """Ours: the operation is set aside."""


class Refusal(Struct, frozen=True, kw_only=True):
    """Which program refused, with which of its codes, and what to do."""

    program: str
    number: int
    remedy: Remedy


_BUBBLEGUM: dict[int, Remedy] = {
    6016: Remedy.CONFIGURATION,  # the signer may not mint into this tree
    6017: Remedy.NEXT_TREE,
    6025: Remedy.READ_AGAIN,  # neither owner nor delegate any more
    6028: Remedy.CONFIGURATION,
    6036: Remedy.CONFIGURATION,
    6041: Remedy.CONFIGURATION,
    6045: Remedy.CONFLICT,  # frozen
    6046: Remedy.CONFLICT,  # not transferable
    6047: Remedy.READ_AGAIN,
    6048: Remedy.CONFLICT,  # the whole collection is frozen
    6049: Remedy.CONFIGURATION,
    6051: Remedy.CONFIGURATION,
    6056: Remedy.DONE,  # thawing what is not frozen
}
_COMPRESSION: dict[int, Remedy] = {
    6001: Remedy.READ_AGAIN,  # the proof leads to another root
    6003: Remedy.CONFIGURATION,
    6004: Remedy.CONFIGURATION,
}


def read_refusal(logs: Sequence[str]) -> Refusal | None:
    """Return who refused, from a failed transaction's logs; None when no program says a number.

    The first program that failed is meant: its callers repeat its number, which is another of theirs.
    """
    for line in logs:
        found = _FAILED.match(line)
        if found:
            return _name(found[1], int(found[2], 16))
    return None


def _name(program: str, number: int) -> Refusal:
    table: dict[int, Remedy] = {}
    if program == str(BUBBLEGUM):
        table = _BUBBLEGUM
    elif program in {str(MPL_COMPRESSION), str(SPL_COMPRESSION)}:
        table = _COMPRESSION
    return Refusal(program=program, number=number, remedy=table.get(number, Remedy.FAULT))
