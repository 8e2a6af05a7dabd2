"""A hundred thousand tickets arrive while people are being admitted."""

from __future__ import annotations

import asyncio
import hashlib
from datetime import UTC, datetime
from pathlib import Path

from gate.store.shadow import open_shelf
from gate.sync.snapshot import SnapshotProgress, load_snapshot
from shared.admission.verdict import Reason
from shared.clock import ManualClock
from shared.ids import EventId
from shared.sync.feed import FeedEntry, SnapshotChunk, SnapshotManifest, TicketEntry
from shared.sync.wire import pack_chunk
from shared.tickets.lifecycle import State
from tests.integration.gate.door import open_door
from tests.integration.gate.venue import EVENT, Venue

NOW = datetime(2026, 6, 20, 19, 30, tzinfo=UTC)
TICKETS = 100_000
PER_CHUNK = 10_000
GUESTS = 60


class Shelves:
    """A server's snapshot, held in memory."""

    def __init__(self, entries: list[FeedEntry]) -> None:
        self._chunks = [pack_chunk(entries[at : at + PER_CHUNK]) for at in range(0, len(entries), PER_CHUNK)]
        self._rows = len(entries)

    async def fetch_manifest(self, event: EventId) -> SnapshotManifest:
        """Return what the snapshot consists of."""
        chunks = [SnapshotChunk(size=len(data), sha256=hashlib.sha256(data).digest()) for data in self._chunks]
        return SnapshotManifest(snapshot="big", event=event, seq=500_000, rows=self._rows, chunks=chunks)

    async def fetch_chunk(self, snapshot: str, number: int, chunk: SnapshotChunk) -> bytes:
        """Return one chunk."""
        assert (snapshot, chunk.size) == ("big", len(self._chunks[number]))
        return self._chunks[number]


def stranger(number: int) -> TicketEntry:
    """Return the ticket of somebody who does not come in this test."""
    noise = hashlib.sha256(number.to_bytes(8, "big")).digest()
    return TicketEntry(
        seq=number,
        handle_hash=noise[:16],
        version=1,
        state=State.ACTIVE,
        generation=1,
        product=1,
        zones=1,
        sealed=noise * 2,
    )


async def test_people_are_admitted_while_a_hundred_thousand_tickets_load(tmp_path: Path) -> None:
    venue = Venue(NOW)
    guests: list[FeedEntry] = [venue.ticket(number).entry for number in range(1, GUESTS + 1)]
    source = Shelves([*guests, *(stranger(number) for number in range(1000, 1000 + TICKETS - GUESTS))])
    door = await open_door(tmp_path, venue, GUESTS, ManualClock(NOW))
    codes = venue.codes(range(1, GUESTS + 1), NOW)
    progress: list[SnapshotProgress] = []
    try:
        async with open_shelf(tmp_path) as shelf:
            loading = asyncio.ensure_future(load_snapshot(source, shelf, EVENT, progress.append))
            outcomes = []
            during = 0
            for code in codes:
                outcomes.append(await door.show(code))
                during += not loading.done()
            assert await loading == 500_000
        assert {outcome.verdict.reason for outcome in outcomes} == {Reason.OK}
        assert during > 10
        assert await door.world.count_tickets() == TICKETS
        assert (await door.world.state()).feed_seq == 500_000
        assert [step.chunks for step in progress] == list(range(1, 11))
        assert (await door.show(codes[0])).verdict.reason is Reason.DOUBLE_READ
    finally:
        await door.close()
