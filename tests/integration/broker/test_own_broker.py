"""A broker that is cut off in the middle of it all, and one whose certificate only its own authority vouches for."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
from msgspec.structs import replace

from gate.broker import save_access
from gate.sync.problems import NotOurServer
from gate.sync.ways import Way
from server.bus.gate_office import open_office
from server.bus.gate_topology import GATES, SCANS, WORDS, joined
from server.bus.problems import BusAway
from server.bus.rabbit import open_rabbit
from server.bus.rabbit_link import RabbitPlan
from server.bus.topology import TICKETS
from server.services.broker_keeper import BrokerKeeper
from server.services.feed_press import FeedPress, PressParts
from server.services.ports_bus import Outcome, Posting
from server.services.snapshot import Snapshots
from shared.clock import ManualClock
from shared.settings import Secret
from shared.sync.broker import UP
from shared.sync.wire import Welcome
from tests.conftest import Databases
from tests.contract.bus.rig import Inbox, consuming
from tests.integration.broker.agents import enrol_at, scan_junk, stored_seqs
from tests.integration.broker.stage import open_exchange
from tests.integration.server.doors.stage import open_stage
from tests.services.certificates import TLS_NAME, make_authority, write_pem
from tests.services.messages import Request
from tests.services.plugin import Broker, VirtualHost, open_vhost
from tests.services.private import PrivateService

RECOVERY_S = 120
"""A broker that comes back reads its queues and streams before it answers anybody."""


@pytest.fixture(scope="module")
def service() -> Iterator[PrivateService]:
    """Give a RabbitMQ that a test may restart."""
    with PrivateService(Request(service="rabbitmq")) as started:
        yield started


@pytest.fixture
async def own_vhost(service: PrivateService) -> AsyncIterator[VirtualHost]:
    """Give a virtual host in it."""
    running = service.running
    async with open_vhost(Broker(amqp_url=running.url, api_url=running.api_url)) as opened:
        yield opened


@pytest.fixture
def clock() -> ManualClock:
    """Give the server the gates' time: they go by the machine's clock."""
    return ManualClock(datetime.now(UTC))


async def test_broker_cut_off_while_gates_hand_over_costs_no_record(
    database: Databases, clock: ManualClock, service: PrivateService, own_vhost: VirtualHost, tmp_path: Path
) -> None:
    async with open_exchange(database, clock, own_vhost) as exchange:
        posts = [await enrol_at(exchange, tmp_path / name) for name in ("north", "south")]
        async with posts[0].running() as north, posts[1].running() as south:
            gates = (north, south)
            for gate in gates:
                await gate.until(lambda now: now.way == Way.BROKER)
                await gate.until(lambda _, of=gate: of.agent.view.ready)  # type: ignore[misc] # bound at once
                await scan_junk(gate, 250, "before")
            restart = asyncio.create_task(asyncio.to_thread(service.restart, cut_off=True))
            for gate in gates:
                await scan_junk(gate, 100, "meanwhile")
            await restart
            for gate in gates:
                await scan_junk(gate, 50, "after")
                await gate.until(lambda now: now.linked and now.backlog == 0, RECOVERY_S)
                await gate.until(lambda now: now.way == Way.BROKER, RECOVERY_S)
            await exchange.house.stage.issue(3)
            for gate in gates:
                await gate.until(lambda now: now.tickets == 3)
        for post in posts:
            assert await stored_seqs(exchange, post.gate) == list(range(1, 401))


async def test_gate_believes_the_brokers_own_authority_and_nobody_else(
    database: Databases, clock: ManualClock, service: PrivateService, own_vhost: VirtualHost, tmp_path: Path
) -> None:
    running = service.running
    async with open_exchange(database, clock, own_vhost) as exchange:
        gate = await exchange.house.stage.enrol()
        plain = await exchange.access(gate)
        await exchange.settled(gate)
        tls = f"amqps://{TLS_NAME}:{running.tls_port}/{own_vhost.name}"
        good = replace(plain, address=tls, authority=running.authority)
        line = await exchange.dial_once(gate, good)
        await line.introduce(gate)
        await line.until(Welcome)
        await line.link.close()
        stranger = write_pem(make_authority()[0])
        by_address = f"amqps://127.0.0.1:{running.tls_port}/{own_vhost.name}"
        no_tls_there = f"amqps://{TLS_NAME}:{running.port}/{own_vhost.name}"
        for wrong in (
            replace(good, authority=stranger),
            replace(good, authority=None),
            replace(good, address=by_address),
            replace(good, address=no_tls_there),
        ):
            with pytest.raises(NotOurServer):
                await exchange.dial_once(gate, wrong)
        # The whole gate goes that way too, and by WebSocket where nobody vouches for the broker.
        post = await enrol_at(exchange, tmp_path / "north")
        for authority, way in ((running.authority, Way.BROKER), (stranger, Way.WEBSOCKET)):
            await asyncio.to_thread(save_access, post.directory, replace(post.access, address=tls, authority=authority))
            async with post.running() as agent:
                await agent.until(lambda now, way=way: now.way == way)  # type: ignore[misc] # bound at once


async def test_the_server_believes_the_brokers_own_authority_and_nobody_else(
    service: PrivateService, own_vhost: VirtualHost, tmp_path: Path
) -> None:
    running = service.running
    parts = urlsplit(own_vhost.url)
    for name, authority, host in (
        ("own", running.authority, TLS_NAME),
        ("stranger", write_pem(make_authority()[0]), TLS_NAME),
        ("by address", running.authority, "127.0.0.1"),
    ):
        file = tmp_path / f"{name}.pem"
        file.write_text(authority)
        place = f"{parts.username}:{parts.password}@{host}:{running.tls_port}"
        address = parts._replace(scheme="amqps", netloc=place, query=f"cafile={file}").geturl()
        async with open_rabbit(RabbitPlan(url=Secret(address), tries=1)) as bus:
            if name == "own":
                await bus.check()
                continue
            with pytest.raises(BusAway, match=r"(?i)certificate"):
                await bus.check()


async def test_what_a_broker_cannot_start_after_a_power_cut_works_again_after_one_look(
    database: Databases, clock: ManualClock, service: PrivateService
) -> None:
    running = service.running
    async with open_vhost(Broker(amqp_url=running.url, api_url=running.api_url)) as vhost:
        plan = RabbitPlan(url=Secret(vhost.url), topology=joined(TICKETS, GATES), tries=2)
        async with open_stage(database, clock) as stage, open_office(Secret(vhost.api_url), vhost.name) as office:
            async with stage.db.tenant(stage.tenant) as tx:
                await tx.broker.want_stream(stage.event)
            keeper = BrokerKeeper(office, stage.db, clock)
            await keeper.inspect()
            await keeper.run_once()
            # The queues and the stream are there, and hardly written down anywhere.
            await asyncio.to_thread(service.restart, cut_off=True)
            await keeper.inspect()
            await keeper.run_once()
            async with open_rabbit(plan) as bus:
                for queue, kind in ((SCANS, "scans"), (WORDS, "words")):
                    key, inbox = f"{kind}.{uuid4()}.{uuid4()}", Inbox(Outcome.DONE)
                    await bus.post(Posting(exchange=UP, key=key, message_id="m1", body=b"x", must_route=True))
                    async with consuming(bus, inbox, queue):
                        assert [one.key for one in await inbox.have(1)] == [key]
                parts = PressParts(
                    context=stage.context,
                    book=stage.db,
                    bus=bus,
                    snapshots=Snapshots(stage.db, stage.vault, os.urandom),
                )
                assert await FeedPress(parts).run_once() == 1
            async with stage.db.worker() as unit:
                [row] = await unit.broker.streams()
            assert row.begun_seq is not None
            assert not set((await office.list_streams()).broken) - {f"ticket.feed.{stage.tenant}.{stage.event}"}
            assert await office.find_stuck() == []
