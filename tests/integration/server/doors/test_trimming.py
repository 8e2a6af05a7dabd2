"""How long the feed is kept, and what a gate hears that comes back too late for it."""

from __future__ import annotations

import os
from datetime import datetime, timedelta

from server.services.snapshot import Snapshots
from server.services.sweep import sweep
from server.services.trimming import trim_feeds
from shared.sync.wire import Ping, SnapshotNeeded
from tests.integration.server.doors.house import House
from tests.integration.server.doors.linked import enter, settle
from tests.integration.server.doors.paper_gate import PaperGate
from tests.integration.server.doors.stage import Stage


async def say_position(stage: Stage, gate: PaperGate, feed_seq: int) -> None:
    """Have a gate's heartbeat say how far it is."""
    ping = Ping(sent_ms=1, backlog=0, feed_seq=feed_seq, bundle_version=0)
    async with stage.db.tenant(stage.tenant) as tx:
        await tx.gates.beat(gate.id, ping, stage.clock.now())


async def oldest(stage: Stage) -> int | None:
    """Return the first entry that is left."""
    async with stage.db.tenant(stage.tenant) as tx:
        return await tx.feed.oldest(stage.event)


async def server_clock(stage: Stage) -> datetime:
    """Return the database's time, by which entries are dated."""
    async with stage.db.worker() as unit:
        return await unit.maintenance.server_clock()


async def test_only_what_every_gate_and_a_snapshot_is_past_goes(stage: Stage) -> None:
    now = await server_clock(stage)
    ahead, behind, lost = [await stage.enrol(name) for name in ("Ahead", "Behind", "Lost")]
    await stage.issue(20)
    await stage.relay_all()
    await stage.enrolment.revoke(stage.tenant, lost.id, stage.clock.now())
    await say_position(stage, ahead, 22)
    assert await trim_feeds(stage.db, now) == 0
    await Snapshots(stage.db, stage.vault, os.urandom).current(stage.tenant, stage.event, stage.clock.now())
    assert await trim_feeds(stage.db, now) == 0
    await say_position(stage, behind, 9)
    assert await trim_feeds(stage.db, now, batch=4) == 9
    assert await oldest(stage) == 10
    assert await trim_feeds(stage.db, now) == 0
    await say_position(stage, behind, 22)
    await stage.issue(5)
    await stage.relay_all()
    await trim_feeds(stage.db, now)
    assert await oldest(stage) == 23


async def test_what_is_a_week_old_goes_whoever_lacks_it(stage: Stage) -> None:
    await stage.enrol()
    await stage.issue(10)
    await stage.relay_all()
    now = await server_clock(stage)
    assert await trim_feeds(stage.db, now + timedelta(days=7) - timedelta(minutes=1)) == 0
    stage.clock.advance(now + timedelta(days=7, minutes=1) - stage.clock.now())
    head = len(await stage.feed())
    assert (await sweep(stage.context, stage.db)).trimmed == head
    assert await oldest(stage) is None
    await stage.issue(1)
    await stage.relay_all()
    assert [entry.seq for entry in await stage.feed()] == [head + 1]


async def test_what_the_broker_has_not_been_given_yet_stays(stage: Stage) -> None:
    await stage.issue(10)
    await stage.relay_all()
    async with stage.db.tenant(stage.tenant) as tx:
        await tx.broker.want_stream(stage.event)
        stream = await tx.broker.stream(stage.event)
    assert stream is not None
    later = await server_clock(stage) + timedelta(days=8)
    assert await trim_feeds(stage.db, later) == 0
    async with stage.db.worker() as unit:
        await unit.broker.mark_published(stream, 4)
    assert await trim_feeds(stage.db, later) == 4
    assert await oldest(stage) == 5


async def test_a_gate_behind_what_is_left_is_sent_to_the_snapshot(house: House) -> None:
    stage = house.stage
    gate = await stage.enrol()
    await stage.issue(10)
    head = await settle(house)
    assert await trim_feeds(stage.db, await server_clock(stage) + timedelta(days=8)) == head
    _, frames = await enter(house, gate, feed_seq=3)
    assert isinstance(frames[-1], SnapshotNeeded)
    status, answer = await house.ask("GET", f"/gate/v1/feed?event={stage.event}&after=3", house.gate(gate))
    assert isinstance(answer, dict)
    assert (status, answer["code"]) == (410, "feed_too_old")
    wire, _ = await enter(house, gate, feed_seq=head)
    await stage.issue(1)
    reached = await settle(house)
    assert reached == head + 2
    await wire.socket.close()
