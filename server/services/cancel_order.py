"""An order somebody else cancelled: its places go back on sale, its tickets are void, except where somebody is inside or was."""

from __future__ import annotations

from collections import Counter
from datetime import datetime

from server.services.burn import request_burn
from server.services.context import Context
from server.services.ports import Unit
from server.services.release import Ending, release
from server.services.rows import ActorRef, OrderRow, ReservationRow, ReservationState, TicketRow, TransferState
from server.services.seat_holding import free_again
from server.services.transition import Move, move_tickets
from shared.ids import TicketTypeId
from shared.problems import Internal
from shared.tickets.lifecycle import TRANSITIONS, Actor, State

SOURCE = "order_message"
REASON = "order_cancelled"


async def drop_reservation(tx: Unit, reservation: ReservationRow, reason: str, now: datetime) -> None:
    """Put the places of a locked, pending reservation back on sale."""
    actor = ActorRef(kind=Actor.SYSTEM, id=str(reservation.id))
    ending = Ending(state=ReservationState.CANCELLED, actor=actor, source=SOURCE, reason=reason, now=now)
    await release(tx, [reservation], ending)


async def cancel_order(context: Context, tx: Unit, order: OrderRow, now: datetime) -> int:
    """Void what can be voided of an order and put its places back on sale; return how many tickets that were.

    Who gives the money back is for whoever cancelled the order; the tickets of those who are inside or were stay as they are.
    """
    tickets = [one for one in await tx.inbox.lock_tickets(order.id) if await _can_be_void(tx, one)]
    if not tickets:
        return 0
    event = await tx.events.get(tickets[0].event)
    if event is None:
        raise Internal("A ticket's event cannot be found: the database is damaged.")
    counts: Counter[TicketTypeId] = Counter(one.ticket_type for one in tickets)
    types = await tx.stock.lock(sorted(counts))
    for ticket in tickets:
        await tx.transfers.end_pending(ticket.id, TransferState.CANCELLED, now)
    actor = ActorRef(kind=Actor.SYSTEM, id=str(order.id))
    void = Move(to=State.CANCELLED, actor=actor, source=SOURCE, now=now, reason=REASON)
    after = await move_tickets(tx, context.vault, tickets, types, void)
    for ticket_type, quantity in sorted(counts.items()):
        await tx.stock.take_back(ticket_type, quantity, restock=event.refund_rules.restock)
    if event.refund_rules.restock:
        await free_again(context, tx, after, types, void)
    for ticket in after:
        if (await tx.tickets.past(ticket.id)).minted:
            await request_burn(tx, ticket, now)
    return len(tickets)


async def _can_be_void(tx: Unit, ticket: TicketRow) -> bool:
    return State.CANCELLED in TRANSITIONS[ticket.state] and not (await tx.tickets.past(ticket.id)).entered
