"""The only way a stored ticket changes: checked, written once, remembered, and told to the gates, in one transaction."""

from __future__ import annotations

from datetime import datetime

from msgspec import UNSET, Struct, UnsetType
from msgspec.structs import replace

from server.services.feed_entries import ticket_entry, tombstone_entry
from server.services.keys import KeyVault, MasterSecrets
from server.services.ports import Unit
from server.services.problems import TicketChanged
from server.services.rows import ActorRef, HandleRow, HistoryRow, TicketRow, TicketTypeRow
from shared.codes.keys import derive_handle, hash_handle
from shared.ids import UserId
from shared.problems import Internal
from shared.sync.feed import FeedEntry
from shared.tickets.lifecycle import State, check_transition


class Changes(Struct, frozen=True, kw_only=True):
    """What else changes with a step; what is not given stays."""

    owner: UserId | UnsetType | None = UNSET
    holder_name: str | UnsetType = UNSET
    seat: str | UnsetType = UNSET
    locked: str | UnsetType | None = UNSET
    valid_from: datetime | UnsetType | None = UNSET
    valid_until: datetime | UnsetType | None = UNSET


class Move(Struct, frozen=True, kw_only=True):
    """One step of a ticket: where to, by whom, why, from where it was asked for, and when.

    ``new_generation`` kills every code made before.
    """

    to: State
    actor: ActorRef
    source: str
    now: datetime
    reason: str | None = None
    new_generation: bool = False
    changes: Changes = Changes()


async def move_ticket(tx: Unit, vault: KeyVault, ticket: TicketRow, move: Move) -> TicketRow:
    """Take one step of the state table with a ticket as it was read, and return it as it is now.

    Raises:
        TransitionInvalid, TransitionDenied: the state table forbids it, or this actor may not.
        TicketChanged: the ticket is not as it was read any more; read it again and decide anew.
    """
    check_transition(ticket.state, move.to, move.actor.kind, move.reason)
    masters = await vault.masters(tx)
    after = _apply(ticket, move, masters.newest if move.new_generation else ticket.master)
    if not await tx.tickets.step(ticket, after, move.now):
        raise TicketChanged("This ticket changed at the same moment: look at it again.")
    ticket_type = await tx.stock.get(ticket.ticket_type)
    if ticket_type is None:
        raise Internal("A ticket's type cannot be found: the database is damaged.")
    if move.new_generation:
        await add_handles(tx, masters, [after])
    await tx.tickets.add_history([_history(ticket.state, after, move)])
    await tx.outbox.append(ticket.event, _entries(masters, ticket, after, ticket_type))
    return after


async def issue_tickets(
    tx: Unit, vault: KeyVault, tickets: list[TicketRow], ticket_types: list[TicketTypeRow], move: Move
) -> list[TicketRow]:
    """Keep new tickets and take their first step together; ``move.to`` is where they end up.

    The tickets come in the state they are made in, version 1; their types are among ``ticket_types``. The same checks,
    history and feed entries as for a step of a single ticket, in a fixed number of statements.

    Raises:
        TransitionInvalid, TransitionDenied: the state table forbids the step.
    """
    by_id = {one.id: one for one in ticket_types}
    masters = await vault.masters(tx)
    for ticket in tickets:
        check_transition(ticket.state, move.to, move.actor.kind, move.reason)
    issued = [_apply(ticket, move, masters.newest) for ticket in tickets]
    await tx.tickets.add(issued)
    await add_handles(tx, masters, issued)
    made = [_history(None, ticket, move) for ticket in tickets]
    taken = [_history(before.state, after, move) for before, after in zip(tickets, issued, strict=True)]
    await tx.tickets.add_history(made + taken)
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
