"""Looking after stored keys: what there is, wrapping all of it anew, letting go of what nothing needs any more."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta

import structlog
from msgspec import Struct

from server.services.callers import rewrap_secret
from server.services.context import Context
from server.services.keys import KeyVault
from server.services.ports import Database, Unit
from server.services.ports_keys import KekCount, Needs
from server.services.problems import KeyNeeded, KeyUnknown
from server.services.rows import KeyKind
from server.services.wrapping import Wrapping
from shared.ids import TenantId
from shared.problems import SettingsInvalid

KEPT_AFTER_EVENT = timedelta(days=30)
"""How long after an event its tickets' master is needed: late logs are proven with it, and links to tickets checked."""

BATCH = 200

Progress = Callable[[int], None]
"""Told how many keys one step dealt with."""

log = structlog.get_logger()


class Rewrapped(Struct, frozen=True, kw_only=True, rename="camel"):
    """What wrapping anew did, and with which key-encryption key."""

    kek: str
    keys: int


async def check_ring(db: Database, vault: KeyVault, tenants: Iterable[TenantId]) -> None:
    """Return if the key ring opens what is stored; one key of each kind and key-encryption key is tried.

    Raises:
        SettingsInvalid: a stored key is wrapped with a key that is not in the ring.
        DataDamaged: the ring has a key of that name, and it is another.
    """
    for tenant in tenants:
        async with db.tenant(tenant) as tx:
            used = {count.kek for count in await tx.key_care.count_keks()}
            missing = sorted(used - set(vault.wrapping.ring.names))
            if missing:
                raise SettingsInvalid(
                    f"Stored keys are wrapped with key-encryption key '{missing[0]}', which QR_ENCRYPTION_KEY does not hold: "
                    f"add it behind the first one ({vault.wrapping.ring.current}=…,{missing[0]}=…)."
                )
            await _try_samples(tx, vault.wrapping)


async def rewrap_all(
    context: Context, tenants: Sequence[TenantId], progress: Progress, *, batch: int = BATCH
) -> Rewrapped:
    """Wrap every stored key with the ring's current key, ``batch`` at a time.

    Each batch is a transaction of its own: whenever this ends, every stored key opens with the old ring or the new key,
    and doing it again does the rest.

    Raises:
        SettingsInvalid, DataDamaged: the ring does not open a stored key.
    """
    done = 0
    for tenant in tenants:
        while step := await _rewrap_some(context, tenant, batch):
            done += step
            progress(step)
    return Rewrapped(kek=context.vault.wrapping.ring.current, keys=done)


async def count_foreign(context: Context, tenants: Sequence[TenantId], kek: str) -> int:
    """Return how many wrapped secrets there are under other key-encryption keys than the one named."""
    return sum([count.keys for count in await _count(context, tenants) if count.kek != kek])


async def retire_kek(context: Context, tenants: Sequence[TenantId], kek: str) -> None:
    """Return if nothing stored is wrapped with a key-encryption key any more, so that it may leave QR_ENCRYPTION_KEY.

    Raises:
        KeyNeeded: something is, or new keys would be.
    """
    if kek == context.vault.wrapping.ring.current:
        raise KeyNeeded(
            f"New keys are wrapped with '{kek}': put another key in front of it in QR_ENCRYPTION_KEY first."
        )
    needed = sum([count.keys for count in await _count(context, tenants) if count.kek == kek])
    if needed:
        raise KeyNeeded(f"{needed} stored keys are wrapped with '{kek}': run `tickettoken keys rewrap` first.")


async def retire_key(context: Context, tenant: TenantId, kind: KeyKind, number: int) -> None:
    """Erase a tenant's master or config key for good.

    Raises:
        KeyUnknown: there is none of this number.
        KeyNeeded: it is the newest, or something still depends on it.
    """
    now = context.clock.now()
    async with context.db.tenant(tenant) as tx:
        numbers = [row.id for row in await tx.keys.list_all(kind)]
        if number not in numbers:
            raise KeyUnknown(
                f"This organiser has no {kind} key {number}: `tickettoken keys status` shows what there is."
            )
        if number == numbers[-1]:
            raise KeyNeeded(f"{number} is the newest {kind} key: make another with `tickettoken keys rotate` first.")
        since = now - KEPT_AFTER_EVENT
        look = tx.key_care.needs_master if kind is KeyKind.MASTER else tx.key_care.needs_config
        _refuse_needed(kind, number, await look(number, since))
        await tx.keys.erase(kind, number, now)
    log.info("keys.retired", kind=kind.value, number=number)


def _refuse_needed(kind: KeyKind, number: int, needs: Needs) -> None:
    if kind is KeyKind.MASTER and needs.tickets:
        raise KeyNeeded(
            f"{needs.tickets} codes of {needs.events} events that are not over for {KEPT_AFTER_EVENT.days} days come from "
            f"master {number}: retire it later."
        )
    if kind is KeyKind.CONFIG and (needs.gates or needs.events):
        raise KeyNeeded(
            f"{needs.gates} gates believe no newer config key than {number}, {needs.events} events announce none: let those "
            "gates connect, or revoke them."
        )


async def _count(context: Context, tenants: Sequence[TenantId]) -> list[KekCount]:
    counts: list[KekCount] = []
    for tenant in tenants:
        async with context.db.tenant(tenant) as tx:
            counts += await tx.key_care.count_keks()
    return counts


async def _rewrap_some(context: Context, tenant: TenantId, limit: int) -> int:
    """Wrap up to ``limit`` rows of the first kind that has any, and return how many there were."""
    wrapping = context.vault.wrapping
    kek = wrapping.ring.current
    async with context.db.tenant(tenant) as tx:
        if keys := await tx.key_care.foreign_keys(kek, limit):
            await tx.key_care.rewrap_keys([wrapping.rewrap_key(tenant, row) for row in keys])
            return len(keys)
        if epochs := await tx.key_care.foreign_epochs(kek, limit):
            await tx.key_care.rewrap_epochs([wrapping.rewrap_epoch(tenant, row) for row in epochs])
            return 2 * len(epochs)
        if replaced := await tx.key_care.foreign_replaced(kek, limit):
            await tx.key_care.rewrap_replaced([wrapping.rewrap_replaced(tenant, row) for row in replaced])
            return len(replaced)
        if secrets := await tx.services.foreign_secrets(kek, limit):
            await tx.services.rewrap_secrets([rewrap_secret(context, tenant, row) for row in secrets])
            return len(secrets)
    return 0


async def _try_samples(tx: Unit, wrapping: Wrapping) -> None:
    for kind in KeyKind:
        for row in await tx.keys.list_all(kind):
            wrapping.open_key(tx.tenant, row)
    for kek in wrapping.ring.names:
        for epoch in await tx.key_care.sample_epochs(kek):
            wrapping.open_epoch(tx.tenant, epoch)
