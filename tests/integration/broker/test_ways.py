"""A gate that loses one way to its server, or both: it takes what there is, comes back, and no record is lost or doubled."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import msgspec
import pytest
from aiohttp import web

from gate.identity import load_identity, save_identity
from gate.sync.problems import ServerAway
from gate.sync.ways import Way
from shared.clock import ManualClock
from shared.settings import Secret
from shared.sync.wire import Welcome
from tests.conftest import Databases
from tests.integration.broker.agents import Post, enrol_at, scan_junk, stored_seqs
from tests.integration.broker.stage import RING, Exchange, open_exchange, plan_of
from tests.integration.server.doors.house import open_house
from tests.services.plugin import VirtualHost
from tests.services.processes import free_port
from tests.services.wire import open_wire


@pytest.fixture
def clock() -> ManualClock:
    """Give the server the gates' time: they go by the machine's clock."""
    return ManualClock(datetime.now(UTC))


def through(url: str, port: int) -> str:
    """Return an address with another port."""
    parts = urlsplit(url)
    account = f"{parts.username}:{parts.password}@" if parts.username else ""
    return parts._replace(netloc=f"{account}{parts.hostname}:{port}").geturl()


def broker_port(vhost: VirtualHost) -> int:
    return urlsplit(vhost.url).port or 5672


async def send_to(post: Post, server: str) -> None:
    """Have a gate look for its server elsewhere."""
    identity = await asyncio.to_thread(load_identity, post.directory)
    await asyncio.to_thread(save_identity, post.directory, msgspec.structs.replace(identity, server=server))


@asynccontextmanager
async def login_page(port: int) -> AsyncIterator[None]:
    """Answer everything with a network's login page."""

    async def answer(_: web.BaseRequest) -> web.Response:
        return web.Response(text="<html>Welcome! Accept our terms.</html>", content_type="text/html")

    runner = web.ServerRunner(web.Server(answer))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port, reuse_address=True).start()
    try:
        yield
    finally:
        await runner.cleanup()


async def test_gate_goes_by_websocket_while_the_broker_is_away_and_back_when_it_answers(
    database: Databases, clock: ManualClock, vhost: VirtualHost, tmp_path: Path
) -> None:
    port = free_port()
    async with open_exchange(database, clock, vhost, port) as exchange:
        post = await enrol_at(exchange, tmp_path / "north")
        async with post.running() as gate:
            await gate.until(lambda now: now.way == Way.WEBSOCKET)
            await scan_junk(gate, 10, "by socket")
            async with open_wire(broker_port(vhost), port) as wire:
                await gate.until(lambda now: now.way == Way.BROKER)
                await scan_junk(gate, 10, "by broker")
                for number in range(3):
                    wire.cut()
                    await scan_junk(gate, 10, f"cut {number}")
                    await gate.until(lambda now: now.way == Way.BROKER)
                await gate.until(lambda now: now.backlog == 0)
            await gate.until(lambda now: now.way == Way.WEBSOCKET)
            await scan_junk(gate, 10, "by socket again")
            await gate.until(lambda now: now.backlog == 0)
        assert await stored_seqs(exchange, post.gate) == list(range(1, 61))


async def test_broker_that_is_away_altogether_holds_nobody_up_and_is_made_ready_when_it_comes(
    database: Databases, clock: ManualClock, vhost: VirtualHost, tmp_path: Path
) -> None:
    plan, door, office = plan_of(vhost), free_port(), free_port()
    api = urlsplit(vhost.api_url)
    away = msgspec.structs.replace(
        plan,
        url=Secret(through(vhost.url, door)),
        management_url=Secret(through(vhost.api_url, office)),
        address=through(plan.address, door),
    )
    async with open_house(database, clock, ring=RING, gate_broker=away) as house:
        exchange = Exchange(house=house, vhost=vhost)
        post = await enrol_at(exchange, tmp_path / "north")
        async with post.running() as gate:
            await gate.until(lambda now: now.way == Way.WEBSOCKET and gate.agent.view.ready)
            await scan_junk(gate, 5, "away")
            await gate.until(lambda now: now.backlog == 0)
            async with open_wire(broker_port(vhost), door), open_wire(api.port or 15672, office):
                await gate.until(lambda now: now.way == Way.BROKER)
                await scan_junk(gate, 5, "there")
                await gate.until(lambda now: now.backlog == 0)
        assert await stored_seqs(exchange, post.gate) == list(range(1, 11))


async def test_second_link_of_a_gate_waits_until_the_first_is_gone(
    database: Databases, clock: ManualClock, vhost: VirtualHost
) -> None:
    async with open_exchange(database, clock, vhost) as exchange:
        gate = await exchange.house.stage.enrol()
        access = await exchange.access(gate)
        first = await exchange.dial(gate, access)
        with pytest.raises(ServerAway, match="still reads"):
            await exchange.dial_once(gate, access)
        await first.link.close()
        second = await exchange.dial_once(gate, access)
        await second.introduce(gate)
        await second.until(Welcome)
        await second.link.close()


async def test_confirmations_lost_with_the_link_lead_to_no_second_record(
    database: Databases, clock: ManualClock, vhost: VirtualHost, tmp_path: Path
) -> None:
    async with open_wire(broker_port(vhost)) as wire, open_exchange(database, clock, vhost, wire.port) as exchange:
        post = await enrol_at(exchange, tmp_path / "north")
        async with post.running() as gate:
            await gate.until(lambda now: now.way == Way.BROKER and gate.agent.view.ready)
            wire.hold_answers()
            await scan_junk(gate, 30, "unanswered")
            wire.cut()
            await gate.until(lambda now: now.linked and now.backlog == 0)
        assert await stored_seqs(exchange, post.gate) == list(range(1, 31))


async def test_gate_that_reaches_only_the_broker_loads_everything_from_the_stream(
    database: Databases, clock: ManualClock, vhost: VirtualHost, tmp_path: Path
) -> None:
    async with open_exchange(database, clock, vhost) as exchange:
        await exchange.house.stage.issue(20)
        first = await enrol_at(exchange, tmp_path / "first")
        async with first.running() as gate:
            await gate.until(lambda now: now.way == Way.BROKER and now.tickets == 20)
        post = await enrol_at(exchange, tmp_path / "late")
        await send_to(post, f"http://127.0.0.1:{free_port()}")
        async with post.running() as gate:
            await gate.until(lambda now: now.way == Way.BROKER and now.tickets == 20)
            await exchange.house.stage.issue(5)
            await gate.until(lambda now: now.tickets == 25)
            await scan_junk(gate, 5, "late")
            await gate.until(lambda now: now.backlog == 0)
        assert await stored_seqs(exchange, post.gate) == [1, 2, 3, 4, 5]


async def test_login_page_of_the_network_is_told_from_the_server_and_the_broker(
    database: Databases, clock: ManualClock, vhost: VirtualHost, tmp_path: Path
) -> None:
    broker_door, server_door = free_port(), free_port()
    async with open_exchange(database, clock, vhost, broker_door) as exchange:
        post = await enrol_at(exchange, tmp_path / "north")
        await send_to(post, f"http://127.0.0.1:{server_door}")
        server_port = urlsplit(exchange.house.base_url).port
        assert server_port is not None
        async with post.running() as gate:
            async with open_wire(broker_port(vhost), broker_door), open_wire(server_port, server_door):
                await gate.until(lambda now: now.way == Way.BROKER and gate.agent.view.ready)
            async with login_page(broker_door), login_page(server_door):
                status = await gate.until(lambda now: now.hindrance == "not_our_server")
                assert (status.linked, status.way) == (False, None)
                await scan_junk(gate, 5, "offline")
            async with open_wire(broker_port(vhost), broker_door), open_wire(server_port, server_door):
                status = await gate.until(lambda now: now.way == Way.BROKER and now.backlog == 0)
                assert status.hindrance is None
        assert await stored_seqs(exchange, post.gate) == [1, 2, 3, 4, 5]
