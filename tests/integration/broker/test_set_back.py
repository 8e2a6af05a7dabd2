"""A server that was set back to a backup, while the broker's stream and the gates still hold what came after it."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager, AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

from msgspec.structs import replace

from gate.sync.ways import Way
from server.db.backup import check_target
from shared.clock import ManualClock
from shared.tickets.lifecycle import State
from tests.conftest import Databases
from tests.integration.broker.agents import enrol_at, scan_junk
from tests.integration.broker.stage import Exchange, open_exchange
from tests.integration.server.schema.connections import in_database
from tests.services.plugin import VirtualHost
from tests.services.processes import HOST
from tests.services.wire import Wire, open_wire
from tests.simulation.lanes import copy_of


def reach(exchange: Exchange, port: int = 0) -> AbstractAsyncContextManager[Wire]:
    """Have a server answer at an address that stays, whichever server it is."""
    own = urlsplit(exchange.house.base_url).port
    assert own is not None
    return open_wire(own, port)


async def test_gates_at_the_broker_forget_what_a_restored_server_never_said_and_hand_over_what_it_lost(
    database: Databases, postgres: str, vhost: VirtualHost, tmp_path: Path
) -> None:
    clock = ManualClock(datetime.now(UTC))
    async with AsyncExitStack() as stack:
        async with open_exchange(database, clock, vhost) as exchange:
            stage = exchange.house.stage
            kept = await stage.issue(3)
            async with reach(exchange) as wire:
                port = wire.port
                post = await enrol_at(exchange, tmp_path / "north", f"http://{HOST}:{port}")
            await exchange.streaming_of(stage)
        backup = await stack.enter_async_context(copy_of(postgres, database))
        north = await stack.enter_async_context(post.running())
        async with open_exchange(database, clock, vhost) as exchange, reach(exchange, port):
            stage = replace(stage, db=exchange.house.stage.db)
            await north.until(lambda now: now.way == Way.BROKER and now.tickets == 3, 60)
            await stage.issue(2)
            await stage.move(kept[0].id, State.REVOKED)
            await scan_junk(north, 4, "lost")
            await north.until(lambda now: now.tickets == 5 and now.backlog == 0, 60)
            told = north.agent.knowledge.feed_seq
        await check_target(in_database(postgres, backup.owner_dsn))
        async with open_exchange(backup, clock, vhost) as exchange, reach(exchange, port):
            # The gate has been linked to the broker all the time, and reads on where the stream goes on.
            stage = replace(stage, db=exchange.house.stage.db)
            await north.until(lambda now: now.way == Way.BROKER and now.tickets == 3 and now.backlog == 0, 60)
            for _ in range(6):
                await stage.issue(1)
            await north.until(lambda now: now.tickets == 9, 60)
            assert north.agent.knowledge.feed_seq == len(await stage.feed()) > told
            async with stage.db.tenant(stage.tenant) as tx:
                stored = await tx.scans.list_of_event(stage.event, None, 100)
            assert len(stored) == 4
