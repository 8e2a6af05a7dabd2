"""A gate that is revoked while the server lacks some of its scans."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gate.store.log import open_log
from gate.store.world import open_world
from gate.sync.problems import DeviceRevoked
from tests.integration.gate.door_server import DoorServer
from tests.integration.gate.harness import gate_running, run_to_its_end
from tests.integration.gate.venue import Venue, enrol_by_hand, identity


async def enrolled(directory: Path, port: int) -> DoorServer:
    """Return a server with three tickets that knows the gate of this directory."""
    keys = await asyncio.to_thread(enrol_by_hand, directory, identity(f"http://127.0.0.1:{port}"))
    venue = Venue(datetime.now(UTC))
    server = DoorServer(venue, keys)
    server.feed = venue.entries(3)
    return server


async def test_scans_the_server_lacks_are_handed_in_once_the_gate_hears_of_it(
    tmp_path: Path, unused_tcp_port: int
) -> None:
    server = await enrolled(tmp_path, unused_tcp_port)
    venue = server.venue
    async with gate_running(tmp_path) as gate:
        async with server.serving(unused_tcp_port):
            await gate.until(lambda now: now.linked and now.tickets == 3)
        await gate.until(lambda now: not now.linked)
        for number in (1, 2):
            await gate.show(venue.code(venue.ticket(number), datetime.now(UTC)))
        assert gate.agent.driver.backlog == 2
        server.problem = (403, "device_revoked")
        async with server.serving(unused_tcp_port):
            await gate.until(lambda now: now.keys_until is None and now.backlog == 0)
    [signed] = server.quarantine
    assert (signed.batch.first_seq, len(signed.batch.records)) == (1, 2)
    assert server.records == []


async def test_a_gate_that_knows_hands_in_what_is_left_at_its_next_start(tmp_path: Path, unused_tcp_port: int) -> None:
    server = await enrolled(tmp_path, unused_tcp_port)
    venue = server.venue
    async with gate_running(tmp_path) as gate:
        async with server.serving(unused_tcp_port):
            await gate.until(lambda now: now.linked and now.tickets == 3)
        await gate.until(lambda now: not now.linked)
        await gate.show(venue.code(venue.ticket(1), datetime.now(UTC)))
        gate.stop()
        gate.stop()
    world = await open_world(tmp_path)
    await world.revoke()
    await world.close()
    server.problem = (403, "device_revoked")
    async with server.serving(unused_tcp_port):
        with pytest.raises(DeviceRevoked):
            await run_to_its_end(tmp_path)
    [signed] = server.quarantine
    assert len(signed.batch.records) == 1
    log = await open_log(tmp_path, signed.batch.incarnation)
    try:
        assert log.acked == 1
    finally:
        await log.close()
