"""Where a gate stands when it starts."""

from __future__ import annotations

from msgspec import Struct

from shared.ids import EventId, GateId, IncarnationId


class Progress(Struct, frozen=True, kw_only=True):
    """Who the gate is and how far it has got, as its disk says at the start; ``commands`` is the last one it obeyed."""

    gate: GateId
    event: EventId
    incarnation: IncarnationId
    software: str
    feed_seq: int
    bundle_version: int
    logged: int
    acked: int
    commands: int = 0
