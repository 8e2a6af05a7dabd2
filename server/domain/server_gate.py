"""The gate that stands for the server itself at an event: what is checked in by way of the server is its log."""

from __future__ import annotations

from uuid import uuid5

from shared.ids import EventId, GateId, IncarnationId

NAME = "Server check-in"


def server_gate_id(event: EventId) -> GateId:
    """Return its id, which no enrolled gate can have: theirs are UUIDs of version 7, this is one of version 5."""
    return GateId(uuid5(event, "tickettoken server gate"))


def server_log_id(event: EventId) -> IncarnationId:
    """Return the id of its one log."""
    return IncarnationId(uuid5(event, "tickettoken server log"))


def is_server_gate(gate: GateId, event: EventId | None) -> bool:
    """Tell whether a gate is the server itself at this event."""
    return event is not None and gate == server_gate_id(event)
