"""Key-encryption keys: an overlap that works, wrapping anew that may be killed, and starting with the right ones only."""

from __future__ import annotations

import asyncio
import json
import secrets
from collections import Counter

import pytest

from server.services.key_care import check_ring, count_foreign, retire_kek, rewrap_all
from server.services.key_rotation import rotate_event, rotate_master
from server.services.keys import KeyVault
from server.services.problems import KeyNeeded
from shared.codes.keys import KeyRing
from shared.problems import DataDamaged, SettingsInvalid
from tests.conftest import Databases
from tests.integration.keys.commands import BOTH, ENDS_WITHIN_S, NEW, OLD, begin, run
from tests.integration.keys.stage import NEW_KEK, OLD_KEK, RING, Festival

OVERLAP = KeyRing({"k2": NEW_KEK, "k1": OLD_KEK})
ONLY_NEW = KeyRing({"k2": NEW_KEK})


async def fill(festival: Festival, epochs: int = 40) -> None:
    """Have keys of every kind stored, some of them replaced."""
    await festival.stage.enrol()
    await festival.ticket()
    async with festival.stage.db.tenant(festival.stage.tenant) as tx:
        event = await tx.events.get(festival.stage.event)
        assert event is not None
        await festival.stage.vault.epochs(tx, event, 0, epochs - 1)
    await rotate_event(festival.elsewhere(), festival.stage.tenant, festival.stage.event, at_once=False)


async def count(festival: Festival) -> Counter[tuple[str, str]]:
    """Return how many secrets of each kind are under which key."""
    async with festival.stage.db.tenant(festival.stage.tenant) as tx:
        return Counter({(one.kind, one.kek): one.keys for one in await tx.key_care.count_keks()})


async def open_all(festival: Festival, ring: KeyRing) -> int:
    """Open everything stored with a ring and return how much that is."""
    async with festival.stage.db.tenant(festival.stage.tenant) as tx:
        return await festival.elsewhere(ring).vault.unwrap_all(tx)


async def test_in_an_overlap_old_keys_open_and_new_ones_are_wrapped_with_the_first(festival: Festival) -> None:
    await fill(festival)
    overlapping = festival.elsewhere(OVERLAP)
    await rotate_master(overlapping, festival.stage.tenant)
    assert await open_all(festival, OVERLAP) == 3 + 40 + 39
    assert await count(festival) == {
        ("config", "k1"): 1,
        ("master", "k1"): 1,
        ("master", "k2"): 1,
        ("epoch", "k1"): 80,
        ("replaced", "k1"): 39,
    }


async def test_rewrapping_leaves_nothing_under_the_old_key_and_no_secret_changed(festival: Festival) -> None:
    await fill(festival)
    gate, ticket = await festival.stage.enrol(), await festival.ticket()
    wallet, bundle = await festival.wallet(ticket), await festival.bundle(gate)
    steps: list[int] = []
    done = await rewrap_all(festival.elsewhere(OVERLAP), [festival.stage.tenant], steps.append, batch=7)
    assert (done.kek, done.keys, sum(steps)) == ("k2", 2 + 80 + 39, 2 + 80 + 39)
    assert {kek for _, kek in await count(festival)} == {"k2"}
    assert await open_all(festival, ONLY_NEW) == 2 + 40 + 39
    with pytest.raises(SettingsInvalid, match="'k2'"):
        await open_all(festival, RING)
    async with festival.stage.db.tenant(festival.stage.tenant) as tx:
        event = await tx.events.get(festival.stage.event)
        assert event is not None
        fresh = await festival.elsewhere(ONLY_NEW).vault.epochs(tx, event, 0, 3)
    assert [one.for_reading() for one in fresh] == bundle.epochs[:4]
    assert (await festival.wallet(ticket)).seed == wallet.seed


async def test_rewrapping_again_has_nothing_to_do(festival: Festival) -> None:
    await fill(festival)
    for expected in (2 + 80 + 39, 0):
        done = await rewrap_all(festival.elsewhere(OVERLAP), [festival.stage.tenant], lambda _: None)
        assert done.keys == expected


async def test_rewrapping_killed_in_the_middle_loses_nothing_and_is_finished_by_the_next(
    festival: Festival, database: Databases
) -> None:
    await fill(festival, epochs=120)
    stored = 2 + 120 + 119
    for _ in range(4):
        process = await begin(database, BOTH, "keys", "rewrap", "--batch", "3")
        assert process.stderr is not None
        async with asyncio.timeout(ENDS_WITHIN_S):
            for _ in range(1 + secrets.randbelow(10)):
                assert b"wrapped" in await process.stderr.readline()
            process.kill()
            await process.communicate()
        assert await open_all(festival, OVERLAP) == stored
    under = {kek for _, kek in await count(festival)}
    assert under == {"k1", "k2"}
    ended = await run(database, BOTH, "keys", "rewrap", "--json")
    assert ended.status == 0, ended.err
    assert json.loads(ended.out)["kek"] == "k2"
    assert await count_foreign(festival.context, [festival.stage.tenant], "k2") == 0
    assert await open_all(festival, ONLY_NEW) == stored


async def test_a_key_encryption_key_is_retired_only_when_nothing_is_wrapped_with_it(festival: Festival) -> None:
    await fill(festival)
    tenants = [festival.stage.tenant]
    with pytest.raises(KeyNeeded, match="in front of it"):
        await retire_kek(festival.context, tenants, "k1")
    overlapping = festival.elsewhere(OVERLAP)
    with pytest.raises(KeyNeeded, match="121 stored keys"):
        await retire_kek(overlapping, tenants, "k1")
    await rewrap_all(overlapping, tenants, lambda _: None)
    await retire_kek(overlapping, tenants, "k1")
    assert await open_all(festival, ONLY_NEW) == 2 + 40 + 39


async def test_the_whole_exchange_on_the_command_line(festival: Festival, database: Databases) -> None:
    await fill(festival, epochs=5)
    refused = await run(database, BOTH, "keys", "retire", "--kek", "k1")
    assert (refused.status, refused.out) == (1, "")
    assert refused.err == "error: 16 stored keys are wrapped with 'k1': run `tickettoken keys rewrap` first.\n"
    status = await run(database, BOTH, "keys", "status")
    assert "QR_ENCRYPTION_KEY holds k2, k1; k2 wraps what is new" in status.out
    assert "wrapped with k1" in status.out
    assert (await run(database, BOTH, "keys", "rewrap")).status == 0
    allowed = await run(database, BOTH, "keys", "retire", "--kek", "k1")
    assert (allowed.status, allowed.err) == (0, "")
    assert "take it out of QR_ENCRYPTION_KEY" in allowed.out
    doctor = await run(database, NEW, "doctor")
    assert "open with KeyRing(k2)" in doctor.out


async def test_a_missing_key_encryption_key_stops_the_start_with_one_line(
    festival: Festival, database: Databases
) -> None:
    await fill(festival, epochs=3)
    ended = await run(database, NEW, "serve", "--port", "0")
    assert (ended.status, ended.out) == (2, "")
    assert ended.err.splitlines()[-1] == (
        "error: Stored keys are wrapped with key-encryption key 'k1', which QR_ENCRYPTION_KEY does not hold: add it behind "
        "the first one (k2=…,k1=…)."
    )


async def test_a_wrong_key_encryption_key_stops_the_start_with_one_line(
    festival: Festival, database: Databases
) -> None:
    await fill(festival, epochs=3)
    ended = await run(database, f"k1={NEW_KEK.hex()}", "serve", "--port", "0")
    assert (ended.status, ended.out) == (4, "")
    assert ended.err.splitlines()[-1].startswith("error: A stored key does not open with key-encryption key 'k1'")
    assert NEW_KEK.hex() not in ended.err


async def test_the_check_at_the_start_sees_epochs_alone(festival: Festival) -> None:
    """Tenant keys may be wrapped anew already while epochs are not."""
    await fill(festival)
    tenants = [festival.stage.tenant]
    overlapping = festival.elsewhere(OVERLAP)
    async with festival.stage.db.tenant(festival.stage.tenant) as tx:
        rows = await tx.key_care.foreign_keys("k2", 10)
        wrapping = overlapping.vault.wrapping
        await tx.key_care.rewrap_keys([wrapping.rewrap_key(tx.tenant, row) for row in rows])
    with pytest.raises(SettingsInvalid, match="'k1'"):
        await check_ring(festival.stage.db, vault(festival, ONLY_NEW), tenants)
    with pytest.raises(DataDamaged, match="'k1'"):
        await check_ring(festival.stage.db, vault(festival, KeyRing({"k2": NEW_KEK, "k1": NEW_KEK})), tenants)
    await check_ring(festival.stage.db, vault(festival, OVERLAP), tenants)


async def test_a_server_with_the_right_keys_starts(festival: Festival, database: Databases) -> None:
    await fill(festival, epochs=3)
    process = await begin(database, OLD, "serve", "--port", "0")
    assert process.stdout is not None
    async with asyncio.timeout(ENDS_WITHIN_S):
        assert b"listening on" in await process.stdout.readline()
        process.terminate()
        await process.communicate()
    assert process.returncode == 0


def vault(festival: Festival, ring: KeyRing) -> KeyVault:
    """Return a vault with a ring."""
    return festival.elsewhere(ring).vault
