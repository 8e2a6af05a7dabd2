"""Loading a snapshot: manifest, chunks checked by their hashes, resumed where an earlier attempt ended."""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import Callable
from typing import Protocol

from msgspec import Struct

from gate.sync.problems import NotOurServer
from shared.ids import EventId
from shared.problems import CodeMalformed
from shared.sync.feed import FeedEntry, SnapshotChunk, SnapshotManifest
from shared.sync.wire import SNAPSHOT_CHUNK_LIMIT, unpack_chunk

_NAME = re.compile(r"[A-Za-z0-9._-]{1,100}")
_MOST_CHUNKS = 100_000


class SnapshotProgress(Struct, frozen=True, kw_only=True):
    """How far a load has got."""

    chunks: int
    of: int
    rows: int


class SnapshotSource(Protocol):
    """Where snapshots come from."""

    async def fetch_manifest(self, event: EventId) -> SnapshotManifest:
        """Return what the present snapshot of an event consists of."""
        ...

    async def fetch_chunk(self, snapshot: str, number: int, chunk: SnapshotChunk) -> bytes:
        """Return one chunk's bytes, unchecked."""
        ...


class Shelf(Protocol):
    """Where a snapshot is built up beside the tables in use."""

    async def begin(self, snapshot: str) -> int:
        """Make ready; return how many chunks are there from an earlier attempt."""
        ...

    async def add_chunk(self, number: int, entries: list[FeedEntry]) -> None:
        """Put one chunk's entries in."""
        ...

    async def finish(self, feed_seq: int, mark: bytes) -> None:
        """Put the snapshot in the place of the tables in use; ``mark`` is that of its position."""
        ...


async def load_snapshot(
    source: SnapshotSource, shelf: Shelf, event: EventId, on_progress: Callable[[SnapshotProgress], None]
) -> int:
    """Fetch the event's snapshot and swap it in; return the feed position it stands for.

    Raises:
        ServerAway, NotOurServer, GateRefused, DeviceRevoked: it could not be fetched; what came so far is kept.
        CodeMalformed: a chunk is not what the manifest says.
    """
    manifest = await source.fetch_manifest(event)
    _check_manifest(manifest, event)
    start = await shelf.begin(manifest.snapshot)
    for number, chunk in enumerate(manifest.chunks[start:], start=start):
        data = await source.fetch_chunk(manifest.snapshot, number, chunk)
        if len(data) != chunk.size or hashlib.sha256(data).digest() != chunk.sha256:
            raise CodeMalformed(f"Chunk {number} of the snapshot was damaged on its way; it is fetched again.")
        # In a thread: unpacking takes tens of milliseconds, and people are being admitted meanwhile.
        await shelf.add_chunk(number, await asyncio.to_thread(unpack_chunk, data))
        on_progress(SnapshotProgress(chunks=number + 1, of=len(manifest.chunks), rows=manifest.rows))
    await shelf.finish(manifest.seq, manifest.mark)
    return manifest.seq


def _check_manifest(manifest: SnapshotManifest, event: EventId) -> None:
    sizes_fit = all(0 < chunk.size <= SNAPSHOT_CHUNK_LIMIT for chunk in manifest.chunks)
    if manifest.event != event or not sizes_fit or len(manifest.chunks) > _MOST_CHUNKS:
        raise NotOurServer("The server's snapshot is not one of this gate's event.")
    if not _NAME.fullmatch(manifest.snapshot):
        raise NotOurServer("The server's snapshot has a name that is none.")
