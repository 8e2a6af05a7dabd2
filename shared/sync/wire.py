"""The frames of a gate's link and their encoding: MessagePack structs, told apart by a one-letter tag."""

from __future__ import annotations

from typing import Annotated, TypeVar

import zstandard
from msgspec import Meta, Struct, msgpack

from shared.codes.bundle import SealedBundle
from shared.ids import EventId, GateId, IncarnationId
from shared.packed import Natural, UnixMs, Words, unpack
from shared.problems import CodeMalformed
from shared.sync.command import MOST_COMMANDS, Receipt, SignedCommand
from shared.sync.feed import UNMARKED, FeedEntry, Mark
from shared.sync.scan import Mode, SignedBatch

PROTOCOL = 1
"""The newest version of this protocol that this program speaks."""

OLDEST_PROTOCOL = 1
"""The oldest it still speaks. A change raises PROTOCOL; this follows once no gate of the version before is left at any door."""

FRAME_LIMIT = 1024 * 1024
"""Bytes a frame may have at most; both sides close a link that sends more."""

SNAPSHOT_CHUNK_LIMIT = 16 * 1024 * 1024
"""Bytes a snapshot chunk may decompress to; the rest would be an attack."""

FrameT = TypeVar("FrameT")
Rate = Annotated[float, Meta(ge=0, le=1_000_000)]


class Hello(Struct, frozen=True, kw_only=True, tag="hello", forbid_unknown_fields=True):
    """A gate's first frame: who it is and how far it has got.

    ``command_seq`` is the number of the last command it obeyed, 0 before the first; None: it knows no commands.
    ``feed_mark`` stands for all it was told up to ``feed_seq``.
    """

    protocol: Natural
    gate: GateId
    incarnation: IncarnationId
    event: EventId
    feed_seq: Natural
    bundle_version: Natural
    last_gate_seq: Natural
    software: Words
    command_seq: Natural | None = None
    feed_mark: Mark = UNMARKED


class Welcome(Struct, frozen=True, kw_only=True, tag="welcome", forbid_unknown_fields=True):
    """The server's first frame. ``acked`` is the highest gate_seq stored without gap for this incarnation."""

    protocol: Natural
    server_ms: UnixMs
    feed_high: Natural
    acked: Natural


class FeedFrame(Struct, frozen=True, kw_only=True, tag="feed", forbid_unknown_fields=True):
    """Consecutive feed entries; ``after`` is the position they follow."""

    event: EventId
    after: Natural
    entries: list[FeedEntry]


class SnapshotNeeded(Struct, frozen=True, kw_only=True, tag="snapshot", forbid_unknown_fields=True, omit_defaults=True):
    """The server's word that the gate must load a snapshot: it is too far behind for the feed.

    With ``anew`` it is not behind but elsewhere: it was told what this server, set back to a backup, never said. Only a gate
    that named its mark is told so: others do not know the word.
    """

    event: EventId
    feed_high: Natural
    anew: bool = False


class Scans(Struct, frozen=True, kw_only=True, tag="scans", forbid_unknown_fields=True):
    """A batch of the gate's log."""

    signed: SignedBatch


class Ack(Struct, frozen=True, kw_only=True, tag="ack", forbid_unknown_fields=True):
    """Everything of this incarnation up to and including ``upto`` is stored."""

    incarnation: IncarnationId
    upto: Natural


class BundleFrame(Struct, frozen=True, kw_only=True, tag="bundle", forbid_unknown_fields=True):
    """A key bundle for this gate."""

    bundle: SealedBundle


class Vitals(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a gate is.

    ``clock_offset_ms`` is its clock minus the server's, ``keys_until_ms`` when its last known epoch ends,
    ``battery`` percent where it runs on one, ``camera`` whether pictures come, ``held`` whether it looks at no codes.
    """

    mode: Mode
    clock_offset_ms: Annotated[int, Meta(ge=-(10**15), le=10**15)] | None = None
    keys_until_ms: UnixMs | None = None
    battery: Annotated[int, Meta(ge=0, le=100)] | None = None
    camera: bool = False
    held: bool = False


class Ping(Struct, frozen=True, kw_only=True, tag="ping", forbid_unknown_fields=True):
    """A gate's heartbeat: its clock, how much it has not handed over, how far it has got, and how it is."""

    sent_ms: UnixMs
    backlog: Natural
    feed_seq: Natural
    bundle_version: Natural
    scans_per_minute: Rate = 0.0
    command_seq: Natural | None = None
    vitals: Vitals | None = None


class CommandsFrame(Struct, frozen=True, kw_only=True, tag="commands", forbid_unknown_fields=True):
    """Commands nobody knows yet to be done, in the order of their numbers; they come again until there is a receipt."""

    commands: Annotated[list[SignedCommand], Meta(max_length=MOST_COMMANDS)]


class Receipts(Struct, frozen=True, kw_only=True, tag="receipts", forbid_unknown_fields=True):
    """What became of commands, the same each time one comes again."""

    receipts: Annotated[list[Receipt], Meta(max_length=MOST_COMMANDS)]


class Pong(Struct, frozen=True, kw_only=True, tag="pong", forbid_unknown_fields=True):
    """The answer to a heartbeat: the gate's own stamp back, and the server's time."""

    sent_ms: UnixMs
    server_ms: UnixMs


class Bye(Struct, frozen=True, kw_only=True, tag="bye", forbid_unknown_fields=True):
    """The server ends the link; ``code`` is a problem code such as device_revoked."""

    code: Words
    message: Words


GateFrame = Hello | Scans | Ping | Receipts
ServerFrame = Welcome | FeedFrame | SnapshotNeeded | Ack | BundleFrame | CommandsFrame | Pong | Bye

_CHUNK_DAMAGED = "A snapshot chunk is damaged: load it again."

_gate_decoder: msgpack.Decoder[GateFrame] = msgpack.Decoder(GateFrame)
_server_decoder: msgpack.Decoder[ServerFrame] = msgpack.Decoder(ServerFrame)
_chunk_decoder: msgpack.Decoder[list[FeedEntry]] = msgpack.Decoder(list[FeedEntry])


def agree(offered: int, *, newest: int = PROTOCOL, oldest: int = OLDEST_PROTOCOL) -> int | None:
    """Return the version to speak with somebody who speaks up to ``offered``; None when there is none.

    Whoever is newer speaks as the other does, as long as it still can; whether the older one's word is too old is for the
    newer one to say.
    """
    spoken = min(offered, newest)
    return spoken if spoken >= oldest else None


def encode_frame(frame: GateFrame | ServerFrame) -> bytes:
    """Return a frame's bytes."""
    return msgpack.encode(frame)


def decode_gate_frame(data: bytes) -> GateFrame:
    """Return a frame a gate sent.

    Raises:
        CodeMalformed: too large, or not a frame of this protocol.
    """
    return _decode(_gate_decoder, data)


def decode_server_frame(data: bytes) -> ServerFrame:
    """Return a frame the server sent.

    Raises:
        CodeMalformed: too large, or not a frame of this protocol.
    """
    return _decode(_server_decoder, data)


def pack_chunk(entries: list[FeedEntry]) -> bytes:
    """Return a snapshot chunk: zstd over MessagePack."""
    return zstandard.ZstdCompressor(level=3).compress(msgpack.encode(entries))


def unpack_chunk(data: bytes) -> list[FeedEntry]:
    """Return the entries of a snapshot chunk.

    Raises:
        CodeMalformed: damaged, too large once decompressed, or of another form.
    """
    try:
        size = zstandard.get_frame_parameters(data).content_size
        # The decompressor takes a size that a frame states for granted and reserves it: this must be checked before.
        if SNAPSHOT_CHUNK_LIMIT < size != zstandard.CONTENTSIZE_UNKNOWN:
            raise CodeMalformed("A snapshot chunk is larger than any the server makes.")
        plain = zstandard.ZstdDecompressor().decompress(
            data, max_output_size=SNAPSHOT_CHUNK_LIMIT, allow_extra_data=False
        )
    except zstandard.ZstdError as exc:
        raise CodeMalformed(_CHUNK_DAMAGED) from exc
    return unpack(_chunk_decoder, plain, _CHUNK_DAMAGED)


def _decode(decoder: msgpack.Decoder[FrameT], data: bytes) -> FrameT:
    if len(data) > FRAME_LIMIT:
        raise CodeMalformed(f"A frame of {len(data)} bytes is larger than the protocol's limit.")
    return unpack(decoder, data, "A frame does not belong to this protocol.")
