"""Taking a file of tickets in: received into a temporary file, checked row by row, and kept until it is applied."""

from __future__ import annotations

import asyncio
import io
import tempfile
from collections.abc import AsyncIterator
from datetime import datetime
from typing import BinaryIO
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from server.domain.access import User
from server.domain.import_file import Kind, Kinds, index_kinds
from server.services.context import Context
from server.services.events import lock_going_event
from server.services.import_apply import begin_import, refuse_import
from server.services.import_reader import ImportReader, NumberedFault, NumberedRow, Portion
from server.services.problems_organiser import FileTooLarge, ImportUnknown
from server.services.rows_organiser import ImportFault, ImportRow, ImportState, StagedTicket
from shared.ids import EventId, TenantId, TicketTypeId, UserId, uuid7

MOST_BYTES = 32 * 1024 * 1024
FAULTS_KEPT = 100
_IN_MEMORY = 1024 * 1024


class FaultView(Struct, frozen=True, kw_only=True, rename="camel"):
    """What is wrong with one field of one row; the header is row 1."""

    row: int
    field: str
    code: str
    message: str


class ImportView(Struct, frozen=True, kw_only=True, rename="camel"):
    """A file of tickets and how far it is.

    ``rows`` were received, ``known`` of them are tickets already, ``applied`` have become some, ``faults`` cannot be used; of
    these the first hundred are in ``errors``. With a single fault the whole file is refused, and nothing of it is applied.
    """

    id: UUID
    event_id: EventId
    state: ImportState
    rows: int
    known: int
    applied: int
    faults: int
    errors: list[FaultView]
    created_at: datetime
    finished_at: datetime | None


async def receive_import(context: Context, user: User, event: EventId, chunks: AsyncIterator[bytes]) -> ImportView:
    """Receive and check a file, and begin to apply it if every row of it can be used.

    Raises:
        EventUnknown, EventStateWrong: of the event.
        FileTooLarge: it has more bytes or rows than are taken at once.
        FileUnusable: it is no table of tickets.
    """
    kinds = await _read_kinds(context, user.tenant, event)
    # Collected first: however slowly a file comes, no transaction waits for it.
    with tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY) as file:
        await _collect(file, chunks)  # type: ignore[arg-type]  # a binary file in all but its class
        text = io.TextIOWrapper(file, encoding="utf-8-sig", errors="surrogateescape", newline="")
        reader = await asyncio.to_thread(ImportReader, file, text, kinds)  # type: ignore[arg-type]
        row = await _begin(context, user, event)
        row = await _stage_all(context, user.tenant, row, reader)
    if row.faults:
        await refuse_import(context, user.tenant, row.id)
    else:
        await begin_import(context, user.tenant, row.id)
    return await read_import(context, user.tenant, row.id)


async def read_import(context: Context, tenant: TenantId, import_id: UUID) -> ImportView:
    """Return how far a file is.

    Raises:
        ImportUnknown: none of this tenant's.
    """
    async with context.db.tenant(tenant) as tx:
        row = await tx.imports.get(import_id)
        if row is None:
            raise ImportUnknown("There is no such import.")
        faults = await tx.imports.faults(import_id, FAULTS_KEPT)
    return ImportView(
        id=row.id,
        event_id=row.event,
        state=row.state,
        rows=row.received,
        known=row.known,
        applied=row.applied,
        faults=row.faults,
        errors=[FaultView(row=one.n, field=one.field, code=one.code, message=one.message) for one in faults],
        created_at=row.created_at,
        finished_at=row.finished_at,
    )


async def _read_kinds(context: Context, tenant: TenantId, event: EventId) -> Kinds:
    async with context.db.tenant(tenant) as tx:
        await lock_going_event(tx, event)
        types = await tx.stock.of_event(event)
    return index_kinds([Kind(id=one.id, name=one.name, product=one.product, seated=one.seated) for one in types])


async def _collect(file: BinaryIO, chunks: AsyncIterator[bytes]) -> None:
    size = 0
    async for chunk in chunks:
        size += len(chunk)
        if size > MOST_BYTES:
            raise FileTooLarge(f"A file has at most {MOST_BYTES // 1024 // 1024} MB: cut it into several.")
        await asyncio.to_thread(file.write, chunk)


async def _begin(context: Context, user: User, event: EventId) -> ImportRow:
    now = context.clock.now()
    row = ImportRow(
        id=uuid7(now, context.random_bytes),
        event=event,
        state=ImportState.RECEIVING,
        actor_id=str(user.user),
        received=0,
        known=0,
        applied=0,
        faults=0,
        created_at=now,
        updated_at=now,
        finished_at=None,
    )
    async with context.db.tenant(user.tenant) as tx:
        await tx.imports.add(row)
    return row


async def _stage_all(context: Context, tenant: TenantId, row: ImportRow, reader: ImportReader) -> ImportRow:
    try:
        while (portion := await asyncio.to_thread(reader.read)) is not None:
            row = await _stage(context, tenant, row, portion)
    except FileTooLarge:
        await refuse_import(context, tenant, row.id)
        raise
    staged = replace(row, state=ImportState.STAGED, updated_at=context.clock.now())
    async with context.db.tenant(tenant) as tx:
        await tx.imports.write(staged)
    return staged


async def _stage(context: Context, tenant: TenantId, row: ImportRow, portion: Portion) -> ImportRow:
    faults = [_fault(one) for one in portion.faults]
    room = max(0, FAULTS_KEPT - row.faults)
    after = replace(
        row,
        received=row.received + portion.count,
        faults=row.faults + len({one.n for one in faults}),
        updated_at=context.clock.now(),
    )
    async with context.db.tenant(tenant) as tx:
        # Once the file is known to be refused its rows are of no use; the faults are.
        if not after.faults and portion.rows:
            await tx.imports.stage(row.id, [_staged(one) for one in portion.rows])
        if faults and room:
            await tx.imports.add_faults(row.id, faults[:room])
        await tx.imports.write(after)
    return after


def _fault(one: NumberedFault) -> ImportFault:
    return ImportFault(n=one.n, field=one.fault.field, code=one.fault.code, message=one.fault.message)


def _staged(one: NumberedRow) -> StagedTicket:
    return StagedTicket(
        n=one.n,
        external_id=one.row.external_id,
        ticket_type=TicketTypeId(one.row.kind.id),
        holder_name=one.row.holder_name,
        seat=one.row.seat,
        owner=None if one.row.owner is None else UserId(one.row.owner),
        valid_from=one.row.valid_from,
        valid_until=one.row.valid_until,
    )
