"""The gates' logs in PostgreSQL, what a batch needs to know of the tickets in it, and the sums."""

from __future__ import annotations

from collections.abc import Sequence

import asyncpg
import msgspec

from server.db.driver import Connection, read_optional, read_row
from server.db.statements import load_statements
from server.services.rows import HandleRow, TicketRow, TicketTypeRow
from server.services.rows_gates import GateTally, LockedTicket, LogRow, ScanRow, StepRow, StoredAdmission, Tally
from shared.ids import EventId, GateId, IncarnationId, ScanId, TicketId
from shared.problems import Internal
from shared.sync.scan import GENESIS

_SQL = load_statements("scan.sql")
_TICKET_COLUMNS = 15
"""So many columns of `lock_tickets` are the ticket's, the others its type's."""
_FRESH = LogRow(acked=0, chain=GENESIS)


class ScanStore:
    """Implements ``server.services.ports_gates.Scans``."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def lock_log(self, gate: GateId, incarnation: IncarnationId) -> LogRow:
        """Return how far a log was taken, and lock it."""
        row = await self._connection.fetchrow(_SQL["lock_log"], gate, incarnation)
        if row is None:  # only the first time: every batch and every check-in comes through here
            await self._connection.execute(_SQL["make_log"], gate, incarnation, GENESIS)
            row = await self._fetch_one("lock_log", gate, incarnation)
        return read_row(row, LogRow)

    async def read_log(self, gate: GateId, incarnation: IncarnationId) -> LogRow:
        """Return how far a log was taken."""
        row = await self._connection.fetchrow(_SQL["read_log"], gate, incarnation)
        return read_optional(row, LogRow) or _FRESH

    async def advance_log(self, gate: GateId, incarnation: IncarnationId, log: LogRow) -> None:
        """Move a locked log on."""
        await self._connection.execute(_SQL["advance_log"], gate, incarnation, log.acked, log.chain)

    async def chain_at(self, gate: GateId, incarnation: IncarnationId, gate_seq: int) -> bytes | None:
        """Return the chain's hash after a stored record."""
        chain: bytes | None = await self._connection.fetchval(_SQL["chain_at"], gate, incarnation, gate_seq)
        return chain

    async def match(self, event: EventId, hashes: Sequence[bytes]) -> list[HandleRow]:
        """Return which tickets and generations these hashes stand for."""
        rows = await self._connection.fetch(_SQL["match"], event, hashes)
        return [read_row(row, HandleRow) for row in rows]

    async def lock_tickets(self, tickets: Sequence[TicketId]) -> list[LockedTicket]:
        """Return tickets with their types and lock the tickets."""
        rows = await self._connection.fetch(_SQL["lock_tickets"], tickets)
        return [_read_locked(row) for row in rows]

    async def admissions(self, tickets: Sequence[TicketId]) -> list[StoredAdmission]:
        """Return all stored admissions of these tickets."""
        rows = await self._connection.fetch(_SQL["admissions"], tickets)
        return [read_row(row, StoredAdmission) for row in rows]

    async def steps(self, tickets: Sequence[TicketId]) -> list[StepRow]:
        """Return the histories of these tickets."""
        return [read_row(row, StepRow) for row in await self._connection.fetch(_SQL["steps"], tickets)]

    async def add(self, scan: ScanRow) -> bool:
        """Keep a record unless another one has the same scan id."""
        return await self._connection.fetchval(_SQL["add"], *_scan_values(scan)) is not None

    async def known_scans(self, scans: Sequence[ScanId]) -> set[ScanId]:
        """Return which of these ids are taken."""
        rows = await self._connection.fetch(_SQL["known_scans"], scans)
        return {ScanId(row["scan_id"]) for row in rows}

    async def add_all(self, scans: Sequence[ScanRow]) -> int:
        """Keep records in one statement, but for those whose scan id is taken; return how many were kept."""
        columns = zip(*(_scan_values(scan) for scan in scans), strict=True)
        status: str = await self._connection.execute(_SQL["add_all"], *(list(column) for column in columns))
        return int(status.rpartition(" ")[2])

    async def list_of_event(self, event: EventId, after: ScanId | None, limit: int) -> list[ScanRow]:
        """Return an event's scans, newest first."""
        rows = await self._connection.fetch(_SQL["list_of_event"], event, after, limit)
        return [read_row(row, ScanRow) for row in rows]

    async def tally(self, event: EventId) -> Tally:
        """Return the sums of an event."""
        return read_row(await self._fetch_one("tally", event), Tally)

    async def tally_gates(self, event: EventId) -> list[GateTally]:
        """Return the sums by gate."""
        return [read_row(row, GateTally) for row in await self._connection.fetch(_SQL["tally_gates"], event)]

    async def tally_refusals(self, event: EventId) -> dict[str, int]:
        """Return how many scans were refused, by reason."""
        rows = await self._connection.fetch(_SQL["tally_refusals"], event)
        return {row["reason"]: row["scans"] for row in rows}

    async def _fetch_one(self, statement: str, *values: object) -> asyncpg.Record:
        row = await self._connection.fetchrow(_SQL[statement], *values)
        if row is None:
            raise Internal(f"the statement {statement} returned no row")
        return row


def _read_locked(row: asyncpg.Record) -> LockedTicket:
    columns = list(row.items())
    ticket = dict(columns[:_TICKET_COLUMNS])
    kind = {name.removeprefix("y_"): value for name, value in columns[_TICKET_COLUMNS:]}
    return LockedTicket(ticket=msgspec.convert(ticket, TicketRow), ticket_type=msgspec.convert(kind, TicketTypeRow))


def _scan_values(scan: ScanRow) -> tuple[object, ...]:
    # in the order of the statement's parameters, which is the order of the struct's fields
    return tuple(getattr(scan, name) for name in ScanRow.__struct_fields__)
