"""Everything that has to run beside the requests does, and health says when something does not."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import aiohttp
import pytest
from msgspec.structs import replace

from server.app import run_server
from server.background import background_work
from server.listening import bind
from shared.clock import ManualClock
from shared.settings import Secret
from tests.conftest import Databases
from tests.integration.server.selling.client import Served, serve_shop
from tests.integration.server.selling.stage import open_shop, plan_for
from tests.services.processes import HOST, free_port

ALWAYS = {"relay", "hub", "sweeper", "key_keeper", "publisher", "inbox"}


@pytest.fixture
async def served(database: Databases, clock: ManualClock) -> AsyncIterator[Served]:
    """Give a server that has no broker."""
    async with serve_shop(database, clock) as running:
        yield running


async def test_every_loop_really_runs(served: Served) -> None:
    await served.until_ready()
    parts = served.running.parts
    pulses = {pulse.name: pulse for pulse in parts.pulses.all()}
    assert set(pulses) == {worker.name for worker in background_work(parts)}
    assert set(pulses) >= ALWAYS
    for pulse in pulses.values():
        await pulse.check()
        assert pulse.beats >= 1, pulse.name
    async with asyncio.timeout(20):
        while not (parts.relay.leading and parts.publisher.leading):
            await served.call("GET", "/health/live")
    ready = (await served.call("GET", "/health/ready")).json["parts"]
    assert isinstance(ready, dict)
    assert set(ready) >= ALWAYS | {"database", "relay_session"}
    assert "broker" not in ready


@pytest.mark.parametrize("name", sorted(ALWAYS))
async def test_a_loop_that_ended_takes_the_server_out_of_service(served: Served, name: str) -> None:
    await served.until_ready()
    (pulse,) = [one for one in served.running.parts.pulses.all() if one.name == name]
    pulse.stop()
    ready = await served.until_down()
    parts = ready.json["parts"]
    assert isinstance(parts, dict)
    assert (ready.status, parts[name]["status"], parts[name]["code"]) == (503, "down", "worker_stopped")
    assert (await served.call("GET", "/health/live")).status == 200


async def test_without_its_redis_a_server_is_degraded_and_serves(database: Databases, clock: ManualClock) -> None:
    plan = replace(plan_for(database, clock), redis_url=Secret(f"redis://{HOST}:{free_port()}/0"))
    with bind(HOST, 0) as listener:
        async with (
            run_server(plan, listener) as running,
            open_shop(running.parts, clock) as shop,
            aiohttp.ClientSession() as session,
        ):
            served = Served(running=running, shop=shop, session=session)
            await served.until_ready()
            ready = await served.call("GET", "/health/ready")
            parts = ready.json["parts"]
            assert isinstance(parts, dict)
            assert (ready.status, ready.json["status"]) == (200, "degraded")
            assert (parts["redis"]["status"], parts["redis"]["code"]) == ("degraded", "ephemeral_unavailable")
            assert len(await served.buy(shop.buyer(), 1)) == 1
