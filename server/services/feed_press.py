"""Copying events' feeds into the broker's streams, with snapshots in between, from where they were left off.

What is published twice does no harm, what is missing is fetched: the positions decide, so nothing here has to be exact.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import structlog
from msgspec import Struct

from server.services.context import Context
from server.services.feed_frames import pack_frame
from server.services.ports_broker import BrokerDatabase
from server.services.ports_bus import Bus, Posting
from server.services.rows_broker import StreamRow
from server.services.snapshot import Snapshots
from shared.ids import uuid7
from shared.sync.broker import FEED, SnapshotBegin, SnapshotEnd, SnapshotPart, encode_message
from shared.sync.feed import FeedEntry

SNAPSHOT_EVERY = 10_000
"""Entries after which a snapshot is worth its room: a gate that was away reads at most so many and one snapshot."""

_FRAME_ENTRIES = 500

log = structlog.get_logger()


class PressParts(Struct, frozen=True, kw_only=True, eq=False):
    """What the press works with."""

    context: Context
    book: BrokerDatabase
    bus: Bus
    snapshots: Snapshots
    snapshot_every: int = SNAPSHOT_EVERY


class FeedPress:
    """Brings streams up to date, one after the other; one process at a time does so."""

    def __init__(self, parts: PressParts) -> None:
        self._parts = parts

    async def run_once(self) -> int:
        """Bring every stream up to date and return how many lacked something.

        Raises:
            Unavailable: the broker or the database is away; what was published stays noted.
        """
        async with self._parts.book.worker() as unit:
            due = await unit.broker.due_streams(self._now())
        for stream in due:
            await self._bring_up(stream)
        return len(due)

    async def _bring_up(self, stream: StreamRow) -> None:
        published = stream.published
        if _wants_snapshot(stream, self._now(), self._parts.snapshot_every):
            published = await self._publish_snapshot(stream)
        while entries := await self._read(stream, published):
            if entries[0].seq != published + 1:
                # That part of the feed is not kept any more.
                published = await self._publish_snapshot(stream)
                continue
            frame = pack_frame(stream.event, published, entries)
            await self._post(stream, frame.data)
            published = frame.to_seq
            async with self._parts.book.worker() as unit:
                await unit.broker.mark_published(stream, published)

    async def _read(self, stream: StreamRow, after: int) -> list[FeedEntry]:
        async with self._parts.context.db.tenant(stream.tenant) as tx:
            return await tx.feed.after(stream.event, after, _FRAME_ENTRIES)

    async def _publish_snapshot(self, stream: StreamRow) -> int:
        begun_at = self._now()
        manifest = await self._parts.snapshots.current(stream.tenant, stream.event, begun_at)
        name, seq = manifest.snapshot, manifest.seq
        await self._post(stream, encode_message(SnapshotBegin(manifest=manifest)))
        for n in range(len(manifest.chunks)):
            body = await self._parts.snapshots.chunk(stream.tenant, stream.event, UUID(name), n)
            await self._post(stream, encode_message(SnapshotPart(snapshot=name, seq=seq, n=n, body=body)))
        await self._post(stream, encode_message(SnapshotEnd(snapshot=name, seq=seq)))
        async with self._parts.book.worker() as unit:
            await unit.broker.mark_snapshot(stream, name, seq, begun_at)
        log.info("feed_press.snapshot", event_id=str(stream.event), seq=seq, chunks=len(manifest.chunks))
        return seq

    async def _post(self, stream: StreamRow, body: bytes) -> None:
        message_id = str(uuid7(self._now(), self._parts.context.random_bytes))
        key = f"{stream.tenant}.{stream.event}"
        await self._parts.bus.post(Posting(exchange=FEED, key=key, message_id=message_id, body=body, must_route=True))

    def _now(self) -> datetime:
        return self._parts.context.clock.now()


def _wants_snapshot(stream: StreamRow, now: datetime, every: int) -> bool:
    if stream.begun_seq is None or stream.snapshot_at is None:
        return True
    opened = stream.doors is not None and stream.snapshot_at <= stream.doors <= now
    return opened or stream.published - stream.snapshot_seq >= every
