"""What came of commands."""

from __future__ import annotations

from msgspec import Struct

from shared.sync.command import Receipt


class Obeyed(Struct, frozen=True, kw_only=True):
    """What is to be said of commands, and whether the snapshot is to be loaded anew."""

    receipts: list[Receipt]
    resync: bool = False
