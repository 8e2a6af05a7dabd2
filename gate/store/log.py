"""The gate's own log of scans: append-only, numbered without gaps, chained by hashes, durable before anything is answered."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

from gate.ports import LogCount, LogHead, RecordKind, Tries, kind_of
from gate.store.opening import Database, FileKind, open_database
from shared.admission.verdict import Direction
from shared.ids import IncarnationId, ScanId
from shared.problems import DataDamaged, Internal
from shared.sync.scan import (
    GENESIS,
    LoggedRecord,
    ScanRecord,
    decode_record,
    encode_record,
    extend_chain,
)

LOG_NAME = "log.db"
KIND = FileKind(
    sql="log.sql",
    application_id=0x5454676C,
    version=2,
    remedy=(
        "It holds this gate's own scans and was left as it is. Copy it to a safe place, save what it still says with "
        "`sqlite3 log.db .recover > log-recovered.sql`, then move log.db* out of the data directory and start again: "
        "what the server has already got comes back from there."
    ),
)


class ScanLog:
    """The open log; one per gate, used by one scan at a time."""

    def __init__(self, database: Database, incarnation: IncarnationId, acked: int) -> None:
        self._db = database
        self.incarnation = incarnation
        self.acked = acked
        self._head: LogHead | None = None

    @property
    def path(self) -> Path:
        """Where the file lies."""
        return self._db.path

    async def head(self) -> LogHead:
        """Return where the log ends."""
        if self._head is None:
            rows = await self._db.fetch("read_head")
            self._head = LogHead(gate_seq=rows[0][0], hlc=rows[0][1], chain=rows[0][2]) if rows else LogHead()
        return self._head

    async def append(self, record: ScanRecord) -> LoggedRecord:
        """Write one record so that it survives a power cut; its number must be the head's plus one.

        Raises:
            DiskFull, StoreNotWritable, StoreFailing, StoreDamaged: it is not on the disk.
        """
        head = await self.head()
        if record.gate_seq != head.gate_seq + 1 or record.hlc <= head.hlc:
            raise Internal("A scan was to be recorded out of its order: report this with the log.")
        body = encode_record(record)
        chain = extend_chain(head.chain, body)
        # Unknown until the disk has answered: a write that is cancelled or fails may yet have happened.
        self._head = None
        await self._db.fetch(
            "append_scan",
            {
                "gate_seq": record.gate_seq,
                "scan": record.scan.bytes,
                "hlc": record.hlc,
                "at_ms": record.at_ms,
                "handle_hash": record.handle_hash,
                "admitted": int(record.admitted and record.is_scan),
                "direction": record.direction.value,
                "body": body,
                "chain": chain,
                "kind": kind_of(record).value,
            },
        )
        self._head = LogHead(gate_seq=record.gate_seq, hlc=record.hlc, chain=chain)
        return LoggedRecord(gate_seq=record.gate_seq, body=body, chain=chain)

    async def find_admissions(self, handle_hash: bytes) -> list[ScanRecord]:
        """Return this gate's own records of a ticket that admit or take an admission back, oldest first."""
        rows = await self._db.fetch("own_admissions", {"handle_hash": handle_hash})
        return [decode_record(body) for (body,) in rows]

    async def find_admitted(self, scan: ScanId) -> ScanRecord | None:
        """Return this gate's admitting record of an id."""
        rows = await self._db.fetch("find_admitted", {"scan": scan.bytes})
        return decode_record(rows[0][0]) if rows else None

    async def last_records(self, records: int) -> list[ScanRecord]:
        """Return the last records, newest first."""
        rows = await self._db.fetch("last_records", {"records": records})
        return [decode_record(body) for (body,) in rows]

    async def read_tries(self, name: str) -> Tries:
        """Return the wrong PINs counted under a name."""
        rows = await self._db.fetch("read_tries", {"name": name})
        return Tries(failed=rows[0][0], locked_until_ms=rows[0][1]) if rows else Tries()

    async def keep_tries(self, name: str, tries: Tries) -> None:
        """Count wrong PINs under a name, durably."""
        await self._db.fetch(
            "put_tries", {"name": name, "failed": tries.failed, "locked_until_ms": tries.locked_until_ms}
        )

    async def read_between(self, after: int, upto: int) -> list[LoggedRecord]:
        """Return the records numbered above ``after`` up to and including ``upto``."""
        rows = await self._db.fetch("records_between", {"after": after, "upto": upto})
        return [LoggedRecord(gate_seq=seq, body=body, chain=chain) for seq, body, chain in rows]

    async def chain_at(self, gate_seq: int) -> bytes:
        """Return the chain's hash after a record; 32 zero bytes for number 0.

        Raises:
            DataDamaged: the record is missing.
        """
        if gate_seq == 0:
            return GENESIS
        rows = await self._db.fetch("chain_at", {"gate_seq": gate_seq})
        if not rows:
            raise DataDamaged(f"{self.path} lacks record {gate_seq}. {KIND.remedy}")
        return bytes(rows[0][0])

    async def mark_acked(self, upto: int) -> None:
        """Note how far the server has this log; no record is ever removed for it."""
        await self._db.fetch("set_acked", {"upto": upto})
        self.acked = upto

    async def count(self) -> list[LogCount]:
        """Return how many records the log holds, by kind, answer and direction."""
        rows = await self._db.fetch("count_scans")
        return [
            LogCount(kind=RecordKind(kind), admitted=bool(admitted), direction=Direction(way), scans=scans)
            for kind, admitted, way, scans in rows
        ]

    async def admitted_scans(self) -> set[ScanId]:
        """Return the ids of all records with which this log lets somebody pass or takes that back."""
        return {ScanId(UUID(bytes=scan)) for (scan,) in await self._db.fetch("admitted_scans")}

    async def ledger(self) -> list[ScanRecord]:
        """Return all records that say where somebody is, oldest first."""
        return [decode_record(body) for (body,) in await self._db.fetch("ledger")]

    async def recent_times_ms(self, since_ms: int) -> list[int]:
        """Return when the last scans happened, in milliseconds since 1970; at most a thousand of them."""
        return [row[0] for row in await self._db.fetch("recent_times", {"since_ms": since_ms})]

    async def close(self) -> None:
        """Close the file."""
        await self._db.close()


async def open_log(directory: Path, fresh: IncarnationId) -> ScanLog:
    """Open the log in a data directory, or begin one as incarnation ``fresh``.

    Raises:
        StoreDamaged, TooNew, StoreNotWritable: see ``open_database``; the file is never removed or changed.
    """
    database = await open_database(directory / LOG_NAME, KIND)
    try:
        await database.fetch("start_incarnation", {"incarnation": fresh.bytes})
        incarnation, acked = (await database.fetch("read_state"))[0]
    except BaseException:
        await database.close()
        raise
    return ScanLog(database, IncarnationId(UUID(bytes=incarnation)), acked)


def verify_records(records: list[LoggedRecord], previous: bytes = GENESIS) -> bool:
    """Say whether records are consecutive and each hash follows from the one before it."""
    expected = records[0].gate_seq if records else 0
    for record in records:
        previous = extend_chain(previous, record.body)
        if record.gate_seq != expected or record.chain != previous:
            return False
        expected += 1
    return True
