"""Handing a ticket over: an offer to an e-mail address, accepted by the account that proves to own it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from msgspec import Meta, Struct

from server.domain.access import User
from server.domain.transfer import DAY, OFFER_LIFE, Offer, mask_email, normalise_email, refuse_offer
from server.services.codes import event_over
from server.services.context import Context
from server.services.idempotency import Answer, name_call, run_once
from server.services.ports import Unit
from server.services.problems import (
    RecipientUnproven,
    TicketUnknown,
    TransferForbidden,
    TransferOver,
    TransferUnknown,
)
from server.services.rows import ActorRef, TicketRow, TransferRow, TransferState
from server.services.transition import Changes, Move, move_ticket
from shared.ids import TicketId, TransferId, uuid7
from shared.problems import Internal
from shared.tickets.lifecycle import ADMISSIBLE, Actor, State


class TransferRequest(Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """To whom a ticket is offered, and a few words."""

    recipient_email: Annotated[str, Meta(min_length=3, max_length=254, pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$")]
    message: Annotated[str, Meta(max_length=500)] = ""

    def __repr__(self) -> str:
        """Keep the address out of logs."""
        return "TransferRequest(...)"


class Offered(Struct, frozen=True, kw_only=True, rename="camel"):
    """An offer as its sender sees it; of the address only the first letter and the domain."""

    transfer_id: TransferId
    ticket_id: TicketId
    status: TransferState
    recipient_email: str
    message: str
    created_at: datetime
    expires_at: datetime


class Accepted(Struct, frozen=True, kw_only=True, rename="camel"):
    """What the recipient has now."""

    transfer_id: TransferId
    ticket_id: TicketId
    status: TransferState


async def offer_ticket(
    context: Context, user: User, key: str | None, ticket_id: TicketId, request: TransferRequest
) -> Answer:
    """Offer a ticket to whoever proves to own an address; for 48 hours it can be accepted.

    Raises:
        TicketUnknown: none of this user's.
        TransferForbidden: this ticket or this user may not hand over now.
        TransferPending: the ticket is on offer already.
        KeyUnusable, KeyReused, CallInProgress: of the idempotency key.
    """
    call = name_call(user, "transfer", key, (ticket_id, request))
    now = context.clock.now()

    async def work(tx: Unit) -> Offered:
        ticket = await tx.tickets.lock(ticket_id)
        if ticket is None or ticket.owner != user.user:
            raise TicketUnknown("You have no such ticket.")
        recipient = normalise_email(request.recipient_email)
        if recipient == user.email:
            raise TransferForbidden("This is your own address.")
        await _check_offer(tx, user, ticket, now)
        transfer = TransferRow(
            tenant=tx.tenant,
            id=TransferId(uuid7(now, context.random_bytes)),
            ticket=ticket.id,
            from_user=user.user,
            recipient_email=recipient,
            message=request.message,
            state=TransferState.PENDING,
            to_user=None,
            expires_at=now + OFFER_LIFE,
            created_at=now,
        )
        await tx.transfers.add(transfer)
        return _as_offered(transfer)

    return await run_once(context.db, call, 201, work)


async def accept_ticket(context: Context, user: User, transfer_id: TransferId) -> Accepted:
    """Make the caller the owner of an offered ticket; every code made before is dead. Repeating it does no harm.

    Raises:
        TransferUnknown: no such offer.
        RecipientUnproven: the caller's verified address is not the offer's.
        TransferOver: the offer was answered, taken back, or is out of date.
        TransferForbidden: the ticket cannot change hands any more.
    """
    now = context.clock.now()
    async with context.db.tenant(user.tenant) as tx:
        transfer, ticket = await _lock_both(tx, transfer_id)
        if user.email is None or user.email != transfer.recipient_email:
            raise RecipientUnproven("This offer is for another address, or yours is not verified.")
        if transfer.state is TransferState.ACCEPTED and transfer.to_user == user.user:
            return _as_accepted(transfer)
        overdue = transfer.state is TransferState.PENDING and transfer.expires_at <= now
        if overdue:
            await tx.transfers.end(transfer, TransferState.EXPIRED, None, now)
        elif transfer.state is TransferState.PENDING:
            await _hand_over(context, tx, user, transfer, ticket)
            return _as_accepted(transfer)
    # Raised outside, so that an overdue offer stays marked.
    raise TransferOver(f"This offer is {TransferState.EXPIRED if overdue else transfer.state}: ask for a new one.")


async def _check_offer(tx: Unit, user: User, ticket: TicketRow, now: datetime) -> None:
    event = await tx.events.get(ticket.event)
    if event is None:
        raise Internal("A ticket's event cannot be found: the database is damaged.")
    await tx.transfers.end_overdue(ticket.id, now)
    offer = Offer(
        state=ticket.state,
        locked=ticket.locked is not None,
        handed_over=await tx.transfers.count_accepted(ticket.id),
        sent_today=await tx.transfers.count_sent(user.user, now - DAY),
        event_over=event_over(event),
    )
    refusal = refuse_offer(offer, now)
    if refusal is not None:
        raise TransferForbidden(refusal)


async def _lock_both(tx: Unit, transfer_id: TransferId) -> tuple[TransferRow, TicketRow]:
    """Lock the ticket before the offer, as making an offer does, so that the two never wait for each other."""
    seen = await tx.transfers.get(transfer_id)
    ticket = None if seen is None else await tx.tickets.lock(seen.ticket)
    transfer = None if ticket is None else await tx.transfers.lock(transfer_id)
    if ticket is None or transfer is None:
        raise TransferUnknown("There is no such offer.")
    return transfer, ticket


async def _hand_over(context: Context, tx: Unit, user: User, transfer: TransferRow, ticket: TicketRow) -> None:
    now = context.clock.now()
    if ticket.owner != transfer.from_user or ticket.locked is not None or ticket.state not in ADMISSIBLE:
        raise TransferForbidden("This ticket cannot change hands any more: ask the sender.")
    await tx.transfers.end(transfer, TransferState.ACCEPTED, user.user, now)
    move = Move(
        to=State.TRANSFERRED,
        actor=ActorRef(kind=Actor.HOLDER, id=str(user.user)),
        source="transfer",
        now=now,
        new_generation=True,
        changes=Changes(owner=user.user, holder_name=""),
    )
    await move_ticket(tx, context.vault, ticket, move)


def _as_offered(transfer: TransferRow) -> Offered:
    return Offered(
        transfer_id=transfer.id,
        ticket_id=transfer.ticket,
        status=transfer.state,
        recipient_email=mask_email(transfer.recipient_email),
        message=transfer.message,
        created_at=transfer.created_at,
        expires_at=transfer.expires_at,
    )


def _as_accepted(transfer: TransferRow) -> Accepted:
    return Accepted(transfer_id=transfer.id, ticket_id=transfer.ticket, status=TransferState.ACCEPTED)
