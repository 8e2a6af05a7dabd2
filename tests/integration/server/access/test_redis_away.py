"""A server without the Redis it was told of: limits count on here, and everything else goes on."""

from __future__ import annotations

from collections.abc import AsyncIterator
from uuid import uuid4

import aiohttp
import pytest
from msgspec.structs import replace

from server.app import run_server
from server.listening import bind
from shared.clock import ManualClock
from shared.problems import SettingsInvalid
from shared.settings import Secret
from tests.conftest import Databases
from tests.integration.server.access.stage import ACCESS, Door
from tests.integration.server.selling.client import Served
from tests.integration.server.selling.stage import open_shop, plan_for


@pytest.fixture
async def cut_off(database: Databases, clock: ManualClock) -> AsyncIterator[Door]:
    """Give a server whose Redis is where nobody listens."""
    with bind("127.0.0.1", 0) as nobody, bind("127.0.0.1", 0) as listener:
        closed = nobody.getsockname()[1]
        nobody.close()
        url = Secret(f"redis://127.0.0.1:{closed}/0")
        plan = replace(plan_for(database, clock), access=ACCESS, redis_url=url)
        async with (
            run_server(plan, listener) as running,
            open_shop(running.parts, clock) as shop,
            aiohttp.ClientSession() as session,
        ):
            served = Served(running=running, shop=shop, session=session)
            yield Door(served=served, ada=shop.buyer())


async def test_people_and_services_go_on(cut_off: Door) -> None:
    reply = await cut_off.served.call("GET", "/api/v1/tickets", cut_off.ada)
    assert (reply.status, reply.headers["RateLimit-Remaining"]) == (200, "299")
    again = await cut_off.served.call("GET", "/api/v1/tickets", cut_off.ada)
    assert again.headers["RateLimit-Remaining"] == "298"
    signed = await cut_off.signed("GET", f"/internal/tickets/{uuid4()}")
    assert (signed.status, signed.code) == (404, "ticket_not_found")
    forged = await cut_off.signed("GET", f"/internal/tickets/{uuid4()}", sent_signature="0" * 64)
    assert (forged.status, forged.code) == (401, "service_signature_invalid")


async def test_an_address_that_is_none_of_a_redis_stops_the_start(database: Databases, clock: ManualClock) -> None:
    plan = replace(plan_for(database, clock), redis_url=Secret("http://127.0.0.1"))
    with bind("127.0.0.1", 0) as listener, pytest.raises(SettingsInvalid, match="REDIS_URL"):
        async with run_server(plan, listener):
            pytest.fail("it started")
