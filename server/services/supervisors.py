"""Supervisors: who may decide at gates against the rule. Gates know them by the next key bundle, PINs as hashes alone."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta

import structlog
from msgspec import Struct

from server.domain.pins import find_fault, make_pin
from server.services.context import Context
from server.services.ports import Unit
from server.services.problems import EventUnknown
from server.services.problems_access import GateElsewhere, PinUnusable, SupervisorUnknown, TooManySupervisors
from server.services.rows import EventRow, Page
from server.services.rows_access import SupervisorRow
from shared.codes.bundle import MOST_SUPERVISORS
from shared.ids import EventId, GateId, SupervisorId, TenantId, uuid7
from shared.secrecy import Reticent

HashPin = Callable[[str], str]
"""Makes what is kept of a PIN; slow on purpose."""

log = structlog.get_logger()


class SupervisorWish(Reticent, frozen=True, kw_only=True):
    """Who is to be a supervisor: where, and with which PIN; None has one made."""

    name: str
    pin: str | None = None
    event: EventId | None = None
    gates: tuple[GateId, ...] = ()


class SupervisorMade(Reticent, frozen=True, kw_only=True):
    """A supervisor and the PIN, which is shown this once and kept nowhere."""

    supervisor: SupervisorRow
    pin: str


class SupervisorsListed(Struct, frozen=True, kw_only=True):
    """A page of supervisors, and after whom the next one begins."""

    items: list[SupervisorRow]
    next_after: SupervisorId | None


async def add_supervisor(context: Context, hash_pin: HashPin, tenant: TenantId, wish: SupervisorWish) -> SupervisorMade:
    """Make somebody a supervisor.

    Raises:
        PinUnusable: the PIN is too short or guessable.
        EventUnknown, GateElsewhere: no such event, or a gate that does not belong to it.
        TooManySupervisors: more than a gate can know.
    """
    now = context.clock.now()
    pin = _check_pin(wish.pin) if wish.pin is not None else make_pin(context.random_bytes)
    row = SupervisorRow(
        tenant=tenant,
        id=SupervisorId(uuid7(now, context.random_bytes)),
        name=wish.name,
        verifier=await asyncio.to_thread(hash_pin, pin),
        event=wish.event,
        gates=list(wish.gates),
        created_at=now,
    )
    async with context.db.tenant(tenant) as tx:
        events = await _find_events(tx, wish.event, now)
        await _check_gates(tx, wish)
        for event in events:
            await _check_room(tx, event.id)
        await tx.supervisors.add(row)
        await _tell_gates(tx, events)
    log.info("supervisors.added", supervisor=str(row.id), event_id=str(row.event))
    return SupervisorMade(supervisor=row, pin=pin)


async def reset_pin(
    context: Context, hash_pin: HashPin, tenant: TenantId, supervisor: SupervisorId, pin: str | None
) -> SupervisorMade:
    """Give a supervisor another PIN; gates know it with their next key bundle.

    Raises:
        SupervisorUnknown: the tenant has none of this id.
        PinUnusable: the PIN is too short or guessable.
    """
    now = context.clock.now()
    chosen = _check_pin(pin) if pin is not None else make_pin(context.random_bytes)
    async with context.db.tenant(tenant) as tx:
        row = await _find(tx, supervisor)
    verifier = await asyncio.to_thread(hash_pin, chosen)
    async with context.db.tenant(tenant) as tx:
        if not await tx.supervisors.set_verifier(supervisor, verifier):
            raise SupervisorUnknown("There is no such supervisor.")
        await _tell_gates(tx, await _events_of(tx, row, now))
    log.info("supervisors.pin_reset", supervisor=str(supervisor))
    return SupervisorMade(supervisor=row, pin=chosen)


async def remove_supervisor(context: Context, tenant: TenantId, supervisor: SupervisorId) -> None:
    """Take somebody's right away; gates know it with their next key bundle.

    Raises:
        SupervisorUnknown: the tenant has none of this id.
    """
    now = context.clock.now()
    async with context.db.tenant(tenant) as tx:
        row = await _find(tx, supervisor)
        await tx.supervisors.remove(supervisor, now)
        await _tell_gates(tx, await _events_of(tx, row, now))
    log.info("supervisors.removed", supervisor=str(supervisor))


async def list_supervisors(context: Context, tenant: TenantId, page: Page) -> SupervisorsListed:
    """Return a page of the tenant's supervisors, newest first."""
    async with context.db.tenant(tenant) as tx:
        rows = await tx.supervisors.list_all(Page(after=page.after, limit=page.limit + 1))
    items = rows[: page.limit]
    return SupervisorsListed(items=items, next_after=items[-1].id if len(rows) > page.limit else None)


def _check_pin(pin: str) -> str:
    fault = find_fault(pin)
    if fault is not None:
        raise PinUnusable(fault)
    return pin


async def _find(tx: Unit, supervisor: SupervisorId) -> SupervisorRow:
    row = await tx.supervisors.get(supervisor)
    if row is None or row.removed_at is not None:
        raise SupervisorUnknown("There is no such supervisor.")
    return row


async def _events_of(tx: Unit, row: SupervisorRow, now: datetime) -> list[EventRow]:
    return [one for one in await tx.events.list_all(row.event) if not _is_over(one, now)]


async def _find_events(tx: Unit, event: EventId | None, now: datetime) -> list[EventRow]:
    found = await tx.events.list_all(event)
    if event is not None and not found:
        raise EventUnknown("There is no such event.")
    return [one for one in found if not _is_over(one, now)]


async def _check_gates(tx: Unit, wish: SupervisorWish) -> None:
    for gate_id in wish.gates:
        gate = await tx.gates.get(gate_id)
        if gate is None or (wish.event is not None and gate.event != wish.event):
            raise GateElsewhere("A gate named here is not one of this event's: see the list of gates.")


async def _check_room(tx: Unit, event: EventId) -> None:
    if len(await tx.supervisors.of_event(event, MOST_SUPERVISORS)) >= MOST_SUPERVISORS:
        raise TooManySupervisors(f"A gate knows at most {MOST_SUPERVISORS} supervisors: remove some first.")


async def _tell_gates(tx: Unit, events: list[EventRow]) -> None:
    """Have the gates of these events fetch a new key bundle, always in the order of ids: two changes never wait in a circle."""
    for event in sorted(events, key=lambda one: one.id):
        await tx.events.raise_bundle_version(event.id)


def _is_over(event: EventRow, now: datetime) -> bool:
    window = event.policy.window
    return now - timedelta(seconds=window.grace_s) >= window.ends
