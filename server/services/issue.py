"""Tickets that nobody bought here: given away or sold at the box office, with stock moved in the same transaction."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

from msgspec import Meta, Struct
from msgspec.structs import replace

from server.domain.access import User
from server.domain.names import read_name
from server.domain.nft import first_state
from server.services.context import Context
from server.services.events import lock_going_event
from server.services.idempotency import Answer, name_call, run_once
from server.services.ports import Unit
from server.services.problems import NotEnoughLeft, TicketTypeUnknown
from server.services.problems_organiser import NotSeated, SeatNotFree
from server.services.rows import ActorRef, TicketRow, TicketTypeRow
from server.services.transition import Move, issue_tickets, sell_seats
from shared.ids import EventId, TicketId, TicketTypeId, UserId, uuid7
from shared.tickets.lifecycle import Actor, State

SOURCE = "issue"

HolderName = Annotated[str, Meta(max_length=500)]
IssueReason = Annotated[str, Meta(min_length=1, max_length=200, pattern=r"\S")]


class IssueLine(Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """One ticket; of a seated type the free seat's id, as the list of seats tells it."""

    ticket_type_id: TicketTypeId
    holder_name: HolderName = ""
    owner_id: UserId | None = None
    seat_id: TicketId | None = None

    def __repr__(self) -> str:
        """Keep the holder's name out of logs."""
        return f"IssueLine(ticket_type_id={self.ticket_type_id})"


class IssueRequest(Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """Up to a hundred tickets, and why they are issued."""

    tickets: Annotated[list[IssueLine], Meta(min_length=1, max_length=100)]
    reason: IssueReason


class IssuedTicket(Struct, frozen=True, kw_only=True, rename="camel"):
    """One ticket that was issued."""

    ticket_id: TicketId
    ticket_type_id: TicketTypeId
    seat: str


class Issued(Struct, frozen=True, kw_only=True, rename="camel"):
    """What was issued, in the order asked for."""

    event_id: EventId
    tickets: list[IssuedTicket]


async def issue(context: Context, user: User, key: str | None, event: EventId, request: IssueRequest) -> Answer:
    """Make tickets, all or none.

    Raises:
        EventUnknown, EventStateWrong: of the event.
        TicketTypeUnknown, NotSeated, SeatNotFree, NotEnoughLeft: of a line.
        NameUnusable: of a holder's name.
        KeyUnusable, KeyReused, CallInProgress: of the idempotency key.
    """
    call = name_call(user, f"issue/{event}", key, request)
    order = _Order(event=event, lines=request.tickets, reason=read_name(request.reason, 200, "reason"), user=user)
    return await run_once(context.db, call, 201, lambda tx: _issue(context, tx, order))


class _Order(Struct, frozen=True, kw_only=True):
    event: EventId
    lines: Sequence[IssueLine]
    reason: str
    user: User


async def _issue(context: Context, tx: Unit, order: _Order) -> Issued:
    now = context.clock.now()
    event = await lock_going_event(tx, order.event)
    wanted = Counter(line.ticket_type_id for line in order.lines)
    types = {one.id: one for one in await tx.stock.lock(sorted(wanted)) if one.event == order.event}
    for line in order.lines:
        _check_line(line, types.get(line.ticket_type_id))
    for ticket_type, quantity in wanted.items():
        row = types[ticket_type]
        if row.available < quantity:
            raise NotEnoughLeft(f"Of '{row.name}' only {row.available} are left.")
        await tx.organising.sell_free(ticket_type, quantity)
    actor = ActorRef(kind=Actor.ORGANISER, id=str(order.user.user))
    sold = Move(to=State.SOLD, actor=actor, source=SOURCE, now=now, reason=order.reason)
    active = replace(sold, to=first_state(event.nft), actor=ActorRef(kind=Actor.SYSTEM, id=str(order.user.user)))
    seats = await _lock_seats(tx, order)
    fresh = [_ticket(context, order, line, now) for line in order.lines if line.seat_id is None]
    issued = await issue_tickets(tx, context.vault, fresh, list(types.values()), active) if fresh else []
    if seats:
        issued += await sell_seats(tx, context.vault, seats, list(types.values()), (sold, active))
    return _as_answer(order, issued)


def _check_line(line: IssueLine, row: TicketTypeRow | None) -> None:
    if row is None:
        raise TicketTypeUnknown("The event sells no such ticket type.")
    if row.seated and line.seat_id is None:
        raise NotSeated(f"Tickets of '{row.name}' have seats: name a free one in `seatId`.")
    if not row.seated and line.seat_id is not None:
        raise NotSeated(f"Tickets of '{row.name}' have no seats: leave `seatId` out.")


async def _lock_seats(tx: Unit, order: _Order) -> list[TicketRow]:
    """Return the seats asked for, already bearing what they are to say; the step from free to sold writes it."""
    lines = {line.seat_id: line for line in order.lines if line.seat_id is not None}
    if not lines:
        return []
    if len(lines) != sum(line.seat_id is not None for line in order.lines):
        raise SeatNotFree("A seat is named twice.")
    # Only free ones: whoever ends a ticket locks it before its type, which is locked here already.
    found = await tx.tickets.lock_free(sorted(lines))
    free = [one for one in found if one.event == order.event and one.ticket_type == lines[one.id].ticket_type_id]
    if len(free) != len(lines):
        raise SeatNotFree("One of the seats does not exist, is of another ticket type, or is somebody's.")
    return [replace(one, holder_name=_holder(lines[one.id]), owner=lines[one.id].owner_id) for one in free]


def _ticket(context: Context, order: _Order, line: IssueLine, now: datetime) -> TicketRow:
    return TicketRow(
        tenant=order.user.tenant,
        id=TicketId(uuid7(now, context.random_bytes)),
        event=order.event,
        ticket_type=line.ticket_type_id,
        order=None,
        owner=line.owner_id,
        holder_name=_holder(line),
        seat="",
        state=State.SOLD,
        generation=0,
        version=1,
        locked=None,
        valid_from=None,
        valid_until=None,
    )


def _holder(line: IssueLine) -> str:
    return read_name(line.holder_name, 500, "holder's name") if line.holder_name.strip() else ""


def _as_answer(order: _Order, issued: Sequence[TicketRow]) -> Issued:
    by_id = {one.id: one for one in issued}
    others = iter([one for one in issued if one.id not in {line.seat_id for line in order.lines}])
    in_order = [by_id[line.seat_id] if line.seat_id is not None else next(others) for line in order.lines]
    return Issued(
        event_id=order.event,
        tickets=[IssuedTicket(ticket_id=one.id, ticket_type_id=one.ticket_type, seat=one.seat) for one in in_order],
    )
