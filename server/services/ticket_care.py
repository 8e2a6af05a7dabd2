"""Looking after single tickets: taking one back, locking and unlocking it, and making its code anew."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from msgspec import UNSET, Meta, Struct
from msgspec.structs import replace

from server.domain.names import read_name
from server.services.availability import forget_availability
from server.services.burn import request_burn
from server.services.classify import LOCK_SOURCE, UNLOCK_SOURCE
from server.services.context import Context
from server.services.ports import Unit
from server.services.problems import TicketUnknown
from server.services.refunds_due import return_sales
from server.services.rows import ActorRef, EventState, TicketRow
from server.services.seat_holding import free_again
from server.services.ticket_desk import OrganiserTicket, view_ticket
from server.services.transition import UNSEEN, Changes, Move, move_ticket
from shared.ids import TenantId, TicketId
from shared.tickets.lifecycle import RevocationReason, State, TransitionInvalid

REISSUE_SOURCE = "reissue"
API_SOURCE = "organiser"


class LockReason(StrEnum):
    """Why a ticket is locked."""

    FRAUD = "fraud"
    CHARGEBACK = "chargeback"
    DISPUTE = "dispute"
    LEGAL_HOLD = "legal_hold"


Why = Annotated[str, Meta(min_length=1, max_length=200, pattern=r"\S")]


class RevokeRequest(Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """Taking a ticket back: why, and whether what it cost is given back."""

    reason: RevocationReason
    refund: bool = False

    def __post_init__(self) -> None:
        """Refuse to give back what a bank took back already."""
        if self.refund and self.reason is RevocationReason.CHARGEBACK:
            raise ValueError("the bank has reversed this payment: there is nothing to give back")


class LockRequest(Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """Locking a ticket: why."""

    reason: LockReason


class UnlockRequest(Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """Unlocking a ticket: why."""

    reason: Why


class ReissueRequest(Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """Making a ticket's code anew: why, and whom it is for if that changes."""

    reason: Why
    holder_name: Annotated[str, Meta(max_length=500)] | None = None

    def __repr__(self) -> str:
        """Keep the holder's name out of logs."""
        return "ReissueRequest(...)"


class TicketLocked(TransitionInvalid):
    """The ticket is locked already, or is not."""

    code = "ticket_lock_unchanged"


class Caretaker(Struct, frozen=True, kw_only=True):
    """Who looks after a ticket, of whose tenant, and from where it is done."""

    tenant: TenantId
    actor: ActorRef
    source: str


async def revoke(
    context: Context, by: Caretaker, ticket_id: TicketId, reason: RevocationReason, *, refund: bool = False
) -> OrganiserTicket:
    """Take a ticket back for good; gates refuse it as soon as they hear of it. With ``refund`` its price goes back.

    Its place stays sold unless the event's rules say that the places of revoked tickets are sold again; that of somebody who
    was inside is never.

    Raises:
        TicketUnknown: none of this tenant's.
        TransitionInvalid: it is over already, or was nobody's.
    """
    async with context.db.tenant(by.tenant) as tx:
        ticket = await _lock(tx, ticket_id)
        move = Move(to=State.REVOKED, actor=by.actor, source=by.source, now=context.clock.now(), reason=str(reason))
        if refund:
            await return_sales(context, tx, ticket.event, await tx.refunds.sales([ticket.id]), str(reason))
        freed = await _frees_place(tx, ticket)
        view = await _finish(context, tx, ticket, move)
        if freed:
            types = await tx.stock.lock([ticket.ticket_type])
            await tx.stock.take_back(ticket.ticket_type, 1, restock=True)
            await free_again(context, tx, [ticket], types, move)
    if freed:
        await forget_availability(context, by.tenant, ticket.event)
    return view


async def lock(context: Context, by: Caretaker, ticket_id: TicketId, reason: LockReason) -> OrganiserTicket:
    """Lock a ticket: it stays its owner's, but lets nobody in and cannot be handed over.

    Raises:
        TicketUnknown: none of this tenant's.
        TicketLocked: it is locked.
        TransitionInvalid: it is over already, or was nobody's.
    """
    async with context.db.tenant(by.tenant) as tx:
        ticket = await _lock(tx, ticket_id)
        if ticket.locked is not None:
            raise TicketLocked(f"This ticket is locked already ({ticket.locked}).")
        changes = Changes(locked=str(reason))
        move = _stay(context, by, ticket, str(reason))
        return await _finish(context, tx, ticket, replace(move, source=LOCK_SOURCE, changes=changes))


async def unlock(context: Context, by: Caretaker, ticket_id: TicketId, reason: str) -> OrganiserTicket:
    """Free a locked ticket.

    Raises:
        TicketUnknown: none of this tenant's.
        TicketLocked: it is not locked.
    """
    async with context.db.tenant(by.tenant) as tx:
        ticket = await _lock(tx, ticket_id)
        if ticket.locked is None:
            raise TicketLocked("This ticket is not locked.")
        move = _stay(context, by, ticket, read_name(reason, 200, "reason"))
        return await _finish(context, tx, ticket, replace(move, source=UNLOCK_SOURCE, changes=Changes(locked=None)))


async def reissue(context: Context, by: Caretaker, ticket_id: TicketId, request: ReissueRequest) -> OrganiserTicket:
    """Give a ticket a new generation: every code made before is dead, also on paper, and an offer of it is taken back.

    Raises:
        TicketUnknown: none of this tenant's.
        TransitionInvalid: it is over already, or was nobody's.
        NameUnusable: of the holder's name.
    """
    async with context.db.tenant(by.tenant) as tx:
        return await reissue_in(context, tx, by, ticket_id, request)


async def reissue_in(
    context: Context, tx: Unit, by: Caretaker, ticket_id: TicketId, request: ReissueRequest
) -> OrganiserTicket:
    """Do the same inside a transaction that is open already."""
    ticket = await _lock(tx, ticket_id)
    name = request.holder_name
    holder = UNSET if name is None else read_name(name, 500, "holder's name") if name.strip() else ""
    move = replace(
        _stay(context, by, ticket, read_name(request.reason, 200, "reason")),
        source=REISSUE_SOURCE,
        new_generation=True,
        changes=Changes(holder_name=holder),
    )
    return await _finish(context, tx, ticket, move)


async def _frees_place(tx: Unit, ticket: TicketRow) -> bool:
    """Tell whether the place of a ticket that is revoked is sold again."""
    event = await tx.events.get(ticket.event)
    if event is None or event.state is not EventState.OPEN or not event.refund_rules.restock_revoked:
        return False
    return not (await tx.tickets.past(ticket.id)).entered


async def _lock(tx: Unit, ticket_id: TicketId) -> TicketRow:
    ticket = await tx.tickets.lock(ticket_id)
    if ticket is None:
        raise TicketUnknown("There is no such ticket.")
    if ticket.state in UNSEEN:
        raise TransitionInvalid("This seat is nobody's ticket yet.")
    return ticket


def _stay(context: Context, by: Caretaker, ticket: TicketRow, reason: str) -> Move:
    return Move(to=ticket.state, actor=by.actor, source=by.source, now=context.clock.now(), reason=reason, stays=True)


async def _finish(context: Context, tx: Unit, ticket: TicketRow, move: Move) -> OrganiserTicket:
    after = await move_ticket(tx, context.vault, ticket, move)
    if move.to is State.REVOKED and (await tx.tickets.past(ticket.id)).minted:
        await request_burn(tx, after, move.now)
    if move.new_generation or move.to is State.REVOKED:
        await tx.organising.end_offers([ticket.id], move.now)
    return await view_ticket(tx, after)
