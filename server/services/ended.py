"""What became of each ticket when its event ended."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from server.domain.access import User
from server.services.context import Context
from server.services.listing import Listed
from server.services.problems_organiser import EndingUnknown
from server.services.rows import Page
from server.services.rows_organiser import EndedRow
from shared.ids import EventId, TicketId, TicketTypeId, UserId
from shared.tickets.lifecycle import State


class Repayment(Struct, frozen=True, kw_only=True, rename="camel"):
    """What is paid back for a ticket, and by which payment it was paid."""

    payment_id: str
    amount_cents: int
    currency: str


class EndedTicket(Struct, frozen=True, kw_only=True, rename="camel"):
    """A ticket that ended with its event; ``refund`` is null where nothing is to be paid back."""

    ticket_id: TicketId
    ticket_type_id: TicketTypeId
    seat: str
    owner_id: UserId | None
    previous_status: State
    status: State
    at: datetime
    refund: Repayment | None


async def list_ended(context: Context, user: User, event: EventId, page: Page) -> Listed[EndedTicket]:
    """Return the tickets that an event's end has reached so far.

    Raises:
        EndingUnknown: it was neither closed nor cancelled, or is none of this tenant's.
    """
    async with context.db.tenant(user.tenant) as tx:
        ending = await tx.endings.get(event)
        if ending is None:
            raise EndingUnknown("This event was neither closed nor cancelled.")
        rows = await tx.endings.ended(event, ending.source, Page(after=page.after, limit=page.limit + 1))
    shown = rows[: page.limit]
    return Listed(items=[_view(one) for one in shown], next_after=shown[-1].ticket if len(rows) > page.limit else None)


def _view(row: EndedRow) -> EndedTicket:
    refund = None
    if row.payment_id is not None and row.amount_cents is not None and row.currency is not None:
        refund = Repayment(payment_id=row.payment_id, amount_cents=row.amount_cents, currency=row.currency)
    return EndedTicket(
        ticket_id=row.ticket,
        ticket_type_id=row.ticket_type,
        seat=row.seat,
        owner_id=row.owner,
        previous_status=row.was,
        status=row.state,
        at=row.at,
        refund=refund,
    )
