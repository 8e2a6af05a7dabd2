"""Rows about the fleet of gates: what they were told to do and what became of it."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from shared.ids import CommandId, GateId
from shared.sync.command import CommandKind


class CommandRow(Struct, frozen=True, kw_only=True):
    """A command as it is kept; ``body`` is a packed order. ``settled_at`` is None until its gate says what became of it."""

    gate: GateId
    number: int
    id: CommandId
    kind: CommandKind
    body: bytes
    created_by: str
    created_at: datetime
    expires_at: datetime | None = None
    sent_at: datetime | None = None
    settled_at: datetime | None = None
    outcome: str | None = None
    message: str = ""
