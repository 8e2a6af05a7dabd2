"""Applying a file of tickets: checked against what is there, paid out of the stock at once, then made in portions.

Once a file is being applied nothing can be in the way of its rows any more: their stock is sold to it, its seats are held for
it. So it ends complete, whoever has to go on after an interruption. How its seats are taken is in `import_seats`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from msgspec.structs import replace

from server.domain.nft import NftMode, first_state
from server.services.context import Context
from server.services.ports import Unit
from server.services.rows import ActorRef, EventState, TicketRow, TicketTypeRow
from server.services.rows_organiser import ImportedTicket, ImportFault, ImportRow, ImportState, StagedTicket
from server.services.transition import Move, issue_tickets, sell_seats
from shared.ids import EventId, TenantId, TicketId, TicketTypeId, uuid7
from shared.tickets.lifecycle import Actor, State

BATCH = 100
"""How many tickets are made at once: making them keeps a process busy that others want answers from."""
SOURCE = "import"
_FAULTS_KEPT = 100
_HEADER = 1


async def begin_import(context: Context, tenant: TenantId, import_id: UUID) -> bool:
    """Check a staged file and begin to apply it, or refuse it; return False if it has to wait.

    That is the case while another file of the same event is being applied, and while somebody else is at work on this one.
    What takes long is looked at before any row is locked that a sale needs.
    """
    now = context.clock.now()
    async with context.db.tenant(tenant) as tx:
        row = await tx.imports.take(import_id)
        if row is None or row.state is not ImportState.STAGED or await tx.imports.is_applying(row.event):
            return False
        row = replace(row, known=row.known + await tx.imports.drop_known(row.id, row.event), updated_at=now)
        await tx.imports.write(row)
        wanted = await tx.imports.wanted(row.id)
        faults = await _find_faults(tx, row)
        if faults:
            await _refuse(tx, row, faults, now)
            return True
    async with context.db.tenant(tenant) as tx:
        again = await tx.imports.take(import_id)
        if again is None or again.state is not ImportState.STAGED:
            return False
        return await _take_stock(tx, again, wanted, now)


async def _take_stock(tx: Unit, row: ImportRow, wanted: Mapping[TicketTypeId, int], now: datetime) -> bool:
    """Sell a file the places it counts; those with seats are taken seat by seat afterwards."""
    event = await tx.events.lock(row.event)
    if await tx.imports.is_applying(row.event):
        return False
    types = await tx.stock.lock(sorted(wanted))
    faults = [fault for one in types for fault in _check_stock(one, wanted[one.id])]
    if event is None or event.state not in {EventState.DRAFT, EventState.OPEN}:
        faults.append(ImportFault(n=_HEADER, field="", code="event_over", message="The event is over."))
    if faults:
        await _refuse(tx, row, faults, now)
        return True
    for one in types:
        if not one.seated:
            await tx.organising.sell_free(one.id, wanted[one.id])
    state = ImportState.HOLDING if any(one.seated for one in types) else ImportState.APPLYING
    await tx.imports.write(replace(row, state=state, updated_at=now))
    return True


async def step_import(context: Context, tenant: TenantId, import_id: UUID, *, batch: int = BATCH) -> bool:
    """Make the next tickets of a file that was begun; return False when nothing is left to do here."""
    now = context.clock.now()
    async with context.db.tenant(tenant) as tx:
        row = await tx.imports.take(import_id)
        if row is None or row.state is not ImportState.APPLYING:
            return False
        staged = await tx.imports.next_rows(row.id, batch)
        if not staged:
            await tx.imports.write(replace(row, state=ImportState.DONE, updated_at=now, finished_at=now))
            return False
        made = await _make(context, tx, row, staged)
        await tx.imports.finish_rows(row.id, [one.n for one in staged], made)
        await tx.imports.write(replace(row, applied=row.applied + len(staged), updated_at=now))
    return True


async def refuse_import(context: Context, tenant: TenantId, import_id: UUID) -> None:
    """Refuse a file that was not begun, whatever its faults are; one that was interrupted while it came as well."""
    async with context.db.tenant(tenant) as tx:
        row = await tx.imports.take(import_id)
        if row is None or row.state not in {ImportState.RECEIVING, ImportState.STAGED}:
            return
        faults = []
        if not row.faults:
            message = "The file did not arrive as a whole, or is too large: send it again."
            faults = [ImportFault(n=_HEADER, field="", code="incomplete", message=message)]
        await _refuse(tx, row, faults, context.clock.now())


async def _refuse(tx: Unit, row: ImportRow, faults: Sequence[ImportFault], now: datetime) -> None:
    await note_faults(tx, row, faults)
    await tx.imports.drop_rows(row.id)
    count = row.faults + len({one.n for one in faults})
    await tx.imports.write(replace(row, state=ImportState.REFUSED, faults=count, updated_at=now, finished_at=now))


async def note_faults(tx: Unit, row: ImportRow, faults: Sequence[ImportFault]) -> None:
    """Keep the first of what is wrong with a file."""
    if faults:
        await tx.imports.add_faults(row.id, faults[:_FAULTS_KEPT])


async def _find_faults(tx: Unit, row: ImportRow) -> list[ImportFault]:
    checks = (
        (await tx.imports.repeated_names(row.id), "external_id", "repeated", "An earlier row has this name."),
        (await tx.imports.repeated_seats(row.id), "seat", "repeated", "An earlier row has this seat."),
        (
            await tx.imports.seats_not_free(row.id, row.event),
            "seat",
            "seat_not_free",
            "The seat does not exist, is of another ticket type, or is somebody's.",
        ),
    )
    return [
        ImportFault(n=n, field=field, code=code, message=message)
        for numbers, field, code, message in checks
        for n in numbers
    ]


def _check_stock(row: TicketTypeRow, quantity: int) -> list[ImportFault]:
    if row.available >= quantity:
        return []
    message = f"Of '{row.name}' {quantity} are asked for and {row.available} are left."
    return [ImportFault(n=_HEADER, field="ticket_type", code="not_enough_left", message=message)]


async def _make(context: Context, tx: Unit, row: ImportRow, staged: Sequence[StagedTicket]) -> list[ImportedTicket]:
    """Make the tickets of some rows and return which row has become which."""
    now = context.clock.now()
    types = await tx.stock.of_event(row.event)
    seated = {one.id for one in types if one.seated}
    standing = await tx.events.hold_standing(row.event)
    first = first_state(standing.nft if standing is not None else NftMode.OFF)
    active = Move(to=first, actor=system_of(row), source=SOURCE, now=now)
    by_seat = {one.seat: one for one in staged if one.ticket_type in seated}
    made = [
        (one, _ticket(tx.tenant, row.event, one, TicketId(uuid7(now, context.random_bytes))))
        for one in staged
        if one.ticket_type not in seated
    ]
    if made:
        await issue_tickets(tx, context.vault, [ticket for _, ticket in made], types, active)
    if by_seat:
        held = await tx.imports.lock_seats(row.event, list(by_seat), State.RESERVED)
        # What the rows say is written by the step from held to sold.
        seats = [_bear(ticket, by_seat[ticket.seat]) for ticket in held]
        await sell_seats(tx, context.vault, seats, types, (replace(active, to=State.SOLD), active))
        made += [(by_seat[ticket.seat], ticket) for ticket in seats]
    return [
        ImportedTicket(event=row.event, external_id=one.external_id, ticket=ticket.id, import_id=row.id)
        for one, ticket in made
    ]


def _ticket(tenant: TenantId, event: EventId, staged: StagedTicket, ticket: TicketId) -> TicketRow:
    return TicketRow(
        tenant=tenant,
        id=ticket,
        event=event,
        ticket_type=staged.ticket_type,
        order=None,
        owner=staged.owner,
        holder_name=staged.holder_name,
        seat=staged.seat,
        state=State.SOLD,
        generation=0,
        version=1,
        locked=None,
        valid_from=staged.valid_from,
        valid_until=staged.valid_until,
    )


def _bear(ticket: TicketRow, staged: StagedTicket) -> TicketRow:
    return replace(
        ticket,
        holder_name=staged.holder_name,
        owner=staged.owner,
        valid_from=staged.valid_from,
        valid_until=staged.valid_until,
    )


def system_of(row: ImportRow) -> ActorRef:
    """Return by whose word a file is applied."""
    return ActorRef(kind=Actor.SYSTEM, id=row.actor_id)
