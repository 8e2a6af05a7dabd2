"""What people decide about conflicts: looked into, and settled as what they turned out to be."""

from __future__ import annotations

from enum import StrEnum

import structlog
from msgspec import Struct
from msgspec.structs import replace

from server.services.context import Context
from server.services.hot_list import watching_hot_list
from server.services.ports import Unit
from server.services.problems_gates import ConflictSettled, ConflictUnknown
from server.services.rows_gates import ConflictRow
from server.services.stats import ConflictView, name_gates, view_conflict
from shared.ids import ConflictId, TenantId

log = structlog.get_logger()


class Resolution(StrEnum):
    """What a conflict turned out to be, or what was done about it."""

    BENIGN = "benign"
    REFUND = "refund"
    EJECTED = "ejected"
    FRAUD = "fraud"
    STAFF_ERROR = "staff_error"


class Decider(Struct, frozen=True, kw_only=True):
    """Who decides: a user's id, or the command line."""

    tenant: TenantId
    name: str


class Finding(Struct, frozen=True, kw_only=True):
    """How a conflict is settled, and what there is to say about it."""

    resolution: Resolution
    note: str | None = None


async def read_conflict(context: Context, tenant: TenantId, conflict: ConflictId) -> ConflictView:
    """Return one conflict with its evidence.

    Raises:
        ConflictUnknown: the tenant has no such conflict.
    """
    async with context.db.tenant(tenant) as tx:
        return await _view(tx, await _lock(tx, conflict))


async def acknowledge(context: Context, by: Decider, conflict: ConflictId) -> ConflictView:
    """Note that somebody looks into a conflict; safe to repeat.

    Raises:
        ConflictUnknown: the tenant has no such conflict.
        ConflictSettled: it is resolved or no longer holds.
    """
    async with context.db.tenant(by.tenant) as tx:
        row = await _lock(tx, conflict)
        if row.state == "acknowledged":
            return await _view(tx, row)
        if row.state != "open":
            raise ConflictSettled(f"This conflict is {row.state}: there is nothing to look into.")
        return await _decide(tx, replace(row, state="acknowledged", decided_by=by.name, updated_at=context.clock.now()))


async def resolve(context: Context, by: Decider, conflict: ConflictId, finding: Finding) -> ConflictView:
    """Settle a conflict; the same finding again changes nothing.

    Raises:
        ConflictUnknown: the tenant has no such conflict.
        ConflictSettled: it was settled otherwise, was a supervisor's decision, or no longer holds.
    """
    async with context.db.tenant(by.tenant) as tx:
        # the ticket first, as whoever takes scans does: what gates are told must be in the order of what is decided
        ticket = await tx.conflicts.ticket_of(conflict)
        await tx.scans.lock_tickets([] if ticket is None else [ticket])
        row = await _lock(tx, conflict)
        if row.state == "resolved" and (row.resolution, row.note) == (finding.resolution, finding.note):
            return await _view(tx, row)
        if row.state not in {"open", "acknowledged"}:
            raise ConflictSettled(f"This conflict is {row.state} already: what was decided stays.")
        settled = replace(
            row,
            state="resolved",
            resolution=finding.resolution.value,
            note=finding.note,
            decided_by=by.name,
            updated_at=context.clock.now(),
        )
        log.info("conflict.resolved", conflict=str(row.id), resolution=settled.resolution)
        async with watching_hot_list(tx, row.event, [row.ticket]):
            return await _decide(tx, settled)


async def _lock(tx: Unit, conflict: ConflictId) -> ConflictRow:
    row = await tx.conflicts.lock(conflict)
    if row is None:
        raise ConflictUnknown("There is no such conflict.")
    return row


async def _decide(tx: Unit, row: ConflictRow) -> ConflictView:
    await tx.conflicts.decide(row)
    return await _view(tx, row)


async def _view(tx: Unit, row: ConflictRow) -> ConflictView:
    return view_conflict(row, await name_gates(tx, row.event))
