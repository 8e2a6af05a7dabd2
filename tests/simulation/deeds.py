"""What is done to tickets while people stand at the gates: handed over, locked, freed, made anew, taken back."""

from __future__ import annotations

from server.services.context import Context
from server.services.rows import ActorRef
from server.services.ticket_care import (
    Caretaker,
    LockReason,
    ReissueRequest,
    TicketLocked,
    lock,
    reissue,
    revoke,
    unlock,
)
from server.services.transition import Move, move_ticket
from shared.ids import TenantId, TicketId
from shared.tickets.lifecycle import Actor, RevocationReason, State, TransitionDenied, TransitionInvalid
from tests.simulation.gate_side import Means
from tests.simulation.hall import ServerDied
from tests.simulation.truth import Change, Deed

_HOLDER = ActorRef(kind=Actor.HOLDER, id="simulation")
_ORGANISER = ActorRef(kind=Actor.ORGANISER, id="simulation")


async def do_deed(means: Means, deed: Deed, number: int) -> None:
    """Do something to a ticket through the server's use cases, and write it down if it happened."""
    server, truth = means.server, means.truth
    if not server.up:
        return
    before = truth.generation(number)
    change = Change(
        ticket=number,
        deed=deed,
        at_ms=means.timeline.now_ms,
        generation=before + (deed in {Deed.TRANSFER, Deed.REISSUE}),
    )
    server.relay_due = True
    try:
        await _DOERS[deed](server.context, means.hall.tenant, means.hall.tickets[number].id)
    except (TransitionInvalid, TransitionDenied, TicketLocked):
        return
    except ServerDied as death:
        if death.committed:
            truth.changes.append(change)
        await server.die()
        return
    truth.changes.append(change)
    truth.tally(f"deed {deed.value}")


async def _transfer(context: Context, tenant: TenantId, ticket: TicketId) -> None:
    async with context.db.tenant(tenant) as tx:
        row = await tx.tickets.lock(ticket)
        assert row is not None
        if row.locked is not None:
            raise TransitionInvalid("A locked ticket is not handed over.")
        now = context.clock.now()
        move = Move(to=State.TRANSFERRED, actor=_HOLDER, source="transfer", now=now, new_generation=True)
        await move_ticket(tx, context.vault, row, move)


async def _reissue(context: Context, tenant: TenantId, ticket: TicketId) -> None:
    await reissue(context, _caretaker(tenant), ticket, ReissueRequest(reason="lost phone"))


async def _revoke(context: Context, tenant: TenantId, ticket: TicketId) -> None:
    await revoke(context, _caretaker(tenant), ticket, RevocationReason.ADMIN_REQUEST)


async def _lock(context: Context, tenant: TenantId, ticket: TicketId) -> None:
    await lock(context, _caretaker(tenant), ticket, LockReason.DISPUTE)


async def _unlock(context: Context, tenant: TenantId, ticket: TicketId) -> None:
    await unlock(context, _caretaker(tenant), ticket, "settled")


def _caretaker(tenant: TenantId) -> Caretaker:
    return Caretaker(tenant=tenant, actor=_ORGANISER, source="organiser")


_DOERS = {
    Deed.TRANSFER: _transfer,
    Deed.REISSUE: _reissue,
    Deed.REVOKE: _revoke,
    Deed.LOCK: _lock,
    Deed.UNLOCK: _unlock,
}
