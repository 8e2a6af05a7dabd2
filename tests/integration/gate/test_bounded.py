"""A gate's memory does not follow the number of its scans: once its caches are full, nothing is added."""

from __future__ import annotations

import gc
from datetime import UTC, datetime, timedelta
from pathlib import Path

from shared.clock import ManualClock
from tests.integration.gate.door import Door, open_door
from tests.integration.gate.venue import Venue

NOW = datetime(2026, 6, 20, 19, 30, tzinfo=UTC)
TICKETS = 40
UNREADABLE_REMEMBERED = 1000
SCANS = 600
SPARE_OBJECTS = SCANS // 4
"""One object kept for a scan would be four times as many."""


async def scan(door: Door, scans: range) -> None:
    """Let guests who are in already come again, and between them somebody with a code of another kind."""
    for number in scans:
        door.clock.advance(timedelta(seconds=2))
        await (
            door.show_ticket(number // 2 % TICKETS + 1) if number % 2 else door.show(f"HTTPS://OTHER.EXAMPLE/{number}")
        )


def count_objects() -> int:
    """Return how many objects are alive."""
    gc.collect()
    return len(gc.get_objects())


async def test_scans_leave_nothing_behind_in_memory(tmp_path: Path) -> None:
    door = await open_door(tmp_path, Venue(NOW), TICKETS, ManualClock(NOW))
    try:
        await scan(door, range(2 * UNREADABLE_REMEMBERED + 100))
        before, logged = count_objects(), (await door.log.head()).gate_seq
        await scan(door, range(10_000, 10_000 + SCANS))
        assert (await door.log.head()).gate_seq == logged + SCANS
        assert count_objects() - before < SPARE_OBJECTS
    finally:
        await door.close()
