"""Events' feeds in their streams: begun with a snapshot, continued without a gap, begun anew when the broker lost one."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from datetime import timedelta

import aio_pika
import pytest
from aio_pika.abc import AbstractIncomingMessage
from msgspec import Struct
from msgspec.structs import replace

from server.bus.gate_office import RabbitOffice, open_office
from server.bus.gate_topology import GATES, joined
from server.bus.problems import Unroutable
from server.bus.rabbit import open_rabbit
from server.bus.rabbit_link import RabbitPlan
from server.bus.topology import TICKETS
from server.services.broker_keeper import BrokerKeeper
from server.services.feed_press import FeedPress, PressParts
from server.services.rows_broker import StreamRow
from server.services.snapshot import Snapshots
from shared.clock import ManualClock
from shared.settings import Secret
from shared.sync.broker import SnapshotBegin, SnapshotEnd, SnapshotPart, StreamFrame, decode_stream_frame, name_stream
from shared.sync.wire import FeedFrame, unpack_chunk
from tests.conftest import Databases
from tests.integration.server.doors.stage import DOORS, Stage, open_stage
from tests.services.plugin import VirtualHost


class Press(Struct, frozen=True, kw_only=True, eq=False):
    """A press in a test's own hands."""

    stage: Stage
    office: RabbitOffice
    keeper: BrokerKeeper
    press: FeedPress
    vhost: VirtualHost
    parts: PressParts

    @property
    def name(self) -> str:
        """The stream's name."""
        return name_stream(self.stage.tenant, self.stage.event)

    async def row(self) -> StreamRow:
        """Return what is noted of the stream."""
        async with self.stage.db.worker() as unit:
            [row] = await unit.broker.streams()
        return row

    async def read(self, count: int) -> list[StreamFrame]:
        """Return so many messages from the stream's beginning, and make sure there are no more."""
        connection = await aio_pika.connect(self.vhost.admin_url)
        try:
            channel = await connection.channel()
            await channel.set_qos(prefetch_count=100)
            queue = await channel.get_queue(self.name, ensure=False)
            frames: list[StreamFrame] = []
            async with queue.iterator(arguments={"x-stream-offset": "first"}, timeout=10) as messages:
                while len(frames) < count:
                    message: AbstractIncomingMessage = await anext(messages)
                    await message.ack()
                    frames.append(decode_stream_frame(message.body))
        finally:
            await connection.close()
        return frames


@pytest.fixture
async def press(database: Databases, clock: ManualClock, vhost: VirtualHost) -> AsyncIterator[Press]:
    plan = RabbitPlan(url=Secret(vhost.url), topology=joined(TICKETS, GATES))
    async with (
        open_stage(database, clock) as stage,
        open_office(Secret(vhost.api_url), vhost.name) as office,
        open_rabbit(plan) as bus,
    ):
        keeper = BrokerKeeper(office, stage.db, clock)
        await keeper.inspect()
        async with stage.db.tenant(stage.tenant) as tx:
            await tx.broker.want_stream(stage.event)
        snapshots = Snapshots(stage.db, stage.vault, os.urandom)
        parts = PressParts(context=stage.context, book=stage.db, bus=bus, snapshots=snapshots)
        yield Press(stage=stage, office=office, keeper=keeper, press=FeedPress(parts), vhost=vhost, parts=parts)


async def test_a_stream_begins_with_all_that_is_and_goes_on_without_a_gap(press: Press) -> None:
    await press.stage.issue(3)
    await press.stage.relay_all()
    assert await press.press.run_once() == 0
    await press.keeper.run_once()
    assert await press.press.run_once() == 1
    row = await press.row()
    assert (row.begun_seq, row.published, row.snapshot_seq) == (4, 4, 4)
    await press.stage.issue(2)
    await press.stage.relay_all()
    assert await press.press.run_once() == 1
    assert await press.press.run_once() == 0
    begin, *parts, end, feed = await press.read(5)
    assert isinstance(begin, SnapshotBegin)
    assert isinstance(end, SnapshotEnd)
    assert isinstance(feed, FeedFrame)
    bodies = [
        part.body for part in parts if isinstance(part, SnapshotPart) and (part.seq, part.snapshot) == (4, end.snapshot)
    ]
    assert [len(body) for body in bodies] == [chunk.size for chunk in begin.manifest.chunks]
    assert sum(len(unpack_chunk(body)) for body in bodies) == begin.manifest.rows
    assert (begin.manifest.seq, end.seq, begin.manifest.snapshot) == (4, 4, row.snapshot)
    assert (feed.after, [entry.seq for entry in feed.entries]) == (4, [5, 6])


async def test_a_snapshot_comes_again_when_the_doors_open_with_what_followed_it(press: Press) -> None:
    press.stage.clock.advance(DOORS - press.stage.clock.now() - timedelta(hours=1))
    await press.keeper.run_once()
    await press.press.run_once()
    await press.stage.issue(2)
    await press.stage.relay_all()
    await press.press.run_once()
    assert await press.press.run_once() == 0
    press.stage.clock.advance(timedelta(hours=2))
    assert await press.press.run_once() == 1
    assert await press.press.run_once() == 0
    row = await press.row()
    assert (row.begun_seq, row.snapshot_seq, row.published) == (0, 0, 3)
    # The snapshot is the kept one, so what followed it is published after it once more.
    kinds = [type(frame).__name__ for frame in await press.read(8)]
    assert kinds == ["SnapshotBegin", "SnapshotPart", "SnapshotEnd", "FeedFrame"] * 2


async def test_a_snapshot_comes_again_after_so_many_entries(press: Press) -> None:
    await press.keeper.run_once()
    often = FeedPress(replace(press.parts, snapshot_every=3))
    for count in (0, 3, 1):
        await press.stage.issue(count)
        await press.stage.relay_all()
        await often.run_once()
    row = await press.row()
    kinds = [type(frame).__name__ for frame in await press.read(8)]
    assert kinds[:4] == ["SnapshotBegin", "SnapshotPart", "SnapshotEnd", "FeedFrame"]
    assert kinds.count("SnapshotBegin") == 2
    assert (row.begun_seq, row.published) == (1, 5)


async def test_a_lost_stream_is_noticed_and_begun_anew(press: Press) -> None:
    await press.stage.issue(1)
    await press.stage.relay_all()
    await press.keeper.run_once()
    await press.press.run_once()
    await press.office.ask("DELETE", f"queues/{press.vhost.name}/{press.name}")
    await press.stage.issue(1)
    await press.stage.relay_all()
    with pytest.raises(Unroutable):
        await press.press.run_once()
    assert (await press.keeper.inspect()).streams == 1
    await press.keeper.run_once()
    await press.press.run_once()
    row = await press.row()
    assert row.begun_seq == row.snapshot_seq
    frames = await press.read(4)
    assert isinstance(frames[0], SnapshotBegin)
    assert row.published == 3
