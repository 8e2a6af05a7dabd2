"""The seats of a file of tickets: taken in portions, each of which keeps a sale waiting for moments only.

Until all are taken somebody else may be quicker with one of them; then everything the file took is given back, in portions too, and
it is refused. Which rows have theirs is kept with the file, so that whoever goes on after an interruption knows.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from msgspec.structs import replace

from server.services.context import Context
from server.services.import_apply import SOURCE, note_faults, system_of
from server.services.ports import Unit
from server.services.rows import TicketRow
from server.services.rows_organiser import ImportFault, ImportRow, ImportState
from server.services.transition import Move, move_seats
from shared.ids import TenantId
from shared.tickets.lifecycle import State

SEATS_AT_ONCE = 100


async def hold_some(context: Context, tenant: TenantId, import_id: UUID, *, batch: int = SEATS_AT_ONCE) -> bool:
    """Take the next seats for a file, or find that one of them is somebody's; return False when nothing was to be done."""
    now = context.clock.now()
    async with context.db.tenant(tenant) as tx:
        row = await tx.imports.take(import_id)
        if row is None or row.state is not ImportState.HOLDING:
            return False
        labels = await tx.imports.seat_labels(row.id, row.held, batch)
        if not labels:
            await tx.imports.write(replace(row, state=ImportState.APPLYING, updated_at=now))
            return True
        await _lock_types(tx, row)
        seats = await tx.imports.lock_seats(row.event, list(labels.values()), State.AVAILABLE)
        if len(seats) < len(labels):
            await _give_up(tx, row, labels, seats, now)
            return True
        await _move(tx, row, seats, State.RESERVED, now)
        await tx.imports.write(replace(row, held=max(labels), updated_at=now))
    return True


async def release_some(context: Context, tenant: TenantId, import_id: UUID, *, batch: int = SEATS_AT_ONCE) -> bool:
    """Give the next seats of a file back, or refuse it once all are; return False when nothing was to be done."""
    now = context.clock.now()
    async with context.db.tenant(tenant) as tx:
        row = await tx.imports.take(import_id)
        if row is None or row.state is not ImportState.RELEASING:
            return False
        labels = await tx.imports.held_labels(row.id, row.held, batch)
        if labels:
            await _lock_types(tx, row)
            seats = await tx.imports.lock_seats(row.event, list(labels.values()), State.RESERVED)
            await _move(tx, row, seats, State.AVAILABLE, now)
            await tx.imports.write(replace(row, held=min(labels) - 1, updated_at=now))
            return True
        wanted = await tx.imports.wanted(row.id)
        for one in await tx.stock.lock(sorted(wanted)):
            if not one.seated:
                await tx.organising.sell_free(one.id, -wanted[one.id])
        await tx.imports.drop_rows(row.id)
        await tx.imports.write(replace(row, state=ImportState.REFUSED, held=0, updated_at=now, finished_at=now))
    return True


async def _lock_types(tx: Unit, row: ImportRow) -> None:
    """Lock what everybody locks before seats."""
    await tx.stock.lock(sorted(one.id for one in await tx.stock.of_event(row.event) if one.seated))


async def _move(tx: Unit, row: ImportRow, seats: list[TicketRow], to: State, now: datetime) -> None:
    await move_seats(tx, seats, Move(to=to, actor=system_of(row), source=SOURCE, now=now))
    # In the counters a seat of a file is sold from the start: it is nobody's reservation that could run out.
    sign = 1 if to is State.RESERVED else -1
    for ticket_type, quantity in sorted(Counter(one.ticket_type for one in seats).items()):
        await tx.organising.sell_free(ticket_type, sign * quantity)


async def _give_up(tx: Unit, row: ImportRow, labels: Mapping[int, str], free: list[TicketRow], now: datetime) -> None:
    there = {one.seat for one in free}
    message = "The seat became somebody's while the file was taking its seats."
    faults = [
        ImportFault(n=n, field="seat", code="seat_not_free", message=message)
        for n, label in labels.items()
        if label not in there
    ]
    await note_faults(tx, row, faults)
    await tx.imports.write(replace(row, state=ImportState.RELEASING, faults=row.faults + len(faults), updated_at=now))
