"""The link over a message broker: the names of what a gate may reach there, and what travels besides the link's own frames.

A gate publishes to one exchange under keys that name it, reads its own queue, and follows its event's stream; nothing else.
"""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from msgspec import Meta, Struct, msgpack

from shared.ids import EventId, GateId, TenantId
from shared.packed import Natural, UnixMs, unpack
from shared.problems import CodeMalformed
from shared.sync.feed import SnapshotManifest
from shared.sync.wire import FRAME_LIMIT, SNAPSHOT_CHUNK_LIMIT, FeedFrame, GateFrame, Scans, ServerFrame

UP = "ticket.gates.up"
"""The topic exchange to which gates publish; the key is `name_key`'s."""

DOWN = "ticket.gates.down"
"""The direct exchange from which gates' queues are fed; the key is ``tenant.gate``."""

FEED = "ticket.feed"
"""The direct exchange from which events' streams are fed; the key is ``tenant.event``."""

UNASKED = UUID(int=0)
"""The session of a letter that answers nothing; gates that do not know it pass it over, and hear the same when they ask."""

WORDS_KEY = "words"
SCANS_KEY = "scans"

SnapshotName = Annotated[str, Meta(min_length=1, max_length=100)]

_SPARE = 1024
"""Bytes that a wrapping may add to a frame."""


class Place(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where in its event's stream a gate begins to read, by the broker's clock; None: at the stream's beginning.

    ``snapshot`` names the newest snapshot in the stream, whose first part comes at ``snapshot_ms`` or soon after. ``edition``
    says which stream it is, where the broker could not start an earlier one any more.
    """

    from_ms: UnixMs | None = None
    snapshot: SnapshotName | None = None
    snapshot_ms: UnixMs | None = None
    edition: Natural = 0


class Word(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A gate's frame. ``session`` is the connection it was sent on, made up by the gate."""

    session: UUID
    frame: GateFrame


class Letter(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A frame for one gate; ``session`` is that of the word it answers, so that nothing of an earlier connection counts.

    Commands alone come unasked as well, under `UNASKED`: signed and numbered, they count once, whichever connection they come by.
    """

    session: UUID
    frame: ServerFrame
    place: Place | None = None


class SnapshotBegin(Struct, frozen=True, kw_only=True, tag="snapshot_begin", forbid_unknown_fields=True):
    """A snapshot follows in parts."""

    manifest: SnapshotManifest


class SnapshotPart(Struct, frozen=True, kw_only=True, tag="snapshot_part", forbid_unknown_fields=True):
    """One chunk of a snapshot that stands for the feed up to ``seq``, numbered from 0."""

    snapshot: SnapshotName
    seq: Natural
    n: Natural
    body: bytes


class SnapshotEnd(Struct, frozen=True, kw_only=True, tag="snapshot_end", forbid_unknown_fields=True):
    """The snapshot is complete."""

    snapshot: SnapshotName
    seq: Natural


StreamFrame = FeedFrame | SnapshotBegin | SnapshotPart | SnapshotEnd

_words: msgpack.Decoder[Word] = msgpack.Decoder(Word)
_letters: msgpack.Decoder[Letter] = msgpack.Decoder(Letter)
_stream_frames: msgpack.Decoder[StreamFrame] = msgpack.Decoder(StreamFrame)
_STRANGE = "A message of the broker does not belong to this protocol."


def name_account(gate: GateId) -> str:
    """Return the name of a gate's account at the broker."""
    return f"gate.{gate}"


def name_queue(tenant: TenantId, gate: GateId) -> str:
    """Return the name of a gate's queue."""
    return f"ticket.gate.{tenant}.{gate}"


def name_stream(tenant: TenantId, event: EventId, edition: int = 0) -> str:
    """Return the name of an event's stream; the first edition has no number."""
    return f"ticket.feed.{tenant}.{event}" + (f".{edition}" if edition else "")


def base_of_stream(name: str) -> str:
    """Return the name of a stream's first edition."""
    return ".".join(name.split(".")[:4])


def name_key(kind: str, tenant: TenantId, gate: GateId) -> str:
    """Return the key under which a gate publishes; ``kind`` is ``words`` or ``scans``."""
    return f"{kind}.{tenant}.{gate}"


def key_of(frame: GateFrame) -> str:
    """Return the kind of key a frame is published under."""
    return SCANS_KEY if isinstance(frame, Scans) else WORDS_KEY


def read_key(key: str) -> tuple[TenantId, GateId]:
    """Return whose message a key announces.

    Raises:
        CodeMalformed: not a key of gates.
    """
    parts = key.split(".")
    try:
        kind, tenant, gate = parts
        named = TenantId(UUID(tenant)), GateId(UUID(gate))
    except ValueError as exc:
        raise CodeMalformed("A message from a gate has a key that names no gate.") from exc
    if key != name_key(kind, *named):
        raise CodeMalformed("A message from a gate has a key in an unusual form.")
    return named


def encode_message(message: Word | Letter | StreamFrame) -> bytes:
    """Return a message's bytes."""
    return msgpack.encode(message)


def decode_word(data: bytes) -> Word:
    """Return what a gate published.

    Raises:
        CodeMalformed: too large, or not of this protocol.
    """
    _check_size(data, FRAME_LIMIT + _SPARE)
    return unpack(_words, data, _STRANGE)


def decode_letter(data: bytes) -> Letter:
    """Return what lay in a gate's queue.

    Raises:
        CodeMalformed: too large, or not of this protocol.
    """
    _check_size(data, FRAME_LIMIT + _SPARE)
    return unpack(_letters, data, _STRANGE)


def decode_stream_frame(data: bytes) -> StreamFrame:
    """Return what an event's stream carries.

    Raises:
        CodeMalformed: too large, or not of this protocol.
    """
    _check_size(data, SNAPSHOT_CHUNK_LIMIT + _SPARE)
    return unpack(_stream_frames, data, _STRANGE)


def _check_size(data: bytes, limit: int) -> None:
    if len(data) > limit:
        raise CodeMalformed(f"A message of {len(data)} bytes is larger than the protocol's limit.")
