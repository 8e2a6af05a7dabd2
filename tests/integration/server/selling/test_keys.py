"""The vault on a real database: made once, the same for everybody, and never remembered unless it was stored."""

from __future__ import annotations

import asyncio
import os

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from server.seed import seed
from server.services.keys import KeyVault
from shared.codes.keys import KeyRing
from shared.problems import DataDamaged, SettingsInvalid
from tests.integration.server.selling.stage import RING, Shop

OLD = bytes(range(32))
NEW = bytes(range(100, 132))


def fresh_vault(shop: Shop, ring: KeyRing = RING) -> KeyVault:
    """Return a vault that remembers nothing, as another process has."""
    return KeyVault(ring, os.urandom, shop.clock)


async def master_of(shop: Shop, vault: KeyVault) -> bytes:
    """Ask a vault for the tenant's master in a transaction of its own."""
    async with shop.context.db.tenant(shop.tenant) as tx:
        return await vault.master(tx)


async def test_every_process_gets_the_same_secrets(shop: Shop) -> None:
    masters = await asyncio.gather(*(master_of(shop, fresh_vault(shop)) for _ in range(8)))
    assert len(set(masters)) == 1
    event = await shop.event_row()
    async with shop.context.db.tenant(shop.tenant) as tx:
        mine = await fresh_vault(shop).epochs(tx, event, 0, 5)
    async with shop.context.db.tenant(shop.tenant) as tx:
        theirs = await fresh_vault(shop).epochs(tx, event, 2, 5)
    assert [one.for_reading() for one in mine[2:]] == [one.for_reading() for one in theirs]
    assert [one.epoch for one in mine] == [0, 1, 2, 3, 4, 5]
    assert len({one.envelope_key for one in mine}) == 6


async def test_epochs_made_at_the_same_moment_are_the_same(shop: Shop) -> None:
    event = await shop.event_row()

    async def make(first: int) -> list[bytes]:
        async with shop.context.db.tenant(shop.tenant) as tx:
            return [one.envelope_key for one in await fresh_vault(shop).epochs(tx, event, first, 9)]

    made = await asyncio.gather(*(make(first) for first in (0, 3, 5, 0)))
    assert made[0] == made[3]
    assert made[1] == made[0][3:]
    assert made[2] == made[0][5:]


async def test_a_secret_of_a_failed_transaction_is_forgotten(shop: Shop) -> None:
    vault = fresh_vault(shop)
    lost: list[bytes] = []
    with pytest.raises(DataDamaged, match="on purpose"):
        await make_and_fail(shop, vault, lost)
    kept = await master_of(shop, vault)
    assert kept != lost[0]
    assert kept == await master_of(shop, fresh_vault(shop))


async def test_a_remembered_secret_is_the_stored_one(shop: Shop) -> None:
    vault = fresh_vault(shop)
    assert await master_of(shop, vault) == await master_of(shop, vault)
    async with shop.context.db.tenant(shop.tenant) as tx:
        first, second = await vault.config_key(tx), await vault.config_key(tx)
    raw = (Encoding.Raw, PrivateFormat.Raw, NoEncryption())
    assert first.private_bytes(*raw) == second.private_bytes(*raw)


async def test_keys_open_after_the_ring_got_a_new_first_key(shop: Shop) -> None:
    master = await master_of(shop, fresh_vault(shop, KeyRing({"k1": OLD})))
    assert await master_of(shop, fresh_vault(shop, KeyRing({"k2": NEW, "k1": OLD}))) == master


async def test_a_ring_without_the_right_key_is_told_so(shop: Shop) -> None:
    await master_of(shop, fresh_vault(shop, KeyRing({"k1": OLD})))
    with pytest.raises(SettingsInvalid, match="'k1'"):
        await master_of(shop, fresh_vault(shop, KeyRing({"k2": NEW})))
    with pytest.raises(DataDamaged, match="QR_ENCRYPTION_KEY"):
        await master_of(shop, fresh_vault(shop, KeyRing({"k1": NEW})))


async def test_tenants_have_secrets_of_their_own(shop: Shop) -> None:

    seeds = await seed(shop.context)
    masters = set()
    for tenant in (shop.tenant, seeds.main.tenant, seeds.other.tenant):
        async with shop.context.db.tenant(tenant) as tx:
            masters.add(await shop.context.vault.master(tx))
    assert len(masters) == 3


async def make_and_fail(shop: Shop, vault: KeyVault, lost: list[bytes]) -> None:
    """Make the master and have the transaction fail afterwards."""
    async with shop.context.db.tenant(shop.tenant) as tx:
        lost.append(await vault.master(tx))
        lost.append(await vault.master(tx))
        raise DataDamaged("on purpose")
