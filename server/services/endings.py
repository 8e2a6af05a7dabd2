"""The end of an event: closed when it is over, or cancelled. Sales stop at once, the tickets follow in batches.

Each batch is one transaction that also counts what it did. What is done leaves the states that are looked for, so that
whoever goes on after an interruption finds exactly the rest.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import datetime
from typing import Annotated

from msgspec import Meta, Struct
from msgspec.structs import replace

from server.domain.names import read_name
from server.services.availability import forget_availability
from server.services.burn import request_burns
from server.services.context import Context
from server.services.ports import Unit
from server.services.problems import EventUnknown
from server.services.problems_organiser import EndingUnknown, EventNotOver, EventStateWrong, ImportRunning
from server.services.refunds_due import return_sales
from server.services.release import Ending, release
from server.services.rows import ActorRef, EventRow, EventState, ReservationState, TicketRow
from server.services.rows_organiser import EndingKind, EndingRow, EndingState
from server.services.transition import Move, move_tickets
from shared.ids import EventId, TenantId, TicketId
from shared.tickets.lifecycle import Actor, RevocationReason, State

BATCH = 500
_RESERVATIONS_AT_ONCE = 100
CLOSING = "event_close"
CANCELLING = "event_cancel"

_TO_END = {
    # A seat that somebody held and never paid expires with the event; one that nobody wanted stays what it is.
    EndingKind.CLOSE: frozenset({State.RESERVED, State.ACTIVE, State.TRANSFERRED, State.CHECKED_IN}),
    EndingKind.CANCEL: frozenset(
        {
            State.AVAILABLE,
            State.RESERVED,
            State.SOLD,
            State.MINTED,
            State.ACTIVE,
            State.TRANSFERRED,
            State.CHECKED_IN,
        }
    ),
}
_SYSTEM = ActorRef(kind=Actor.SYSTEM, id=CLOSING)

Reason = Annotated[str, Meta(min_length=1, max_length=500, pattern=r"\S")]


class CloseRequest(Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """Closing an event; before its end only with ``force`` and a reason."""

    force: bool = False
    reason: Reason | None = None


class CancelRequest(Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """Cancelling an event: why."""

    reason: Reason


class EndingView(Struct, frozen=True, kw_only=True, rename="camel"):
    """How far an event's end is: ``total`` tickets to go through, ``done`` of them, and what they became.

    ``reservations`` and ``transfers`` were taken back, ``refunds`` are to be paid.
    """

    event_id: EventId
    kind: EndingKind
    state: EndingState
    reason: str
    total: int
    done: int
    used: int
    expired: int
    cancelled: int
    revoked: int
    reservations: int
    transfers: int
    refunds: int
    started_at: datetime
    finished_at: datetime | None


class EndingOrder(Struct, frozen=True, kw_only=True):
    """Which event ends how, by whose word and from where it was asked for."""

    event: EventId
    kind: EndingKind
    reason: str
    actor: ActorRef
    source: str
    force: bool = False


async def begin_ending(context: Context, tenant: TenantId, order: EndingOrder) -> EndingView:
    """Stop an event's sales and begin its end; the same order again changes nothing and tells how far it is.

    Raises:
        EventUnknown: none of this tenant's.
        EventStateWrong: it cannot end like this from the state it is in.
        EventNotOver: it goes on, and nobody insisted with a reason.
        ImportRunning: tickets are being made at this moment.
        NameUnusable: of the reason.
    """
    now = context.clock.now()
    reason = read_name(order.reason, 500, "reason") if order.reason else ""
    async with context.db.tenant(tenant) as tx:
        event = await tx.events.lock(order.event)
        if event is None:
            raise EventUnknown("There is no such event.")
        before = await tx.endings.get(event.id)
        if before is not None and before.kind is order.kind:
            return view_ending(before)
        _check_order(event, order, now)
        if await tx.imports.is_applying(event.id):
            raise ImportRunning("A file of tickets is being applied: end the event when that is done.")
        ending = EndingRow(
            event=event.id,
            kind=order.kind,
            state=EndingState.RUNNING,
            reason=reason,
            actor_kind=order.actor.kind,
            actor_id=order.actor.id,
            source=order.source,
            total=0,
            started_at=now,
            updated_at=now,
        )
        await tx.endings.add(ending, _TO_END[order.kind])
        state = EventState.CLOSED if order.kind is EndingKind.CLOSE else EventState.CANCELLED
        await tx.organising.change_event(replace(event, state=state), tell_gates=False)
        begun = view_ending(await tx.endings.get(event.id) or ending)
    await forget_availability(context, tenant, order.event)
    return begun


async def read_ending(context: Context, tenant: TenantId, event: EventId) -> EndingView:
    """Return how far an event's end is.

    Raises:
        EndingUnknown: it was neither closed nor cancelled, or is none of this tenant's.
    """
    async with context.db.tenant(tenant) as tx:
        found = await tx.endings.get(event)
    if found is None:
        raise EndingUnknown("This event was neither closed nor cancelled.")
    return view_ending(found)


async def step_ending(context: Context, tenant: TenantId, event: EventId, *, batch: int = BATCH) -> bool:
    """Do the next part of an event's end; return False when nothing is left to do here.

    That is the case when it is done, and when somebody else is at work on it.
    """
    now = context.clock.now()
    async with context.db.tenant(tenant) as tx:
        ending = await tx.endings.take(event)
        if ending is None:
            return False
        if await _do_part(context, tx, ending, batch):
            return True
        # Whoever took or gave back places when the sales stopped holds the rows of their types until that is to be seen.
        await tx.stock.lock(sorted(one.id for one in await tx.stock.of_event(event)))
    async with context.db.tenant(tenant) as tx:
        ending = await tx.endings.take(event)
        if ending is None:
            return False
        if await _do_part(context, tx, ending, batch):
            return True
        await tx.endings.write(replace(ending, state=EndingState.DONE, updated_at=now, finished_at=now))
    return False


def view_ending(row: EndingRow) -> EndingView:
    """Return how far an end is, as organisers see it."""
    return EndingView(
        event_id=row.event,
        kind=row.kind,
        state=row.state,
        reason=row.reason,
        total=row.total,
        done=row.used + row.expired + row.cancelled + row.revoked,
        used=row.used,
        expired=row.expired,
        cancelled=row.cancelled,
        revoked=row.revoked,
        reservations=row.reservations,
        transfers=row.transfers,
        refunds=row.refunds,
        started_at=row.started_at,
        finished_at=row.finished_at,
    )


def _check_order(event: EventRow, order: EndingOrder, now: datetime) -> None:
    if order.kind is EndingKind.CANCEL:
        if event.state in {EventState.CLOSED, EventState.CANCELLED}:
            raise EventStateWrong(f"This event is {event.state}: it cannot be cancelled any more.")
        return
    if event.state is not EventState.OPEN:
        raise EventStateWrong(f"This event is {event.state}: only one that is open can be closed.")
    ends = event.policy.window.ends
    if now < ends and not (order.force and order.reason):
        raise EventNotOver(f"The event ends at {ends.isoformat()}: closing it before needs `force` and a reason.")


async def _do_part(context: Context, tx: Unit, ending: EndingRow, batch: int) -> bool:
    """Do the next part and count it; return False when there is none to be seen."""
    now = context.clock.now()
    after = await _release_some(tx, ending, now) or await _end_some(context, tx, ending, batch)
    if after is None:
        return False
    await tx.endings.write(replace(after, updated_at=now))
    return True


async def _release_some(tx: Unit, ending: EndingRow, now: datetime) -> EndingRow | None:
    """Take back unpaid reservations; None when there are none."""
    pending = await tx.endings.lock_pending(ending.event, _RESERVATIONS_AT_ONCE)
    if not pending:
        return None
    reason = "event_cancelled" if ending.kind is EndingKind.CANCEL else "event_closed"
    how = Ending(
        state=ReservationState.CANCELLED,
        actor=_actor(ending),
        source=ending.source,
        reason=reason,
        now=now,
        seats_stay=True,
    )
    await release(tx, pending, how)
    return replace(ending, reservations=ending.reservations + len(pending))


async def _end_some(context: Context, tx: Unit, ending: EndingRow, batch: int) -> EndingRow | None:
    """Bring the next tickets to their end; None when there are none."""
    now = context.clock.now()
    tickets = await tx.endings.lock_tickets(ending.event, _TO_END[ending.kind], batch)
    if not tickets:
        return None
    ids = [one.id for one in tickets]
    offers = await tx.organising.end_offers(ids, now)
    sales = await tx.refunds.sales(ids) if ending.kind is EndingKind.CANCEL else []
    by_target = await _sort(tx, ending, tickets)
    types = await tx.stock.of_event(ending.event)
    for target, group in by_target.items():
        reason = str(RevocationReason.EVENT_CANCELLED) if ending.kind is EndingKind.CANCEL else None
        # An event that closes ends its tickets by itself, whoever said that it should.
        actor = _actor(ending) if ending.kind is EndingKind.CANCEL else _SYSTEM
        move = Move(to=target, actor=actor, source=ending.source, now=now, reason=reason)
        await move_tickets(tx, context.vault, group, types, move)
    owed = await return_sales(context, tx, ending.event, sales, str(RevocationReason.EVENT_CANCELLED))
    if ending.kind is EndingKind.CANCEL:
        minted = await tx.endings.reached(ids, State.MINTED)
        await request_burns(tx, [one for one in tickets if one.id in minted], now)
    counts = Counter({target: len(group) for target, group in by_target.items()})
    return replace(
        ending,
        used=ending.used + counts[State.USED],
        expired=ending.expired + counts[State.EXPIRED],
        cancelled=ending.cancelled + counts[State.CANCELLED],
        revoked=ending.revoked + counts[State.REVOKED],
        transfers=ending.transfers + offers,
        refunds=ending.refunds + len(owed),
    )


async def _sort(tx: Unit, ending: EndingRow, tickets: list[TicketRow]) -> dict[State, list[TicketRow]]:
    """Group tickets by what they become."""
    groups: defaultdict[State, list[TicketRow]] = defaultdict(list)
    came_in: set[TicketId] = set()
    if ending.kind is EndingKind.CLOSE:
        came_in = await tx.endings.reached([one.id for one in tickets], State.CHECKED_IN)
    for ticket in tickets:
        if ending.kind is EndingKind.CANCEL:
            # Whoever is inside has used the ticket in part: the table lets it be taken back, not called off.
            groups[State.REVOKED if ticket.state is State.CHECKED_IN else State.CANCELLED].append(ticket)
        else:
            groups[State.USED if ticket.id in came_in else State.EXPIRED].append(ticket)
    return groups


def _actor(ending: EndingRow) -> ActorRef:
    return ActorRef(kind=ending.actor_kind, id=ending.actor_id)
