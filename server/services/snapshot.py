"""Snapshots: everything a gate must know, as of one position of the feed, in chunks that never change.

All is read in one REPEATABLE READ transaction, the feed's head with it. Nothing can be missed: an entry is numbered only
after the change it speaks of was committed, so whatever stands at or below the head is in what this transaction reads;
whatever it reads beyond that comes again with a higher number, and saying a state twice does no harm.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from msgspec import DecodeError, Struct, msgpack, structs

from server.services.feed_entries import ticket_entry
from server.services.keys import KeyVault, MasterSecrets
from server.services.marking import admission_entry
from server.services.ports import Unit
from server.services.ports_gates import StillDatabase
from server.services.problems import EventUnknown
from server.services.problems_gates import SnapshotUnknown
from server.services.rows import EventRow
from server.services.rows_gates import SnapshotRow, WorldAdmission, WorldTicket
from shared.ids import EventId, RandomBytes, TenantId, uuid7
from shared.problems import DataDamaged
from shared.sync.feed import (
    FEED_START,
    AdmissionEntry,
    FeedEntry,
    GateEntry,
    HotEntry,
    PolicyEntry,
    SnapshotChunk,
    SnapshotManifest,
)
from shared.sync.wire import pack_chunk

CHUNK_ROWS = 2_000
FRESH_WITHIN = 1_000
"""A kept snapshot is served while the feed has gone on by fewer entries than this."""

_KEPT = timedelta(hours=1)

log = structlog.get_logger()


class _Part(Struct, frozen=True, kw_only=True):
    body: bytes
    chunk: SnapshotChunk
    rows: int


class Snapshots:
    """Makes snapshots, one at a time for each event, and serves kept ones."""

    def __init__(self, db: StillDatabase, vault: KeyVault, random_bytes: RandomBytes) -> None:
        self._db = db
        self._vault = vault
        self._random_bytes = random_bytes
        self._busy: dict[EventId, asyncio.Lock] = {}

    async def current(self, tenant: TenantId, event: EventId, now: datetime) -> SnapshotManifest:
        """Return the manifest of a snapshot that is near the feed's head, making one if there is none.

        Raises:
            EventUnknown: the tenant has no such event.
        """
        async with self._busy.setdefault(event, asyncio.Lock()):
            kept = await self._find(tenant, event)
            return kept or await self._make(tenant, event, now)

    async def chunk(self, tenant: TenantId, event: EventId, snapshot: UUID, n: int) -> bytes:
        """Return one chunk of a kept snapshot.

        Raises:
            SnapshotUnknown: there is none of this name and number any more.
        """
        async with self._db.tenant(tenant) as tx:
            body = await tx.feed.chunk(event, snapshot, n)
        if body is None:
            raise SnapshotUnknown("This snapshot was replaced: ask for the newest one.")
        return body

    async def _find(self, tenant: TenantId, event: EventId) -> SnapshotManifest | None:
        async with self._db.tenant(tenant) as tx:
            if await tx.events.get(event) is None:
                raise EventUnknown("There is no such event.")
            kept = await tx.feed.newest_snapshot(event)
            head = await tx.feed.head(event)
        if kept is None or head - kept.seq >= FRESH_WITHIN:
            return None
        try:
            return msgpack.decode(kept.manifest, type=SnapshotManifest)
        except DecodeError as exc:
            raise DataDamaged("A kept snapshot has an unreadable manifest: delete it from feed_snapshots.") from exc

    async def _make(self, tenant: TenantId, event_id: EventId, now: datetime) -> SnapshotManifest:
        snapshot = uuid7(now, self._random_bytes)
        chunks: list[SnapshotChunk] = []
        rows = 0
        async with self._db.still(tenant) as tx:
            seq = await tx.feed.head(event_id)
            mark = await tx.feed.mark_at(event_id, seq)
            event = await tx.events.get(event_id)
            if event is None:
                raise EventUnknown("There is no such event.")
            async for part in self._read_world(tx, event, seq):
                await tx.feed.add_chunk(snapshot, len(chunks), part.body)
                chunks.append(part.chunk)
                rows += part.rows
            manifest = SnapshotManifest(
                snapshot=str(snapshot), event=event_id, seq=seq, rows=rows, chunks=chunks, mark=mark or FEED_START
            )
            kept = SnapshotRow(id=snapshot, seq=seq, manifest=msgpack.encode(manifest))
            await tx.feed.add_snapshot(event_id, kept, now)
            await tx.feed.drop_snapshots(event_id, now - _KEPT)
        log.info("snapshot.made", event_id=str(event_id), seq=seq, rows=rows, chunks=len(chunks))
        return manifest

    async def _read_world(self, tx: Unit, event: EventRow, seq: int) -> AsyncIterator[_Part]:
        masters = await self._vault.masters(tx)
        gates = await tx.gates.of_event(event.id)
        small: list[FeedEntry] = [PolicyEntry(seq=0, policy=event.policy)]
        small += [GateEntry(seq=0, gate=gate.id, name=gate.name, revoked=gate.revoked_at is not None) for gate in gates]
        small += [HotEntry(seq=0, handle_hash=one) for one in await tx.conflicts.hot_of_event(event.id)]
        yield await asyncio.to_thread(_pack, small, seq)
        async for tickets in tx.feed.world_tickets(event.id, CHUNK_ROWS):
            yield await asyncio.to_thread(_pack_tickets, masters, tickets, seq)
        async for tombstones in tx.feed.world_tombstones(event.id, CHUNK_ROWS):
            yield await asyncio.to_thread(_pack, tombstones, seq)
        async for admissions in tx.feed.world_admissions(event.id, CHUNK_ROWS):
            yield await asyncio.to_thread(_pack_admissions, admissions, seq)


def _pack_tickets(masters: MasterSecrets, tickets: Sequence[WorldTicket], seq: int) -> _Part:
    return _pack([ticket_entry(masters.of(one.ticket.master), one.ticket, one.ticket_type) for one in tickets], seq)


def _pack_admissions(admissions: Sequence[WorldAdmission], seq: int) -> _Part:
    entries: list[AdmissionEntry] = [entry for one in admissions if (entry := admission_entry(one)) is not None]
    return _pack(entries, seq)


def _pack(entries: Sequence[FeedEntry], seq: int) -> _Part:
    # all bear the snapshot's own position; positions count from 1, also where nothing was fed yet
    body = pack_chunk([structs.replace(entry, seq=max(seq, 1)) for entry in entries])
    chunk = SnapshotChunk(size=len(body), sha256=hashlib.sha256(body).digest())
    return _Part(body=body, chunk=chunk, rows=len(entries))
