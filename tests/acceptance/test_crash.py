"""A server that is killed between any two statements of a call leaves all of it or nothing, and repeating it finishes it once."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest
from msgspec import Struct

from server.auth.user_token import UserTokens
from shared.clock import SystemClock
from shared.settings import Secret
from tests.acceptance.books import find_contradictions
from tests.acceptance.crash_calls import CALLS, Call, Customers, Prepare
from tests.acceptance.crash_nursery import Nursery, Server, open_nursery
from tests.acceptance.crash_wire import CrashWire, laid_wire
from tests.acceptance.overselling_crowd import put_on_sale
from tests.acceptance.server.program import ready
from tests.acceptance.test_overselling import environ_of, plan_of
from tests.conftest import Databases
from tests.integration.server.schema.connections import Connection, connected, in_database

FEWEST_STATEMENTS = 6
"""A call of fewer was not seen through: every one begins, claims its key, acts, keeps its answer and commits."""


class House(Struct, frozen=True, kw_only=True, eq=False):
    """Everything a test of crashes needs."""

    nursery: Nursery
    wire: CrashWire
    environ: dict[str, str]
    customers: Customers
    superuser: Connection

    async def serve(self) -> Server:
        """Start a server and wait until it is well."""
        server = await self.nursery.serve(self.environ)
        await ready(server.base_url)
        return server

    async def until_alone(self) -> None:
        """Return once PostgreSQL has noticed that the server is gone, and undone what it had not committed."""
        others = """
            SELECT count(*) FROM pg_stat_activity
            WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
        """
        async with asyncio.timeout(30):
            while await self.superuser.fetchval(others):
                pass

    async def until_told(self) -> None:
        """Return once everything that waited to be told was told."""
        waiting = "SELECT (SELECT count(*) FROM outbox) + (SELECT count(*) FROM facts)"
        async with asyncio.timeout(30):
            while await self.superuser.fetchval(waiting):
                pass

    async def effects(self, call: Call) -> int:
        """Return how many times the call had its effect."""
        return len(await self.superuser.fetch(call.effect, call.subject))


@asynccontextmanager
async def open_house(database: Databases, postgres: str) -> AsyncIterator[House]:
    """Put something on sale, with the wire between the servers to come and their database."""
    environ = environ_of(database)
    offer = await put_on_sale(plan_of(environ), (5000, 5000))
    async with (
        laid_wire(database.app_dsn) as wire,
        open_nursery() as nursery,
        connected(in_database(postgres, database.owner_dsn)) as superuser,
    ):
        tokens = UserTokens(Secret(environ["JWT_SECRET"]), SystemClock())
        yield House(
            nursery=nursery,
            wire=wire,
            environ=environ | {"DATABASE_URL": wire.dsn},
            customers=Customers(tokens=tokens, offer=offer),
            superuser=superuser,
        )


@pytest.mark.parametrize("name", CALLS)
async def test_a_call_survives_the_death_of_its_server_after_any_statement(
    name: str, database: Databases, postgres: str
) -> None:
    async with open_house(database, postgres) as house:
        found_done = [at async for at in die_after_each_statement(house, CALLS[name])]
    assert len(found_done) >= FEWEST_STATEMENTS
    # What else the server does at that moment may take a statement's place, so only the two ends are certain.
    assert not found_done[0]
    assert True in found_done


async def die_after_each_statement(house: House, prepare: Prepare) -> AsyncIterator[bool]:
    """Kill after the first statement, the second, and so on; yield whether the call was done by then."""
    server = await house.serve()
    for number in itertools.count(1):
        call = await prepare(house.customers, server.base_url)
        house.wire.arm(server.process, number)
        answer = await call.send(server.base_url)
        house.wire.disarm()
        if not house.wire.cut.is_set():
            assert answer is not None, "the server died by itself"
            server.kill()
            return
        assert answer is None, "the answer came before its statements were carried out"
        await house.until_alone()
        done_before = await look(house, call)
        server = await house.serve()
        await repeat(house, call, server, done_before=done_before)
        yield done_before


async def look(house: House, call: Call) -> bool:
    """Tell whether a call was done, after making sure that nothing is half done."""
    place = f"after {house.wire.seen[-1]!r}"
    assert not await find_contradictions(house.superuser), place
    count = await house.effects(call)
    assert count <= 1, place
    return bool(count)


async def repeat(house: House, call: Call, server: Server, *, done_before: bool) -> None:
    """Repeat a call on a new server, twice: both times the same answer, and one effect in all."""
    first, second = await call.send(server.base_url), await call.send(server.base_url)
    place = f"after {house.wire.seen[-1]!r}"
    assert first is not None, place
    assert second is not None, place
    assert (first.status, second.status) == (call.status, call.status), (place, first.body, second.body)
    assert first.body == second.body, place
    if call.once:
        assert (first.replayed, second.replayed) == (done_before, True), place
    assert await house.effects(call) == 1, place
    await house.until_told()
    assert not await find_contradictions(house.superuser), place


async def test_the_wire_kills_and_what_was_not_committed_is_gone(database: Databases, postgres: str) -> None:
    """Prove that the instrument works: the reservation's last statement but the commit leaves nothing."""
    async with open_house(database, postgres) as house:
        server = await house.serve()
        call = await house.customers.reserving(server.base_url)
        house.wire.arm(server.process, 3)
        assert await call.send(server.base_url) is None
        assert len(house.wire.seen) == 3
        await house.until_alone()
        async with aiohttp.ClientSession() as session:
            with pytest.raises(aiohttp.ClientConnectionError):
                await session.get(server.base_url + "/health/live")
