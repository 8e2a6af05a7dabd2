"""The feed of one event: numbered statements of what is, not of what changed; applying one twice or late does no harm."""

from __future__ import annotations

from msgspec import Struct

from shared.admission.policy import Policy
from shared.admission.presence import Admission
from shared.ids import EventId, GateId
from shared.tickets.lifecycle import State


class TicketEntry(Struct, frozen=True, kw_only=True, tag="t", array_like=True):
    """A ticket generation as it is now.

    ``version`` is the ticket's, and the newer one wins. ``valid_from_ms`` and ``valid_until_ms`` are milliseconds since 1970;
    ``sealed`` is the holder's data, readable only with the code's handle.
    """

    seq: int
    handle_hash: bytes
    version: int
    state: State
    generation: int
    product: int
    zones: int
    locked: bool = False
    entries: int = 0
    code_policy: int = 0
    valid_from_ms: int | None = None
    valid_until_ms: int | None = None
    sealed: bytes = b""


class TombstoneEntry(Struct, frozen=True, kw_only=True, tag="x", array_like=True):
    """A ticket generation that was replaced by a newer one: its codes are dead for ever."""

    seq: int
    handle_hash: bytes
    version: int


class AdmissionEntry(Struct, frozen=True, kw_only=True, tag="a", array_like=True):
    """An admission some gate recorded."""

    seq: int
    handle_hash: bytes
    admission: Admission


class PolicyEntry(Struct, frozen=True, kw_only=True, tag="p", array_like=True):
    """The event's policy as it is now."""

    seq: int
    policy: Policy


class GateEntry(Struct, frozen=True, kw_only=True, tag="g", array_like=True):
    """A gate of the event, so that others can name it."""

    seq: int
    gate: GateId
    name: str
    revoked: bool = False


FeedEntry = TicketEntry | TombstoneEntry | AdmissionEntry | PolicyEntry | GateEntry


class SnapshotChunk(Struct, frozen=True, kw_only=True):
    """One compressed part of a snapshot: how many bytes, and their SHA-256."""

    size: int
    sha256: bytes


class SnapshotManifest(Struct, frozen=True, kw_only=True):
    """What a snapshot consists of; it stands for everything up to and including feed position ``seq``."""

    snapshot: str
    event: EventId
    seq: int
    rows: int
    chunks: list[SnapshotChunk]
