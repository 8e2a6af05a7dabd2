"""Handing a ticket over: an offer to an e-mail address, accepted by the account that proves to own it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated

from msgspec import Meta, Struct

from server.domain.access import User
from server.domain.transfer import mask_email, normalise_email
from server.services.context import Context
from server.services.idempotency import Answer, name_call, run_once
from server.services.ports import Unit
from server.services.problems import (
    RecipientUnproven,
    TicketUnknown,
    TransferOver,
    TransferUnknown,
)
from server.services.problems_attendee import TicketNotTransferable, TransferToSelf
from server.services.rows import ActorRef, TicketRow, TransferRow, TransferState
from server.services.transfer_checks import check_change, check_offer
from server.services.transition import Changes, Move, move_ticket
from shared.ids import TicketId, TransferId, uuid7
from shared.tickets.lifecycle import Actor, State


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


class Answered(Struct, frozen=True, kw_only=True, rename="camel"):
    """An offer that nobody can take any more."""

    transfer_id: TransferId
    status: TransferState


class Accepted(Struct, frozen=True, kw_only=True, rename="camel"):
    """What the recipient has now."""

    transfer_id: TransferId
    ticket_id: TicketId
    status: TransferState


async def offer_ticket(
    context: Context, user: User, key: str | None, ticket_id: TicketId, request: TransferRequest
) -> Answer:
    """Offer a ticket to whoever proves to own an address; for as long as the event's rules say it can be accepted.

    Raises:
        TicketUnknown: none of this user's.
        TransferToSelf: the address is the sender's own.
        One of OFFER_PROBLEMS: this ticket or this user may not hand over now.
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
            raise TransferToSelf("This is your own address.")
        await tx.transfers.end_overdue(ticket.id, now)
        rules = await check_offer(tx, user, ticket, now)
        transfer = TransferRow(
            tenant=tx.tenant,
            id=TransferId(uuid7(now, context.random_bytes)),
            ticket=ticket.id,
            from_user=user.user,
            recipient_email=recipient,
            message=request.message,
            state=TransferState.PENDING,
            to_user=None,
            expires_at=now + timedelta(seconds=rules.life_s),
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
        One of CHANGE_PROBLEMS: the ticket cannot change hands now.
    """
    now = context.clock.now()
    async with context.db.tenant(user.tenant) as tx:
        transfer, ticket = await _lock_both(tx, transfer_id)
        _check_recipient(user, transfer)
        if transfer.state is TransferState.ACCEPTED and transfer.to_user == user.user:
            return _as_accepted(transfer)
        over = await _find_over(tx, transfer, now)
        if over is None:
            await _hand_over(context, tx, user, transfer, ticket)
            return _as_accepted(transfer)
    # Raised outside, so that an overdue offer stays marked.
    raise TransferOver(f"This offer is {over}: ask for a new one.")


async def reject_offer(context: Context, user: User, transfer_id: TransferId) -> Answered:
    """Turn an offer down; the ticket stays with its sender. Repeating it does no harm.

    Raises:
        TransferUnknown: no such offer.
        RecipientUnproven: the caller's verified address is not the offer's.
        TransferOver: the offer was accepted, taken back, or is out of date.
    """
    now = context.clock.now()
    async with context.db.tenant(user.tenant) as tx:
        transfer, _ = await _lock_both(tx, transfer_id)
        _check_recipient(user, transfer)
        over = await _end(tx, transfer, TransferState.REJECTED, now)
    if over is not None:
        raise TransferOver(f"This offer is {over}: there is nothing to turn down.")
    return _as_answered(transfer, TransferState.REJECTED)


async def cancel_offer(context: Context, user: User, transfer_id: TransferId) -> Answered:
    """Take an offer back. Repeating it does no harm.

    Raises:
        TransferUnknown: no such offer of this user's.
        TransferOver: the offer was accepted, turned down, or is out of date.
    """
    now = context.clock.now()
    async with context.db.tenant(user.tenant) as tx:
        transfer, _ = await _lock_both(tx, transfer_id)
        if transfer.from_user != user.user:
            raise TransferUnknown("There is no such offer.")
        over = await _end(tx, transfer, TransferState.CANCELLED, now)
    if over is not None:
        raise TransferOver(f"This offer is {over}: there is nothing to take back.")
    return _as_answered(transfer, TransferState.CANCELLED)


def _check_recipient(user: User, transfer: TransferRow) -> None:
    if user.email is None or user.email != transfer.recipient_email:
        raise RecipientUnproven("This offer is for another address, or yours is not verified.")


async def _find_over(tx: Unit, transfer: TransferRow, now: datetime) -> TransferState | None:
    """Return as what a locked offer has ended, and mark it if only its time is over; None while it stands."""
    if transfer.state is not TransferState.PENDING:
        return transfer.state
    if transfer.expires_at > now:
        return None
    await tx.transfers.end(transfer, TransferState.EXPIRED, None, now)
    return TransferState.EXPIRED


async def _end(tx: Unit, transfer: TransferRow, state: TransferState, now: datetime) -> TransferState | None:
    """End a locked offer in this state; return as what it has ended otherwise."""
    over = await _find_over(tx, transfer, now)
    if over is None:
        await tx.transfers.end(transfer, state, None, now)
    return None if over is state else over


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
    if ticket.owner != transfer.from_user:
        raise TicketNotTransferable("This ticket is not the sender's any more.")
    await check_change(tx, ticket, now)
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


def _as_answered(transfer: TransferRow, state: TransferState) -> Answered:
    return Answered(transfer_id=transfer.id, status=state)
