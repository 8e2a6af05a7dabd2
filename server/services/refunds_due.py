"""Money that goes back: asked for once, by whichever way a sale came to nothing, and listed for whoever pays it out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from msgspec import Struct

from server.domain.access import User
from server.services.context import Context
from server.services.domain_events import RefundPayload, request_refund
from server.services.events import find_event
from server.services.listing import Listed
from server.services.payments import PaymentState
from server.services.ports import Unit
from server.services.rows import Page
from server.services.rows_facts import PaymentRow
from server.services.rows_money import RefundRow, SaleRow
from shared.ids import EventId, OrderId, ReservationId, TicketId, uuid7


class RefundDue(Struct, frozen=True, kw_only=True, rename="camel"):
    """A sum to be given back: what one ticket cost, or all of a payment that bought nothing; and why."""

    id: UUID
    ticket_id: TicketId | None
    order_id: OrderId | None
    reservation_id: ReservationId | None
    event_id: EventId | None
    payment_id: str
    amount_cents: int
    currency: str
    reason: str
    at: datetime


async def return_sales(
    context: Context, tx: Unit, event: EventId, sales: Sequence[SaleRow], reason: str
) -> list[SaleRow]:
    """Ask for what tickets of an event cost to be given back, and return those for which that was not asked before."""
    new: list[SaleRow] = []
    orders: defaultdict[OrderId, list[SaleRow]] = defaultdict(list)
    for sale in sales:
        orders[sale.order].append(sale)
    for paid in orders.values():
        new += await _return_order(context, tx, event, paid, reason)
    return new


async def return_payment(context: Context, tx: Unit, paid: PaymentRow, event: EventId | None, reason: str) -> bool:
    """Ask for a whole payment that bought nothing to be given back; the caller has locked it. False: it was asked for before."""
    now = context.clock.now()
    # The payment buys nothing from now on, whoever names it.
    await tx.inbox.keep_payment(
        PaymentRow(
            payment_id=paid.payment_id,
            state=PaymentState.REFUNDED,
            amount_cents=paid.amount_cents,
            currency=paid.currency,
            reservation=paid.reservation,
            told_at=paid.told_at,
        ),
        now,
    )
    if paid.amount_cents == 0:
        return False
    row = RefundRow(
        id=uuid7(now, context.random_bytes),
        payment_id=paid.payment_id,
        ticket=None,
        event=event,
        order=None,
        reservation=paid.reservation if event is not None else None,
        amount_cents=paid.amount_cents,
        currency=paid.currency,
        reason=reason,
        at=now,
    )
    if not await tx.refunds.add([row]):
        return False
    refund = RefundPayload(
        payment_id=paid.payment_id,
        amount_cents=paid.amount_cents,
        currency=paid.currency,
        reason=reason,
        reservation_id=paid.reservation,
    )
    await request_refund(tx, refund, now)
    return True


async def list_refunds(context: Context, user: User, event_id: EventId | None, page: Page) -> Listed[RefundDue]:
    """Return what is to be given back, of one event or of all, the newest first.

    Raises:
        EventUnknown: none of this tenant's.
    """
    async with context.db.tenant(user.tenant) as tx:
        if event_id is not None:
            await find_event(tx, event_id)
        rows = await tx.refunds.list(event_id, Page(after=page.after, limit=page.limit + 1))
    shown = rows[: page.limit]
    items = [
        RefundDue(
            id=one.id,
            ticket_id=one.ticket,
            order_id=one.order,
            reservation_id=one.reservation,
            event_id=one.event,
            payment_id=one.payment_id,
            amount_cents=one.amount_cents,
            currency=one.currency,
            reason=one.reason,
            at=one.at,
        )
        for one in shown
    ]
    return Listed(items=items, next_after=shown[-1].id if len(rows) > page.limit else None)


async def _return_order(
    context: Context, tx: Unit, event: EventId, paid: Sequence[SaleRow], reason: str
) -> list[SaleRow]:
    now = context.clock.now()
    rows = {uuid7(now, context.random_bytes): one for one in paid}
    kept = await tx.refunds.add(
        [
            RefundRow(
                id=id_,
                payment_id=one.payment_id,
                ticket=one.ticket,
                event=event,
                order=one.order,
                reservation=None,
                amount_cents=one.amount_cents,
                currency=one.currency,
                reason=reason,
                at=now,
            )
            for id_, one in rows.items()
        ]
    )
    new = [one for id_, one in rows.items() if id_ in kept]
    if new:
        refund = RefundPayload(
            payment_id=new[0].payment_id,
            amount_cents=sum(one.amount_cents for one in new),
            currency=new[0].currency,
            reason=reason,
            order_id=new[0].order,
            ticket_ids=sorted(one.ticket for one in new),
        )
        await request_refund(tx, refund, now)
    return new
