"""The feed of one event: numbered statements of what is, not of what changed; applying one twice or late does no harm."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Annotated

from msgspec import Meta, Struct, msgpack

from shared.admission.policy import Policy
from shared.admission.presence import Admission
from shared.ids import EventId, GateId
from shared.packed import Bits8, Bits16, Bytes16, Bytes32, Natural, Ordinal, Sealed, UnixMs, Words
from shared.tickets.lifecycle import State

Mark = Annotated[bytes, Meta(max_length=16)]
"""16 bytes that stand for everything in a feed up to a position, or `UNMARKED`."""

FEED_START = bytes(16)
UNMARKED = b""
"""The mark of a position whose past is not known."""

_MARK_LABEL = b"ttfeed1"


class TicketEntry(Struct, frozen=True, kw_only=True, tag="t", array_like=True, forbid_unknown_fields=True):
    """A ticket generation as it is now.

    ``version`` is the ticket's, and the newer one wins. ``valid_from_ms`` and ``valid_until_ms`` are milliseconds since 1970;
    ``sealed`` is the holder's data, readable only with the code's handle.
    """

    seq: Ordinal
    handle_hash: Bytes16
    version: Natural
    state: State
    generation: Bits16
    product: Bits16
    zones: Bits16
    locked: bool = False
    entries: Bits8 = 0
    code_policy: Bits8 = 0
    valid_from_ms: UnixMs | None = None
    valid_until_ms: UnixMs | None = None
    sealed: Sealed = b""


class TombstoneEntry(Struct, frozen=True, kw_only=True, tag="x", array_like=True, forbid_unknown_fields=True):
    """A ticket generation that was replaced by a newer one: its codes are dead for ever."""

    seq: Ordinal
    handle_hash: Bytes16
    version: Natural


class AdmissionEntry(Struct, frozen=True, kw_only=True, tag="a", array_like=True, forbid_unknown_fields=True):
    """An admission some gate recorded."""

    seq: Ordinal
    handle_hash: Bytes16
    admission: Admission


class PolicyEntry(Struct, frozen=True, kw_only=True, tag="p", array_like=True, forbid_unknown_fields=True):
    """The event's policy as it is now."""

    seq: Ordinal
    policy: Policy


class GateEntry(Struct, frozen=True, kw_only=True, tag="g", array_like=True, forbid_unknown_fields=True):
    """A gate of the event, so that others can name it."""

    seq: Ordinal
    gate: GateId
    name: Words
    revoked: bool = False


class HotEntry(Struct, frozen=True, kw_only=True, tag="h", array_like=True, forbid_unknown_fields=True):
    """A ticket generation that is on the event's hot list, or off it again."""

    seq: Ordinal
    handle_hash: Bytes16
    hot: bool = True


FeedEntry = TicketEntry | TombstoneEntry | AdmissionEntry | PolicyEntry | GateEntry | HotEntry


class SnapshotChunk(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One compressed part of a snapshot: how many bytes, and their SHA-256."""

    size: Natural
    sha256: Bytes32


class SnapshotManifest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What a snapshot consists of; it stands for everything up to and including feed position ``seq``.

    ``mark`` is that position's. Gates that do not ask for it get a manifest without: they do not know the word.
    """

    snapshot: Annotated[str, Meta(min_length=1, max_length=100)]
    event: EventId
    seq: Natural
    rows: Natural
    chunks: Annotated[list[SnapshotChunk], Meta(max_length=10_000)]
    mark: Mark = UNMARKED


def extend_mark(mark: bytes, entries: Iterable[FeedEntry]) -> bytes:
    """Return the mark after more entries: SHA-256("ttfeed1" | mark | entry)[:16] for one after the other.

    Two feeds that differ anywhere differ in every mark from there on, whatever their numbers: so a gate finds out that the
    server was set back to a backup. What follows an unknown past stays unknown.
    """
    for entry in entries if mark else ():
        mark = hashlib.sha256(_MARK_LABEL + mark + msgpack.encode(entry)).digest()[:16]
    return mark
