"""The only way a stored ticket changes: checked, written once, remembered, and told to the gates, in one transaction."""

from __future__ import annotations

from datetime import datetime

from msgspec import UNSET, Struct, UnsetType
from msgspec.structs import replace

from server.services.domain_events import Step, tell_steps
from server.services.feed_entries import ticket_entry, tombstone_entry
from server.services.keys import KeyVault, MasterSecrets
from server.services.nft_wishes import wish_assets
from server.services.ports import Unit
from server.services.problems import TicketChanged
from server.services.rows import ActorRef, HandleRow, HistoryRow, TicketRow, TicketTypeRow
from shared.codes.keys import derive_handle, hash_handle
from shared.ids import OrderId, UserId
from shared.problems import Internal
from shared.sync.feed import FeedEntry
from shared.tickets.lifecycle import TERMINAL, State, TransitionInvalid, check_transition

UNSEEN = frozenset({State.AVAILABLE, State.RESERVED})
"""States of seats nobody has: no code can be made of them, so they have no handle and gates are not told of them."""


class Changes(Struct, frozen=True, kw_only=True):
    """What else changes with a step; what is not given stays."""

    order: OrderId | UnsetType | None = UNSET
    owner: UserId | UnsetType | None = UNSET
    holder_name: str | UnsetType = UNSET
    seat: str | UnsetType = UNSET
    locked: str | UnsetType | None = UNSET
    valid_from: datetime | UnsetType | None = UNSET
    valid_until: datetime | UnsetType | None = UNSET


class Move(Struct, frozen=True, kw_only=True):
    """One step of a ticket: where to, by whom, why, from where it was asked for, and when.

    ``new_generation`` kills every code made before. With ``stays`` it is no step of the state table: ``to`` is the state the
    ticket has, which is not one of its ends, and only what else is given changes.
    """

    to: State
    actor: ActorRef
    source: str
    now: datetime
    reason: str | None = None
    new_generation: bool = False
    stays: bool = False
    changes: Changes = Changes()


async def move_ticket(tx: Unit, vault: KeyVault, ticket: TicketRow, move: Move) -> TicketRow:
    """Take one step of the state table with a ticket as it was read, and return it as it is now.

    Raises:
        TransitionInvalid, TransitionDenied: the state table forbids it, or this actor may not.
        TicketChanged: the ticket is not as it was read any more; read it again and decide anew.
    """
    ticket_type = await tx.stock.get(ticket.ticket_type)
    if ticket_type is None:
        raise Internal("A ticket's type cannot be found: the database is damaged.")
    (after,) = await move_tickets(tx, vault, [ticket], [ticket_type], move)
    return after


async def move_tickets(
    tx: Unit, vault: KeyVault, tickets: list[TicketRow], ticket_types: list[TicketTypeRow], move: Move
) -> list[TicketRow]:
    """Take the same step with several tickets of one event, all or none, in a fixed number of statements.

    Their types are among ``ticket_types``. Returns them as they are now, in the order given.

    Raises:
        TransitionInvalid, TransitionDenied: the state table forbids it, or this actor may not.
        TicketChanged: one of them is not as it was read any more.
    """
    return await move_known(tx, await vault.masters(tx), tickets, ticket_types, move)


async def move_known(
    tx: Unit, masters: MasterSecrets, tickets: list[TicketRow], ticket_types: list[TicketTypeRow], move: Move
) -> list[TicketRow]:
    """Do the same for whoever has the masters already."""
    after = await _take(tx, masters, tickets, move)
    await _tell(tx, masters, tickets, after, ticket_types)
    return after


async def move_seats(tx: Unit, seats: list[TicketRow], move: Move) -> None:
    """Take a step between a free and a held seat, of which gates never hear.

    Raises:
        TransitionInvalid, TransitionDenied: the state table forbids it, or this actor may not.
        TicketChanged: one of them is not as it was read any more.
    """
    if move.to not in UNSEEN:
        raise Internal("A seat that becomes somebody's ticket needs a handle: it is sold, not moved.")
    if seats:
        await _take(tx, None, seats, move)


async def sell_seats(
    tx: Unit, vault: KeyVault, seats: list[TicketRow], ticket_types: list[TicketTypeRow], moves: tuple[Move, Move]
) -> list[TicketRow]:
    """Take the two steps from a held seat to somebody's ticket, or the first if it ends there; gates hear of what it is then.

    Raises:
        TransitionInvalid, TransitionDenied: the state table forbids it, or this actor may not.
        TicketChanged: one of them is not as it was read any more.
    """
    masters = await vault.masters(tx)
    sold = await _take(tx, masters, seats, moves[0])
    issued = sold if moves[1].to is State.SOLD else await _take(tx, masters, sold, moves[1])
    await _tell(tx, masters, sold, issued, ticket_types)
    return issued


async def add_seats(tx: Unit, seats: list[TicketRow], move: Move) -> None:
    """Keep new seats that nobody has yet (state available, version 1); gates learn of one when it is somebody's ticket."""
    await tx.tickets.add(seats)
    await tx.tickets.add_history([_history(None, seat, move) for seat in seats])
    await tell_steps(tx, [_step(None, seat, move) for seat in seats])


async def issue_tickets(
    tx: Unit, vault: KeyVault, tickets: list[TicketRow], ticket_types: list[TicketTypeRow], move: Move
) -> list[TicketRow]:
    """Keep new tickets and take their first step together; ``move.to`` is where they end up.

    The tickets come sold, version 1; their types are among ``ticket_types``. Where they stay so for now, being sold is the
    step. The same checks, history and feed entries as for a step of a single ticket, in a fixed number of statements.

    Raises:
        TransitionInvalid, TransitionDenied: the state table forbids the step.
    """
    by_id = {one.id: one for one in ticket_types}
    masters = await vault.masters(tx)
    if move.to is State.SOLD:
        tickets = [replace(one, state=State.AVAILABLE) for one in tickets]
    for ticket in tickets:
        check_transition(ticket.state, move.to, move.actor.kind, move.reason)
    issued = [_apply(ticket, move, masters.newest) for ticket in tickets]
    await tx.tickets.add(issued)
    await add_handles(tx, masters, issued)
    made = [_history(None, ticket, move) for ticket in tickets]
    taken = [_history(before.state, after, move) for before, after in zip(tickets, issued, strict=True)]
    await tx.tickets.add_history(made + taken)
    steps = [replace(_step(old, new, move), made=True) for old, new in zip(tickets, issued, strict=True)]
    await tell_steps(tx, steps)
    await wish_assets(tx, [(None, one) for one in issued], move.now)
    if issued:
        master = masters.of(masters.newest)
        await tx.outbox.append(issued[0].event, [ticket_entry(master, one, by_id[one.ticket_type]) for one in issued])
    return issued


async def add_handles(tx: Unit, masters: MasterSecrets, tickets: list[TicketRow]) -> None:
    """Keep under which hashes gates will know these tickets' present generations."""
    rows = [
        HandleRow(
            event=ticket.event,
            handle_hash=hash_handle(derive_handle(masters.of(ticket.master), ticket.id, ticket.generation)),
            ticket=ticket.id,
            generation=ticket.generation,
            master=ticket.master,
        )
        for ticket in tickets
    ]
    await tx.tickets.add_handles(rows)


async def _take(tx: Unit, masters: MasterSecrets | None, tickets: list[TicketRow], move: Move) -> list[TicketRow]:
    """Check, write and remember a step, and keep the handles of what gets a new one."""
    for ticket in tickets:
        _check(ticket, move)
    after = [
        _apply(one, move, masters.newest if masters and _gets_handle(one, move) else one.master) for one in tickets
    ]
    if await tx.tickets.step_all(tickets, after, move.now) != len(tickets):
        raise TicketChanged("This ticket changed at the same moment: look at it again.")
    fresh = [new for old, new in zip(tickets, after, strict=True) if _gets_handle(old, move)]
    if masters is not None and fresh:
        await add_handles(tx, masters, fresh)
    await tx.tickets.add_history([_history(old.state, new, move) for old, new in zip(tickets, after, strict=True)])
    await tell_steps(tx, [_step(old, new, move) for old, new in zip(tickets, after, strict=True)])
    await wish_assets(tx, list(zip(tickets, after, strict=True)), move.now)
    return after


def _check(ticket: TicketRow, move: Move) -> None:
    if not move.stays:
        check_transition(ticket.state, move.to, move.actor.kind, move.reason)
    elif ticket.state is not move.to or ticket.state in TERMINAL:
        raise TransitionInvalid(f"A ticket that is {ticket.state} stays as it is for good.")


def _gets_handle(ticket: TicketRow, move: Move) -> bool:
    return move.new_generation or (ticket.state in UNSEEN and move.to not in UNSEEN)


async def _tell(
    tx: Unit, masters: MasterSecrets, before: list[TicketRow], after: list[TicketRow], types: list[TicketTypeRow]
) -> None:
    by_id = {one.id: one for one in types}
    entries = [
        entry
        for old, new in zip(before, after, strict=True)
        if new.state not in UNSEEN
        for entry in _entries(masters, old, new, by_id[new.ticket_type])
    ]
    if entries:
        await tx.outbox.append(after[0].event, entries)


def _apply(ticket: TicketRow, move: Move, master: int) -> TicketRow:
    given = {
        name: value for name in move.changes.__struct_fields__ if (value := getattr(move.changes, name)) is not UNSET
    }
    return replace(
        ticket,
        state=move.to,
        version=ticket.version + 1,
        generation=ticket.generation + move.new_generation,
        master=master,
        **given,
    )


def _step(before: TicketRow | None, after: TicketRow, move: Move) -> Step:
    return Step(
        before=before,
        after=after,
        actor_kind=move.actor.kind,
        actor_id=move.actor.id,
        reason=move.reason,
        source=move.source,
        at=move.now,
    )


def _history(before: State | None, after: TicketRow, move: Move) -> HistoryRow:
    return HistoryRow(
        ticket=after.id,
        version=after.version,
        from_state=before,
        to_state=after.state,
        generation=after.generation,
        actor=move.actor,
        reason=move.reason,
        source=move.source,
        at=move.now,
    )


def _entries(
    masters: MasterSecrets, before: TicketRow, after: TicketRow, ticket_type: TicketTypeRow
) -> list[FeedEntry]:
    entry = ticket_entry(masters.of(after.master), after, ticket_type)
    if after.generation == before.generation:
        return [entry]
    # The dead generation first: whoever stops between the two refuses the old code rather than taking it.
    return [tombstone_entry(masters.of(before.master), before, after.version), entry]
