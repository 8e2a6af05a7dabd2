"""Nothing is answered before it is on the disk, and a disk that fails lets nobody in."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from msgspec import structs

from gate.admit import Admitter, Shown
from gate.ports import LogHead
from gate.store.log import ScanLog
from gate.store.problems import DiskFull
from shared.admission.verdict import Reason
from shared.clock import ManualClock
from shared.ids import ScanId
from shared.sync.scan import LoggedRecord, ScanRecord
from tests.integration.gate.door import Door, open_door
from tests.integration.gate.venue import (
    Venue,
)

NOW = datetime(2026, 6, 20, 19, 30, tzinfo=UTC)


@pytest.fixture
async def door(tmp_path: Path) -> AsyncIterator[Door]:
    """Give a gate with five tickets on a Saturday evening; nobody has come yet."""
    opened = await open_door(tmp_path, Venue(NOW, slot_s=15), 5, ManualClock(NOW))
    yield opened
    await opened.close()


class StubbornJournal:
    """A log whose disk can be made to wait or to fail."""

    def __init__(self, log: ScanLog) -> None:
        self._log = log
        self.reached = asyncio.Event()
        self.release = asyncio.Event()
        self.fault: DiskFull | None = None

    async def head(self) -> LogHead:
        """Return where the log ends."""
        return await self._log.head()

    async def append(self, record: ScanRecord) -> LoggedRecord:
        """Write, when it is let."""
        self.reached.set()
        await self.release.wait()
        if self.fault is not None:
            raise self.fault
        return await self._log.append(record)

    async def find_admissions(self, handle_hash: bytes) -> list[ScanRecord]:
        """Return the own admissions of a ticket."""
        return await self._log.find_admissions(handle_hash)

    async def find_admitted(self, scan: ScanId) -> ScanRecord | None:
        """Return an own admission."""
        return await self._log.find_admitted(scan)

    async def last_records(self, records: int) -> list[ScanRecord]:
        """Return the last records."""
        return await self._log.last_records(records)


async def test_nothing_is_answered_before_the_disk_has_it(door: Door) -> None:
    journal = StubbornJournal(door.log)
    admitter = Admitter(structs.replace(door.parts, journal=journal))
    shown = Shown(text=door.venue.code(door.venue.ticket(1), NOW), taken_s=0.0)
    answer = asyncio.ensure_future(admitter.admit(shown))
    await journal.reached.wait()
    assert not answer.done()
    journal.release.set()
    assert (await answer).verdict.admitted


async def test_full_disk_lets_nobody_in_and_leaves_no_trace(door: Door) -> None:
    journal = StubbornJournal(door.log)
    journal.release.set()
    journal.fault = DiskFull("full")
    admitter = Admitter(structs.replace(door.parts, journal=journal))
    shown = Shown(text=door.venue.code(door.venue.ticket(1), NOW), taken_s=0.0)
    refused = await admitter.admit(shown)
    assert (refused.verdict.reason, refused.verdict.admitted) == (Reason.INTERNAL_ERROR, False)
    assert (refused.scan, refused.gate_seq, refused.holder) == (None, None, None)
    assert refused.fault == DiskFull.code
    journal.fault = None
    assert (await admitter.admit(shown)).verdict.reason is Reason.OK
    assert len(await door.records()) == 1


async def test_scan_given_up_half_way_leaves_the_log_whole(door: Door) -> None:
    for number in range(1, 6):
        half_way = asyncio.ensure_future(door.show_ticket(number))
        for _ in range(number * 3):
            await asyncio.sleep(0)
        half_way.cancel()
        await asyncio.wait([half_way])
    outcome = await door.show_ticket(77)
    records = await door.records()
    assert outcome.verdict.admitted
    assert [record.gate_seq for record in records] == list(range(1, len(records) + 1))
