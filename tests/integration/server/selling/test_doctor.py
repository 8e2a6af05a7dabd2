"""The doctor sees what is wrong, one finding a check, and goes on to the next."""

from __future__ import annotations

from datetime import timedelta

from msgspec.structs import replace

from server.doctor import Finding, examine
from shared.clock import ManualClock, SystemClock
from shared.codes.keys import KeyRing
from tests.conftest import Databases
from tests.integration.server.schema.connections import connected, in_database
from tests.integration.server.selling.stage import Shop, plan_for

NEW = KeyRing({"k2": bytes(range(100, 132))})


async def findings(
    plan_database: Databases, clock: ManualClock | None = None, ring: KeyRing | None = None
) -> dict[str, Finding]:
    """Examine a test's database with the machine's clock and the right key, unless others are given."""
    plan = replace(plan_for(plan_database, ManualClock(SystemClock().now())), clock=clock or SystemClock())
    return {one.name: one for one in await examine(plan if ring is None else replace(plan, ring=ring))}


async def test_a_sound_database_is_found_sound(shop: Shop, database: Databases) -> None:
    await shop.buy(shop.buyer())
    found = await findings(database)
    assert list(found) == ["database", "roles", "walls", "schema", "clock", "keys", "facts", "broker", "redis"]
    assert [one for one in found.values() if not one.ok] == []
    assert "1 keys of 1 tenants" in found["keys"].detail


async def test_a_ring_that_does_not_open_the_keys_is_noticed(shop: Shop, database: Databases) -> None:
    await shop.buy(shop.buyer())
    found = await findings(database, ring=NEW)
    assert [one.name for one in found.values() if not one.ok] == ["keys"]
    assert "QR_ENCRYPTION_KEY" in found["keys"].detail


async def test_clocks_that_disagree_are_noticed(database: Databases) -> None:
    found = await findings(database, clock=ManualClock(SystemClock().now() - timedelta(seconds=30)))
    assert [one.name for one in found.values() if not one.ok] == ["clock"]
    assert "s apart" in found["clock"].detail


async def test_each_damage_is_a_finding_of_its_own(database: Databases) -> None:
    async with connected(database.owner_dsn) as owner:
        await owner.execute("ALTER TABLE tickets NO FORCE ROW LEVEL SECURITY")
        await owner.execute("DELETE FROM schema_migrations WHERE version = 3")
    found = await findings(database)
    assert [one.name for one in found.values() if not one.ok] == ["walls", "schema"]


async def test_a_superuser_is_a_finding(database: Databases, postgres: str) -> None:
    found = await findings(replace(database, app_dsn=in_database(postgres, database.app_dsn)))
    assert [one.name for one in found.values() if not one.ok] == ["roles"]
