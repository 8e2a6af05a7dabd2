"""What a cancelled event owes: each paid ticket with the payment it came from."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from server.domain.access import User
from server.services.context import Context
from server.services.events import find_event
from server.services.listing import Listed
from server.services.rows import Page
from shared.ids import EventId, OrderId, TicketId


class RefundDue(Struct, frozen=True, kw_only=True, rename="camel"):
    """One ticket's price, and by which payment it was paid."""

    ticket_id: TicketId
    order_id: OrderId
    payment_id: str
    amount_cents: int
    currency: str
    at: datetime


async def list_refunds(context: Context, user: User, event_id: EventId, page: Page) -> Listed[RefundDue]:
    """Return what a cancelled event owes for its tickets; nothing for an event that was not cancelled.

    Raises:
        EventUnknown: none of this tenant's.
    """
    async with context.db.tenant(user.tenant) as tx:
        await find_event(tx, event_id)
        rows = await tx.endings.sales(event_id, Page(after=page.after, limit=page.limit + 1))
    shown = rows[: page.limit]
    items = [
        RefundDue(
            ticket_id=one.ticket,
            order_id=OrderId(one.order),
            payment_id=one.payment_id,
            amount_cents=one.amount_cents,
            currency=one.currency,
            at=one.at,
        )
        for one in shown
    ]
    return Listed(items=items, next_after=shown[-1].ticket if len(rows) > page.limit else None)
