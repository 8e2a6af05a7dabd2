"""A gate's link to the real server over a real WebSocket."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import aiohttp
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from msgspec import msgpack

from server.services.bundles import due_version
from shared.clock import unix_ms
from shared.codes.bundle import open_bundle
from shared.ids import IncarnationId
from shared.sync.feed import AdmissionEntry, FeedEntry, GateEntry, SnapshotManifest, TicketEntry
from shared.sync.wire import (
    Ack,
    BundleFrame,
    Bye,
    FeedFrame,
    Ping,
    Pong,
    Scans,
    SnapshotNeeded,
    Welcome,
    unpack_chunk,
)
from shared.tickets.lifecycle import State
from tests.integration.server.doors.house import House, Wire
from tests.integration.server.doors.linked import enter, entries_of, settle
from tests.integration.server.doors.paper_gate import PaperGate


async def next_entry(wire: Wire, kind: type[FeedEntry]) -> FeedEntry:
    while True:
        frame = await wire.until(FeedFrame)
        for entry in frame.entries:
            if isinstance(entry, kind):
                return entry


async def test_link_begins_with_welcome_bundle_and_the_whole_feed(house: House) -> None:
    stage = house.stage
    await stage.issue(3)
    gate = await stage.enrol()
    head = await settle(house)
    wire, frames = await enter(house, gate)
    assert [type(frame) for frame in frames] == [Welcome, BundleFrame, FeedFrame]
    welcome, carried = frames[0], frames[1]
    assert isinstance(welcome, Welcome)
    assert (welcome.feed_high, welcome.acked, welcome.server_ms) == (head, 0, unix_ms(stage.clock.now()))
    assert [entry.seq for entry in entries_of(frames)] == list(range(1, head + 1))
    assert isinstance(carried, BundleFrame)
    bundle = open_bundle(carried.bundle, gate.id, gate.seal, Ed25519PublicKey.from_public_bytes(gate.config_key))
    event = await stage.event_row()
    assert bundle.version == due_version(event, stage.clock.now())
    assert bundle.policy == event.policy
    now = stage.clock.now()
    assert min(epoch.starts for epoch in bundle.epochs) <= now - timedelta(hours=18)
    assert max(epoch.ends for epoch in bundle.epochs) >= now + timedelta(hours=72)
    await wire.socket.close()


async def test_gate_that_has_everything_is_told_only_what_is_new(house: House) -> None:
    stage = house.stage
    gate = await stage.enrol()
    head = await settle(house)
    version = due_version(await stage.event_row(), stage.clock.now())
    wire, frames = await enter(house, gate, feed_seq=head, bundle_version=version)
    assert [type(frame) for frame in frames] == [Welcome]
    [ticket] = await stage.issue(1)
    frame = await wire.until(FeedFrame)
    assert frame.after == head
    assert [type(entry) for entry in frame.entries] == [TicketEntry]
    await stage.move(ticket.id, State.REVOKED)
    entry = await next_entry(wire, TicketEntry)
    assert isinstance(entry, TicketEntry)
    assert entry.state is State.REVOKED


async def test_scans_are_acknowledged_and_the_other_gate_learns_of_them(house: House) -> None:
    stage = house.stage
    tickets = await stage.issue(3)
    north, south = await stage.enrol("North"), await stage.enrol("South")
    head = await settle(house)
    mine, _ = await enter(house, north, feed_seq=head)
    theirs, _ = await enter(house, south, feed_seq=head)
    for ticket in tickets:
        await north.scan(ticket)
    await mine.send(Scans(signed=north.batch(1, 2)))
    assert await mine.until(Ack) == Ack(incarnation=north.incarnation, upto=2)
    await mine.send(Scans(signed=north.batch(3, 3)))
    assert (await mine.until(Ack)).upto == 3
    entry = await next_entry(theirs, AdmissionEntry)
    assert isinstance(entry, AdmissionEntry)
    assert entry.admission.gate == north.id


async def test_reconnected_gate_hears_how_far_its_log_is_stored(house: House) -> None:
    stage = house.stage
    [ticket] = await stage.issue(1)
    gate = await stage.enrol()
    await gate.scan(ticket)
    wire, _ = await enter(house, gate)
    await wire.send(Scans(signed=gate.batch()))
    await wire.until(Ack)
    await wire.socket.close()
    _, frames = await enter(house, gate)
    assert isinstance(frames[0], Welcome)
    assert frames[0].acked == 1
    _, frames = await enter(house, gate, incarnation=IncarnationId(uuid4()))
    assert isinstance(frames[0], Welcome)
    assert frames[0].acked == 0


async def test_ping_is_answered(house: House) -> None:
    gate = await house.stage.enrol()
    wire, _ = await enter(house, gate)
    await wire.send(Ping(sent_ms=12345, backlog=7, feed_seq=0, bundle_version=0, scans_per_minute=2.5))
    pong = await wire.until(Pong)
    assert (pong.sent_ms, pong.server_ms) == (12345, unix_ms(house.stage.clock.now()))


async def test_heartbeat_is_kept(house: House) -> None:
    gate = await house.stage.enrol()
    wire, _ = await enter(house, gate)
    # new keys fall due: they are sent once the heartbeat is kept
    house.stage.clock.advance(timedelta(hours=24))
    await wire.send(Ping(sent_ms=12346, backlog=8, feed_seq=0, bundle_version=0))
    await wire.until(BundleFrame)
    shown = await shown_gate(house, gate)
    assert shown["backlog"] == 8
    assert shown["lastSeenAt"] is not None


async def shown_gate(house: House, gate: PaperGate) -> dict[str, object]:
    _, answer = await house.ask("GET", f"/api/v1/gates?eventId={house.stage.event}", house.organiser())
    assert isinstance(answer, dict)
    return next(item for item in answer["items"] if item["id"] == str(gate.id))


async def test_second_link_of_a_gate_ends_the_first(house: House) -> None:
    gate = await house.stage.enrol()
    first, _ = await enter(house, gate)
    second, _ = await enter(house, gate)
    assert (await first.until(Bye)).code == "superseded"
    assert await first.receive() is None
    await second.send(Ping(sent_ms=1, backlog=0, feed_seq=0, bundle_version=0))
    assert (await second.until(Pong)).sent_ms == 1
    assert house.parts.hub.count == 1


async def test_revoked_gate_is_sent_away_and_the_others_get_new_keys(house: House) -> None:
    stage = house.stage
    lost, kept = await stage.enrol("Lost"), await stage.enrol("Kept")
    await settle(house)
    theirs, _ = await enter(house, lost)
    mine, _ = await enter(house, kept)
    status, answer = await house.ask("POST", f"/api/v1/gates/{lost.id}/revoke", house.organiser())
    assert status == 200
    assert isinstance(answer, dict)
    assert answer["revokedAt"] is not None
    assert (await theirs.until(Bye)).code == "device_revoked"
    frames = [await mine.receive() for _ in range(2)]
    [told] = [entry for entry in entries_of([one for one in frames if one]) if isinstance(entry, GateEntry)]
    assert (told.gate, told.revoked) == (lost.id, True)
    [carried] = [frame for frame in frames if isinstance(frame, BundleFrame)]
    key = Ed25519PublicKey.from_public_bytes(kept.config_key)
    bundle = open_bundle(carried.bundle, kept.id, kept.seal, key)
    assert bundle.version == due_version(await stage.event_row(), stage.clock.now())
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await house.dial(lost)
    assert refused.value.status == 403
    status, answer = await house.ask("GET", "/gate/v1/feed?after=0", house.gate(lost))
    assert isinstance(answer, dict)
    assert (status, answer["code"]) == (403, "device_revoked")


async def test_new_keys_are_sent_when_the_horizon_moves(house: House) -> None:
    stage = house.stage
    gate = await stage.enrol()
    wire, _ = await enter(house, gate)
    version = due_version(await stage.event_row(), stage.clock.now())
    stage.clock.advance(timedelta(hours=24))
    await wire.send(Ping(sent_ms=1, backlog=0, feed_seq=0, bundle_version=version))
    carried = await wire.until(BundleFrame)
    key = Ed25519PublicKey.from_public_bytes(gate.config_key)
    bundle = open_bundle(carried.bundle, gate.id, gate.seal, key)
    assert bundle.version > version
    assert max(epoch.ends for epoch in bundle.epochs) >= stage.clock.now() + timedelta(hours=72)


async def test_gate_far_behind_is_sent_to_the_snapshot_and_goes_on_live(house: House) -> None:
    stage = house.stage
    gate = await stage.enrol()
    await stage.issue(20_500)
    head = await settle(house)
    wire, frames = await enter(house, gate)
    assert [type(frame) for frame in frames] == [Welcome, BundleFrame, SnapshotNeeded]
    assert frames[2] == SnapshotNeeded(event=stage.event, feed_high=head)
    status, body = await house.read(f"/gate/v1/snapshot?event={stage.event}", house.gate(gate))
    assert status == 200
    manifest = msgpack.decode(body, type=SnapshotManifest)
    assert (manifest.seq, len(manifest.chunks)) == (head, 12)
    status, chunk = await house.read(f"/gate/v1/snapshot/{manifest.snapshot}/1", house.gate(gate))
    assert status == 200
    assert len(unpack_chunk(chunk)) == 2000
    await stage.issue(1)
    assert (await wire.until(FeedFrame)).after == head


async def test_gate_ahead_of_a_feed_set_back_is_sent_to_the_snapshot(house: House) -> None:
    gate = await house.stage.enrol()
    head = await settle(house)
    wire = await house.link(gate, feed_seq=1_000_000)
    assert (await wire.until(SnapshotNeeded)).feed_high == head


async def test_stopping_server_ends_its_links(house: House) -> None:
    gate = await house.stage.enrol()
    wire, _ = await enter(house, gate)
    house.parts.hub.close()
    assert (await wire.until(Bye)).code == "unavailable"
    assert await wire.receive() is None
