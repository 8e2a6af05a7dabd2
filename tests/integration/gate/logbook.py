"""Logs with made-up records."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

from gate.store.log import ScanLog, open_log
from shared.admission.verdict import Direction, Reason
from shared.ids import IncarnationId, ScanId
from shared.sync.scan import Mode, ScanRecord
from tests.integration.gate.venue import EVENT

NOW_MS = 1_781_978_400_000
FRESH = IncarnationId(UUID(int=7))


def record(number: int, *, admitted: bool = True, handle_hash: bytes = bytes(16)) -> ScanRecord:
    """Return a record that may follow record ``number - 1``."""
    return ScanRecord(
        scan=ScanId(UUID(int=number)),
        gate_seq=number,
        hlc=(NOW_MS + number) << 16,
        at_ms=NOW_MS + number,
        unsure_ms=5,
        event=EVENT,
        handle_hash=handle_hash,
        code_hash=bytes(8),
        direction=Direction.ENTRY,
        admitted=admitted,
        reason=Reason.OK if admitted else Reason.CANCELLED,
        mode=Mode.OFFLINE,
        feed_seq=1,
        policy_version=1,
    )


async def write_log(directory: Path, records: int) -> ScanLog:
    """Return an open log with some records."""
    log = await open_log(directory, FRESH)
    for number in range(1, records + 1):
        await log.append(record(number))
    return log
