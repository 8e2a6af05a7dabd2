"""New keys in place of old ones: for an event's coming epochs, for an event at once, and for a tenant.

A key that was given out is never simply withdrawn: what it made goes on being read, in an emergency for a short while.
An epoch keeps its number and its times whatever happens to its keys, so that no chain and no slot ever moves.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import structlog
from msgspec import Struct

from server.services.context import Context
from server.services.epochs import LAST_EPOCH, PAPER_EPOCH, epoch_at, next_epoch
from server.services.keys import KeyVault
from server.services.ports import Unit
from server.services.problems import EventUnknown
from server.services.rows import EpochRow, EventRow, KeyKind
from shared.ids import EventId, TenantId
from shared.sync.feed import PolicyEntry

log = structlog.get_logger()


class _Replacing(Struct, frozen=True, kw_only=True):
    """When keys are replaced, and until when codes of the older ones count."""

    now: datetime
    accepted_until: datetime | None


class Rotated(Struct, frozen=True, kw_only=True, rename="camel"):
    """What a rotation did: ``replaced`` stored epochs from ``first_epoch`` on got new keys.

    Codes made with the older ones count until ``accepted_until``; None: until the end of their epoch.
    """

    event_id: EventId
    first_epoch: int
    replaced: int
    accepted_until: datetime | None
    paper_codes: bool


async def rotate_event(context: Context, tenant: TenantId, event_id: EventId, *, at_once: bool) -> Rotated:
    """Give an event new keys from its next epoch on, or at once, and have its gates told.

    Raises:
        EventUnknown: the tenant has no such event.
    """
    async with context.db.tenant(tenant) as tx:
        return await rotate_event_in(context, tx, event_id, at_once=at_once)


async def rotate_event_in(context: Context, tx: Unit, event_id: EventId, *, at_once: bool) -> Rotated:
    """Do the same within a transaction.

    Raises:
        EventUnknown: the tenant has no such event.
    """
    now = context.clock.now()
    event = await tx.events.lock(event_id)
    if event is None:
        raise EventUnknown("There is no such event.")
    if at_once:
        rotated = await renew_now(tx, context.vault, event, now, now + context.overlap)
    else:
        rotated = await renew_future(tx, context.vault, event, now)
    # what its gates know does not change; that something was said has their links look for new keys
    await tx.outbox.append(event.id, [PolicyEntry(seq=0, policy=event.policy)])
    log.info("keys.rotated", event_id=str(event_id), first_epoch=rotated.first_epoch, at_once=at_once)
    return rotated


async def renew_future(tx: Unit, vault: KeyVault, event: EventRow, now: datetime) -> Rotated:
    """Replace the keys of all epochs that have not begun; codes made with the older ones go on counting.

    Until the day the doors open, what is printed from now on has other keys as well. ``event`` is locked by the caller.
    """
    first = next_epoch(event, now)
    rows = await tx.keys.epochs(event.id, first, LAST_EPOCH)
    if PAPER_EPOCH < first <= epoch_at(event, event.policy.window.doors):
        rows += await tx.keys.epochs(event.id, PAPER_EPOCH, PAPER_EPOCH)
    await _renew(tx, vault, event, rows, _Replacing(now=now, accepted_until=None))
    return _rotated(event, first, rows, None)


async def renew_now(tx: Unit, vault: KeyVault, event: EventRow, now: datetime, accepted_until: datetime) -> Rotated:
    """Replace all keys that could still open a code; what the older ones made counts until ``accepted_until``.

    Also codes on paper, which cannot fetch anything: whoever holds one needs a new print. ``event`` is locked by the caller.
    """
    first = max(0, epoch_at(event, now) - 1)
    rows = await tx.keys.epochs(event.id, first, LAST_EPOCH)
    if first > PAPER_EPOCH:
        rows += await tx.keys.epochs(event.id, PAPER_EPOCH, PAPER_EPOCH)
    await tx.keys.limit_replaced(event.id, [row.epoch for row in rows], accepted_until)
    await _renew(tx, vault, event, rows, _Replacing(now=now, accepted_until=accepted_until))
    return _rotated(event, first, rows, accepted_until)


async def rotate_master(context: Context, tenant: TenantId) -> int:
    """Make a new master for tickets and generations to come and return its number; those that exist keep theirs."""
    return await _add_key(context, tenant, KeyKind.MASTER)


async def rotate_config(context: Context, tenant: TenantId) -> int:
    """Make a new config key, have every gate told of it by the key it believes, and return its number."""
    return await _add_key(context, tenant, KeyKind.CONFIG)


async def _add_key(context: Context, tenant: TenantId, kind: KeyKind) -> int:
    async with context.db.tenant(tenant) as tx:
        newest = max((row.id for row in await tx.keys.list_all(kind)), default=0)
        if newest == 0:
            # there was none: the first is as new as it gets, and gates already know it by that number
            await tx.keys.add(context.vault.wrapping.make_key(tenant, kind, 1))
            return 1
        await tx.keys.add(context.vault.wrapping.make_key(tenant, kind, newest + 1))
        if kind is KeyKind.CONFIG:
            await tx.events.announce_config(newest + 1)
            for event in await tx.events.list_all():
                await tx.outbox.append(event.id, [PolicyEntry(seq=0, policy=event.policy)])
    log.info("keys.added", kind=kind.value, number=newest + 1)
    return newest + 1


async def _renew(tx: Unit, vault: KeyVault, event: EventRow, rows: Sequence[EpochRow], replacing: _Replacing) -> None:
    if rows:
        renewed = [vault.wrapping.renew_epoch(event.tenant, row) for row in rows]
        await tx.keys.replace_epochs(renewed, replacing.accepted_until, replacing.now)
    await tx.events.raise_key_series(event.id)


def _rotated(event: EventRow, first: int, rows: Sequence[EpochRow], accepted_until: datetime | None) -> Rotated:
    return Rotated(
        event_id=event.id,
        first_epoch=first,
        replaced=len(rows),
        accepted_until=accepted_until,
        paper_codes=event.policy.static_codes,
    )
