"""What is kept of gates' accounts at the message broker and of events' streams there."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from shared.ids import EventId, GateId, TenantId


class AccountRow(Struct, frozen=True, kw_only=True):
    """A gate's account as it should be, and as the broker was last told.

    ``password_hash`` is salted and in the broker's own form; ``applied_hash`` and ``applied_event`` are None while the
    broker has no such account. ``edition`` is that of its event's stream.
    """

    tenant: TenantId
    gate: GateId
    event: EventId
    password_hash: str
    applied_hash: str | None = None
    applied_event: EventId | None = None
    revoked: bool = False
    removed: bool = False
    edition: int = 0

    @property
    def due(self) -> bool:
        """Whether the broker must still be told."""
        if self.revoked:
            return not self.removed
        return (self.applied_hash, self.applied_event) != (self.password_hash, self.event)


class StreamRow(Struct, frozen=True, kw_only=True):
    """An event's stream at the broker.

    It began with a snapshot that stands for ``begun_seq``, has all entries after that up to ``published``, and its newest
    snapshot, begun at ``snapshot_at``, stands for ``snapshot_seq``. ``doors`` is when the event's doors open, where it matters.
    ``edition`` counts the streams the broker could not start again.
    """

    tenant: TenantId
    event: EventId
    declared_at: datetime | None = None
    begun_seq: int | None = None
    published: int = 0
    snapshot: str | None = None
    snapshot_seq: int = 0
    snapshot_at: datetime | None = None
    doors: datetime | None = None
    edition: int = 0


class QuarantineRow(Struct, frozen=True, kw_only=True):
    """A batch as it came that could not be taken, and why, as a problem's code."""

    body_hash: bytes
    reason: str
    body: bytes
    received_at: datetime
