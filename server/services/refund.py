"""Giving a ticket back: it is dead at once, its place may be sold again, and the money is asked to be returned."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from msgspec import Struct

from server.domain.access import User
from server.domain.refund import Obstacle, Return, refuse_return
from server.services.availability import forget_availability
from server.services.burn import request_burn
from server.services.context import Context
from server.services.idempotency import Answer, name_call, run_once
from server.services.ports import Unit
from server.services.problems import TicketUnknown
from server.services.problems_attendee import RefundNotAllowed, RefundTooLate, TicketLocked, TicketNotRefundable
from server.services.refunds_due import return_sales
from server.services.rows import ActorRef, EventRow, TicketRow, TransferState
from server.services.rows_attendee import Past, Sale
from server.services.seat_holding import free_again
from server.services.transition import Move, move_tickets
from shared.ids import EventId, TicketId
from shared.problems import Internal, TicketTokenError
from shared.tickets.lifecycle import Actor, State

SOURCE = "refund"
REASON = "refund_requested"

_PROBLEMS: dict[Obstacle, type[TicketTokenError]] = {
    Obstacle.LOCKED: TicketLocked,
    Obstacle.STATE: TicketNotRefundable,
    Obstacle.USED: TicketNotRefundable,
    Obstacle.FORBIDDEN: RefundNotAllowed,
    Obstacle.LATE: RefundTooLate,
}

REFUND_PROBLEMS: tuple[type[TicketTokenError], ...] = tuple(dict.fromkeys(_PROBLEMS.values()))
"""Why a ticket is not taken back."""


class Money(StrEnum):
    """What becomes of what was paid."""

    REQUESTED = "refund_requested"
    NONE = "nothing_paid"


class Refunded(Struct, frozen=True, kw_only=True, rename="camel"):
    """A ticket that was given back, and the cents that go back the way they came, to whoever paid them."""

    ticket_id: TicketId
    event_id: EventId
    status: State
    amount_cents: int
    currency: str | None
    payment_status: Money
    refunded_at: datetime


async def refund_ticket(context: Context, user: User, key: str | None, ticket_id: TicketId) -> Answer:
    """Take one of the caller's tickets back. An offer of it to somebody else ends with it.

    Raises:
        TicketUnknown: none of this user's.
        One of REFUND_PROBLEMS: this ticket is not taken back now.
        KeyUnusable, KeyReused, CallInProgress: of the idempotency key.
    """
    call = name_call(user, "refund", key, ticket_id)
    now = context.clock.now()
    freed: list[EventId] = []

    async def work(tx: Unit) -> Refunded:
        ticket = await tx.tickets.lock(ticket_id)
        if ticket is None or ticket.owner != user.user:
            raise TicketUnknown("You have no such ticket.")
        event = await tx.events.get(ticket.event)
        if event is None:
            raise Internal("A ticket's event cannot be found: the database is damaged.")
        past = await tx.tickets.past(ticket.id)
        _check(ticket, event, past, now)
        freed.append(event.id)
        after, sale = await _take_back(context, tx, user, ticket, event)
        if past.minted:
            await request_burn(tx, after, now)
        return await _ask_for_money(context, tx, after, sale)

    answer = await run_once(context.db, call, 200, work)
    for one in freed:
        await forget_availability(context, user.tenant, one)
    return answer


def _check(ticket: TicketRow, event: EventRow, past: Past, now: datetime) -> None:
    wish = Return(
        state=ticket.state,
        locked=ticket.locked is not None,
        entered=past.entered,
        starts=event.policy.window.starts,
        rules=event.refund_rules,
    )
    refusal = refuse_return(wish, now)
    if refusal is not None:
        raise _PROBLEMS[refusal.obstacle](refusal.text)


async def _take_back(
    context: Context, tx: Unit, user: User, ticket: TicketRow, event: EventRow
) -> tuple[TicketRow, Sale | None]:
    """Make the ticket refunded and return it with what was paid for it."""
    now = context.clock.now()
    sale = await tx.orders.sale_of(ticket)
    await tx.transfers.end_pending(ticket.id, TransferState.CANCELLED, now)
    move = Move(to=State.REFUNDED, actor=ActorRef(kind=Actor.HOLDER, id=str(user.user)), source=SOURCE, now=now)
    types = await tx.stock.lock([ticket.ticket_type])
    (after,) = await move_tickets(tx, context.vault, [ticket], types, move)
    restock = event.refund_rules.restock
    await tx.stock.take_back(ticket.ticket_type, 1, restock=restock)
    if restock:
        await free_again(context, tx, [after], types, move)
    return after, sale


async def _ask_for_money(context: Context, tx: Unit, ticket: TicketRow, sale: Sale | None) -> Refunded:
    now = context.clock.now()
    if sale is None or sale.payment_id is None or sale.amount_cents == 0:
        return _as_answer(ticket, None, now)
    await return_sales(context, tx, ticket.event, await tx.refunds.sales([ticket.id]), REASON)
    return _as_answer(ticket, sale, now)


def _as_answer(ticket: TicketRow, sale: Sale | None, now: datetime) -> Refunded:
    return Refunded(
        ticket_id=ticket.id,
        event_id=ticket.event,
        status=ticket.state,
        amount_cents=sale.amount_cents if sale is not None else 0,
        currency=sale.currency if sale is not None else None,
        payment_status=Money.REQUESTED if sale is not None else Money.NONE,
        refunded_at=now,
    )
