"""Letting go of what reservations hold: places and seats are on sale again at once, whoever ended the reservation."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from datetime import datetime

from msgspec import Struct

from server.services.domain_events import tell_released
from server.services.ports import Unit
from server.services.rows import ActorRef, ReservationRow, ReservationState, TicketTypeRow
from server.services.transition import Move, move_seats
from shared.ids import EventId, TicketTypeId
from shared.tickets.lifecycle import Actor, State

EXPIRY = ActorRef(kind=Actor.SYSTEM, id="expiry")
_EXPIRED_AT_ONCE = 50


class Ending(Struct, frozen=True, kw_only=True):
    """How reservations end: in which state, by whom, from where it was asked for, and why as other programs are told.

    With ``seats_stay`` their seats are not on sale again: whoever ends the event ends them as well.
    """

    state: ReservationState
    actor: ActorRef
    source: str
    reason: str
    now: datetime
    seats_stay: bool = False


async def release_expired(tx: Unit, event: EventId, now: datetime, also: set[TicketTypeId]) -> list[TicketTypeRow]:
    """Put places of overdue reservations back on sale; return the locked ticket types, those of ``also`` among them.

    Locking all types at once and in one order is what keeps buyers from waiting for each other in a circle.
    """
    overdue = await tx.orders.lock_expired(event, now, _EXPIRED_AT_ONCE)
    return await release(tx, overdue, _expiry(now), also)


async def release_overdue(tx: Unit, event: EventId, now: datetime) -> bool:
    """Put places of overdue reservations back on sale; return whether there may be more of them."""
    overdue = await tx.orders.lock_expired(event, now, _EXPIRED_AT_ONCE)
    await release(tx, overdue, _expiry(now))
    return len(overdue) == _EXPIRED_AT_ONCE


async def release(
    tx: Unit, reservations: Sequence[ReservationRow], ending: Ending, also: Collection[TicketTypeId] = ()
) -> list[TicketTypeRow]:
    """End locked pending reservations and put what they hold back on sale; return the locked ticket types of ``also``."""
    ids = [one.id for one in reservations]
    freed: Counter[TicketTypeId] = Counter()
    for _, line in await tx.orders.lines(ids) if ids else []:
        freed[line.ticket_type] += line.quantity
    locked = await tx.stock.lock(sorted({*also, *freed}))
    if not ids:
        return locked
    if not ending.seats_stay:
        back = Move(to=State.AVAILABLE, actor=ending.actor, source=ending.source, now=ending.now)
        await move_seats(tx, await tx.orders.seats(ids), back)
    for ticket_type, quantity in freed.items():
        await tx.stock.release(ticket_type, quantity)
    for reservation in ids:
        await tx.orders.set_state(reservation, ending.state)
    await tell_released(tx, reservations, ending.reason, ending.now)
    return await tx.stock.lock(sorted(also))


def _expiry(now: datetime) -> Ending:
    return Ending(state=ReservationState.EXPIRED, actor=EXPIRY, source="expiry", reason="expired", now=now)
