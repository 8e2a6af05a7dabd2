"""Loading a snapshot beside the tables in use, resumable, and swapping it in at once while scanning goes on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from gate.store import rows
from gate.store.opening import Database, open_database
from gate.store.world import KIND, WORLD_NAME, put_groups
from shared.problems import CodeMalformed
from shared.sync.feed import UNMARKED, FeedEntry

_ROWS_AT_ONCE = 4000
"""Rows in one transaction: short enough that a write of the running gate never waits long for its turn."""


class SnapshotShelf:
    """The tables a snapshot is built up in, on a connection of their own."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def begin(self, snapshot: str) -> int:
        """Make ready for a snapshot; return how many of its chunks are there from an earlier attempt."""
        loading, chunks = (await self._db.fetch("read_loading"))[0]
        if loading == snapshot:
            return int(chunks)
        await self._db.run_script("begin_loading")
        await self._db.fetch("name_loading", {"loading": snapshot})
        return 0

    async def add_chunk(self, number: int, entries: list[FeedEntry]) -> None:
        """Put one chunk's entries in; chunks come in order, the first is number 0.

        Raises:
            CodeMalformed: an entry holds a number that fits no column.
        """
        names = ("put_next_ticket", "put_next_tombstone")
        try:
            for at in range(0, len(entries), _ROWS_AT_ONCE):
                # In a thread: a hundred thousand rows are made here while people are being admitted.
                groups = await asyncio.to_thread(rows.group_entries, entries[at : at + _ROWS_AT_ONCE])
                async with self._db.transaction():
                    await put_groups(self._db, groups, names)
            await self._db.fetch("set_loaded", {"chunks": number + 1})
        except OverflowError as exc:
            raise CodeMalformed("A snapshot entry holds a number beyond 64 bits.") from exc

    async def finish(self, feed_seq: int, mark: bytes = UNMARKED) -> None:
        """Put the snapshot in the place of the tables in use, in one transaction with the cursor.

        A snapshot may be older than the cursor: tombstones told since are kept, unless what was told holds no more.
        """
        async with self._db.transaction():
            if not (await self._db.fetch("is_doubted"))[0][0]:
                await self._db.fetch("keep_tombstones")
            for step in ("drop_tickets", "drop_tombstones", "swap_tickets", "swap_tombstones"):
                await self._db.fetch(step)
            await self._db.fetch("keep_hot", {"feed_seq": max(feed_seq, 1)})
            await self._db.fetch("end_loading", {"feed_seq": feed_seq, "feed_mark": mark})


@asynccontextmanager
async def open_shelf(directory: Path) -> AsyncIterator[SnapshotShelf]:
    """Open the shelf of a data directory for one load."""
    database = await open_database(directory / WORLD_NAME, KIND, check=False)
    try:
        yield SnapshotShelf(database)
    finally:
        await database.close()
