"""The transfers somebody has made and been offered, each side with what that side may know."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from msgspec import Struct

from server.domain.access import User
from server.domain.transfer import mask_email
from server.services.context import Context
from server.services.listing import Listed
from server.services.rows import Page, TransferState
from server.services.rows_attendee import TOP, ListedTransfer, TransferSearch
from shared.ids import EventId, TicketId, TransferId


class Direction(StrEnum):
    """Which side of a transfer somebody is on."""

    SENT = "sent"
    RECEIVED = "received"


class SentTransfer(Struct, frozen=True, kw_only=True, rename="camel", tag_field="direction", tag="sent"):
    """A transfer as its sender sees it; of the address only the first letter and the domain."""

    id: TransferId
    ticket_id: TicketId
    event_id: EventId
    event_name: str
    ticket_type_name: str
    status: TransferState
    recipient_email: str
    message: str
    created_at: datetime
    expires_at: datetime
    ended_at: datetime | None


class ReceivedTransfer(Struct, frozen=True, kw_only=True, rename="camel", tag_field="direction", tag="received"):
    """A transfer as its recipient sees it: nothing of who sent it but what they wrote."""

    id: TransferId
    ticket_id: TicketId
    event_id: EventId
    event_name: str
    ticket_type_name: str
    status: TransferState
    message: str
    created_at: datetime
    expires_at: datetime
    ended_at: datetime | None


async def list_transfers(
    context: Context, user: User, direction: Direction | None, page: Page
) -> Listed[SentTransfer | ReceivedTransfer]:
    """Return the caller's transfers, newest first; offers are found by the caller's verified address."""
    now = context.clock.now()
    search = TransferSearch(user=user.user, email=user.email, below=page.after or TOP, limit=page.limit + 1)
    found: list[SentTransfer | ReceivedTransfer] = []
    async with context.db.tenant(user.tenant) as tx:
        if direction is not Direction.RECEIVED:
            found += [_view_sent(one, now) for one in await tx.transfers.sent(search)]
        if direction is not Direction.SENT:
            found += [_view_received(one, now) for one in await tx.transfers.received(search)]
    found.sort(key=lambda one: one.id, reverse=True)
    shown = found[: page.limit]
    return Listed(items=shown, next_after=shown[-1].id if len(found) > page.limit else None)


def _view_sent(row: ListedTransfer, now: datetime) -> SentTransfer:
    return SentTransfer(
        id=row.id,
        ticket_id=row.ticket,
        event_id=row.event,
        event_name=row.event_name,
        ticket_type_name=row.ticket_type_name,
        status=_status(row, now),
        recipient_email=mask_email(row.recipient_email),
        message=row.message,
        created_at=row.created_at,
        expires_at=row.expires_at,
        ended_at=row.ended_at,
    )


def _view_received(row: ListedTransfer, now: datetime) -> ReceivedTransfer:
    return ReceivedTransfer(
        id=row.id,
        ticket_id=row.ticket,
        event_id=row.event,
        event_name=row.event_name,
        ticket_type_name=row.ticket_type_name,
        status=_status(row, now),
        message=row.message,
        created_at=row.created_at,
        expires_at=row.expires_at,
        ended_at=row.ended_at,
    )


def _status(row: ListedTransfer, now: datetime) -> TransferState:
    overdue = row.state is TransferState.PENDING and row.expires_at <= now
    return TransferState.EXPIRED if overdue else row.state
