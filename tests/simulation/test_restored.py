"""The server's database is lost and comes back as it was some minutes ago, while gates go on; afterwards all is right."""

from __future__ import annotations

from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from server.db.pool import PgDatabase, open_database
from tests.conftest import Databases
from tests.simulation.deeds import do_deed
from tests.simulation.evening import Evening, Plan, Size, open_evening
from tests.simulation.evidence import gather
from tests.simulation.lanes import copy_of
from tests.simulation.oracle import judge
from tests.simulation.truth import Deed

SIZE = Size(gates=6, tickets=6)
PAST_THE_OLD_ONE = 12


async def opened(stack: AsyncExitStack, at: Databases) -> PgDatabase:
    return await stack.enter_async_context(open_database(at.app_dsn, at.worker_dsn))


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_gates_follow_a_server_that_was_set_back_and_lose_no_scan(
    postgres: str, database: Databases, files: Path, seed: int
) -> None:
    plan = Plan(seed=seed, exits=False, size=SIZE)
    async with AsyncExitStack() as stack, AsyncExitStack() as before:
        evening = await stack.enter_async_context(open_evening(await opened(before, database), files / "evening", plan))
        means, server = evening.means, evening.means.server
        await evening.begin()
        await evening.let_pass(6, 20_000)
        await do_deed(means, Deed.LOCK, 4)
        await evening.heal()
        # nobody may use a database while it is copied
        await server.die()
        await server.kill_relay()
        await before.aclose()
        backup = await stack.enter_async_context(copy_of(postgres, database))
        means.hall.door.behind = await opened(before, database)
        kept = len(evening.truth.changes)
        await evening.let_pass(6, 40_000)
        for deed, ticket in ((Deed.TRANSFER, 5), (Deed.UNLOCK, 4), (Deed.LOCK, 3)):
            await do_deed(means, deed, ticket)
        await evening.heal()
        told = evening.gates[0].life.engine.cursor if evening.gates[0].life is not None else 0
        await set_back(evening, await opened(stack, backup), kept)
        await go_past(evening, told)
        await evening.heal()
        complaints = judge(await gather(evening), evening.truth, one_past=False)
        assert not complaints, "\n".join(complaints)
        assert evening.truth.counts["doubted"] >= 1


async def set_back(evening: Evening, restored: PgDatabase, kept: int) -> None:
    """Put the backup in the place of the database; the half of the gates has no network and does not hear of it yet."""
    means = evening.means
    means.network.part(range(0, len(evening.gates), 2))
    await means.server.die()
    await means.server.kill_relay()
    means.hall.door.behind = restored
    # what was done to tickets since the backup is undone; who walked through which gate is not
    del evening.truth.changes[kept:]


async def go_past(evening: Evening, told: int) -> None:
    """Let the restored server's feed reach further than the old one's did, with other entries under the same numbers."""
    means = evening.means
    await evening.let_pass(4, 30_000)
    for _ in range(PAST_THE_OLD_ONE):
        await do_deed(means, Deed.LOCK, 2)
        await do_deed(means, Deed.UNLOCK, 2)
    await evening.let_pass(0, 20_000)
    async with means.hall.db.tenant(means.hall.tenant) as tx:
        assert await tx.feed.head(means.hall.event.id) > told
