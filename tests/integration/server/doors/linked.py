"""Gates that are linked: the first exchange, and waiting until the relay is done."""

from __future__ import annotations

from uuid import uuid4

from shared.ids import GateId
from shared.sync.feed import FeedEntry, GateEntry
from shared.sync.wire import (
    BundleFrame,
    FeedFrame,
    ServerFrame,
    SnapshotNeeded,
    Welcome,
)
from tests.integration.server.doors.house import House, Wire
from tests.integration.server.doors.paper_gate import PaperGate
from tests.integration.server.doors.watch import watching


async def enter(house: House, gate: PaperGate, /, **changes: object) -> tuple[Wire, list[ServerFrame]]:
    """Link a gate and take in all the server says at first: up to the feed's head, or the snapshot's name."""
    wire = await house.link(gate, **changes)
    frames: list[ServerFrame] = [await wire.until(Welcome)]
    welcome = frames[0]
    assert isinstance(welcome, Welcome)
    reached = changes.get("feed_seq", 0)
    assert isinstance(reached, int)
    while reached < welcome.feed_high or not told_keys(frames, changes):
        frame = await wire.receive()
        assert frame is not None
        frames.append(frame)
        if isinstance(frame, SnapshotNeeded):
            return wire, frames
        if isinstance(frame, FeedFrame):
            assert frame.after == reached
            reached = frame.entries[-1].seq
    return wire, frames


def told_keys(frames: list[ServerFrame], changes: dict[str, object]) -> bool:
    return "bundle_version" in changes or any(isinstance(frame, BundleFrame) for frame in frames)


async def settle(house: House) -> int:
    """Return the feed's head once the relay has numbered everything that was written before."""
    stage = house.stage
    marker = GateEntry(seq=0, gate=GateId(uuid4()), name="marker")
    async with watching(stage) as (watch, _):
        async with stage.db.tenant(stage.tenant) as tx:
            await tx.outbox.append(stage.event, [marker])
        entries = await watch.until(stage, lambda entries: _ends_with(entries, marker.gate))
    return entries[-1].seq


def _ends_with(entries: list[FeedEntry], gate: GateId) -> bool:
    return bool(entries) and isinstance(entries[-1], GateEntry) and entries[-1].gate == gate


def entries_of(frames: list[ServerFrame]) -> list[FeedEntry]:
    return [entry for frame in frames if isinstance(frame, FeedFrame) for entry in frame.entries]
