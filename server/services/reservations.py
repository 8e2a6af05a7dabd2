"""Looking at what one holds, and letting go of it."""

from __future__ import annotations

from msgspec.structs import replace

from server.domain.access import User
from server.services.availability import forget_availability
from server.services.context import Context
from server.services.ports import Unit
from server.services.problems import ReservationSpent, ReservationUnknown
from server.services.release import Ending, release, release_expired
from server.services.reservation_view import Reserved, view_reservation
from server.services.rows import ActorRef, ReservationRow, ReservationState
from shared.ids import ReservationId
from shared.tickets.lifecycle import Actor

SOURCE = "release"


async def read_reservation(context: Context, user: User, reservation_id: ReservationId) -> Reserved:
    """Return one of the caller's reservations; one whose time is over is let go at once.

    Raises:
        ReservationUnknown: none of theirs.
    """
    now = context.clock.now()
    async with context.db.tenant(user.tenant) as tx:
        reservation = await tx.orders.get_reservation(reservation_id)
        if reservation is None or reservation.user != user.user:
            raise ReservationUnknown("You have no such reservation.")
        if reservation.state is ReservationState.PENDING and reservation.expires_at <= now:
            await release_expired(tx, reservation.event, now, set())
            # Whoever is at work on it now ends it in the same way: it is over for its holder.
            reservation = replace(reservation, state=ReservationState.EXPIRED)
        return await _view(tx, reservation)


async def release_reservation(context: Context, user: User, reservation_id: ReservationId) -> Reserved:
    """Put what one of the caller's reservations holds back on sale. Repeating it does no harm.

    Raises:
        ReservationUnknown: none of theirs.
        ReservationSpent: it was bought; its tickets may be given back instead.
    """
    now = context.clock.now()
    async with context.db.tenant(user.tenant) as tx:
        reservation = await tx.orders.lock_reservation(reservation_id)
        if reservation is None or reservation.user != user.user:
            raise ReservationUnknown("You have no such reservation.")
        if reservation.state is ReservationState.CONFIRMED:
            raise ReservationSpent("This reservation was bought already: its tickets may be given back instead.")
        if reservation.state is ReservationState.PENDING:
            over = reservation.expires_at <= now
            state = ReservationState.EXPIRED if over else ReservationState.CANCELLED
            actor = ActorRef(kind=Actor.HOLDER, id=str(user.user))
            reason = "expired" if over else "cancelled"
            await release(tx, [reservation], Ending(state=state, actor=actor, source=SOURCE, reason=reason, now=now))
            reservation = replace(reservation, state=state)
        view = await _view(tx, reservation)
    await forget_availability(context, user.tenant, view.event_id)
    return view


async def _view(tx: Unit, reservation: ReservationRow) -> Reserved:
    lines = [line for _, line in await tx.orders.lines([reservation.id])]
    return view_reservation(reservation, lines, await tx.orders.seats_of(reservation.id))
