"""Five thousand people at once on the last thousand places, through four servers: every place is sold once."""

from __future__ import annotations

import asyncio
import base64
import os
from contextlib import AsyncExitStack

import pytest

from server.auth.user_token import UserTokens
from server.parts import ServerPlan
from shared.clock import SystemClock
from shared.codes.keys import parse_key_ring
from shared.settings import Secret
from tests.acceptance.books import find_contradictions
from tests.acceptance.overselling_crowd import Crowd, put_on_sale
from tests.acceptance.server.program import Program, served
from tests.conftest import Databases
from tests.integration.server.schema.connections import Connection, connected, in_database

pytestmark = pytest.mark.alone

SERVERS = 4
PEOPLE = 5000
PLACES = (600, 400)
PATIENCE_S = 300
DEADLOCKS = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"


def environ_of(database: Databases) -> dict[str, str]:
    """Return what a server on a test's database is told."""
    return {
        "DATABASE_URL": database.app_dsn,
        "WORKER_DATABASE_URL": database.worker_dsn,
        "JWT_SECRET": os.urandom(40).hex(),
        "QR_ENCRYPTION_KEY": base64.b64encode(os.urandom(32)).decode(),
        "PAYMENTS": "demo",
        "LOG_LEVEL": "error",
    }


def plan_of(environ: dict[str, str]) -> ServerPlan:
    """Return the same as the plan of a server in this process."""
    return ServerPlan(
        app_dsn=environ["DATABASE_URL"],
        worker_dsn=environ["WORKER_DATABASE_URL"],
        jwt_secret=Secret(environ["JWT_SECRET"]),
        ring=parse_key_ring(environ["QR_ENCRYPTION_KEY"]),
    )


async def until_fed(superuser: Connection, tickets: int) -> None:
    """Return once the gates' feed tells of every ticket."""
    async with asyncio.timeout(60):
        while await superuser.fetchval("SELECT count(*) FROM outbox") > 0:
            await superuser.execute("SELECT pg_stat_clear_snapshot()")
        assert await superuser.fetchval("SELECT count(*) FROM feed") >= tickets


@pytest.mark.timeout(PATIENCE_S)
async def test_five_thousand_people_buy_a_thousand_places_and_not_one_more(database: Databases, postgres: str) -> None:
    environ = environ_of(database)
    offer = await put_on_sale(plan_of(environ), PLACES)
    first, second = offer.types
    # The third kind of buyer locks both types, one time named in this order, one time in that.
    kinds = ((first,), (second,), (first, second), (first,), (second,), (second, first))
    crowd = Crowd(
        tokens=UserTokens(Secret(environ["JWT_SECRET"]), SystemClock()),
        offer=offer,
        wants=[kinds[number % len(kinds)] for number in range(PEOPLE)],
    )
    async with AsyncExitStack() as stack, connected(in_database(postgres, database.owner_dsn)) as superuser:
        programs: list[Program] = [await stack.enter_async_context(served(**environ)) for _ in range(SERVERS)]
        ends, tickets = await crowd.rush([program.base_url for program in programs])
        assert set(ends) == {"bought", "not_enough_left"}
        assert sum(ends.values()) == PEOPLE
        assert len(tickets) == len(set(tickets)) == sum(PLACES)
        # Whoever waits for others in a circle is let down after a second: with one order of locks nobody does.
        assert await superuser.fetchval(DEADLOCKS) == 0
        counters = await superuser.fetch("SELECT available, reserved, sold, total FROM ticket_types ORDER BY product")
        assert [tuple(row) for row in counters] == [(0, 0, places, places) for places in PLACES]
        stored = {str(row[0]) for row in await superuser.fetch("SELECT id FROM tickets WHERE state = 'active'")}
        assert stored == set(tickets)
        await until_fed(superuser, sum(PLACES))
        assert not await find_contradictions(superuser)
