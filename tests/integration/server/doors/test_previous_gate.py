"""A gate of the version before, which knows the frames as they were and refuses any other, is served as ever.

The frames below are protocol 1 as it was first at doors. They are written down here and never changed with the program: a
server that adds a field or a frame for such a gate fails this test, as that gate would fail at its door.
"""

from __future__ import annotations

import asyncio
from typing import TypeVar
from uuid import UUID

import aiohttp
from msgspec import Raw, Struct, msgpack

from shared.sync.feed import FeedEntry
from tests.integration.server.doors.house import PATIENCE_S, House
from tests.integration.server.doors.linked import settle
from tests.integration.server.doors.paper_gate import PaperGate


class Welcome(Struct, tag="welcome", forbid_unknown_fields=True):
    protocol: int
    server_ms: int
    feed_high: int
    acked: int


class Feed(Struct, tag="feed", forbid_unknown_fields=True):
    event: UUID
    after: int
    entries: list[Raw]


class Ack(Struct, tag="ack", forbid_unknown_fields=True):
    incarnation: UUID
    upto: int


class Sealed(Struct, forbid_unknown_fields=True):
    sealed: bytes
    signature: bytes


class Bundle(Struct, tag="bundle", forbid_unknown_fields=True):
    bundle: Sealed


class Pong(Struct, tag="pong", forbid_unknown_fields=True):
    sent_ms: int
    server_ms: int


class Snapshot(Struct, tag="snapshot", forbid_unknown_fields=True):
    event: UUID
    feed_high: int


class Bye(Struct, tag="bye", forbid_unknown_fields=True):
    code: str
    message: str


OldFrame = Welcome | Feed | Ack | Bundle | Pong | Snapshot | Bye
FrameT = TypeVar("FrameT", bound=Struct)


class OldGate:
    """The gate's end of a link, as it was."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self.frames: list[OldFrame] = []

    async def say(self, kind: str, **fields: object) -> None:
        """Send a frame with exactly these fields."""
        await self._socket.send_bytes(msgpack.encode({"type": kind, **fields}))

    async def until(self, kind: type[FrameT]) -> FrameT:
        """Return the next frame of a kind."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                frame = msgpack.decode(await self._socket.receive_bytes(), type=OldFrame)
                self.frames.append(frame)
                if isinstance(frame, kind):
                    return frame


async def introduce(house: House, gate: PaperGate, protocol: int = 1) -> OldGate:
    """Link a gate that says just what gates said then."""
    old = OldGate((await house.dial(gate)).socket)
    await old.say(
        "hello",
        protocol=protocol,
        gate=str(gate.id),
        incarnation=str(gate.incarnation),
        event=str(gate.row.event),
        feed_seq=0,
        bundle_version=0,
        last_gate_seq=len(gate.bodies),
        software="tickettoken-gate/0.1.0",
    )
    return old


async def test_a_gate_of_the_version_before_learns_scans_and_hands_over(house: House) -> None:
    stage = house.stage
    [ticket] = await stage.issue(1)
    gate = await stage.enrol()
    head = await settle(house)
    old = await introduce(house, gate)
    welcome = await old.until(Welcome)
    assert (welcome.protocol, welcome.feed_high, welcome.acked) == (1, head, 0)
    await old.until(Bundle)
    fed = [frame for frame in old.frames if isinstance(frame, Feed)] or [await old.until(Feed)]
    entries = [msgpack.decode(raw, type=FeedEntry) for frame in fed for raw in frame.entries]
    assert [entry.seq for entry in entries] == list(range(1, head + 1))
    await old.say("ping", sent_ms=1, backlog=1, feed_seq=head, bundle_version=1, scans_per_minute=0.0)
    assert (await old.until(Pong)).sent_ms == 1
    await gate.scan(ticket)
    signed = gate.batch()
    batch = {name: getattr(signed.batch, name) for name in ("first_seq", "previous", "records")}
    batch |= {"gate": str(gate.id), "incarnation": str(gate.incarnation)}
    await old.say("scans", signed={"batch": batch, "signature": signed.signature})
    assert (await old.until(Ack)).upto == 1
    assert not [frame for frame in old.frames if isinstance(frame, Bye)]


async def test_a_gate_that_is_newer_than_the_server_is_met_halfway(house: House) -> None:
    gate = await house.stage.enrol()
    old = await introduce(house, gate, protocol=2**31)
    assert (await old.until(Welcome)).protocol == 1


async def test_a_gate_of_the_version_before_is_sent_for_a_snapshot_in_words_it_knows(house: House) -> None:
    gate = await house.stage.enrol()
    await settle(house)
    old = OldGate((await house.dial(gate)).socket)
    greeting = {"gate": str(gate.id), "incarnation": str(gate.incarnation), "event": str(gate.row.event)}
    numbers = {"protocol": 1, "feed_seq": 1_000_000, "bundle_version": 0, "last_gate_seq": 0}
    await old.say("hello", **greeting, **numbers, software="tickettoken-gate/0.1.0")
    assert (await old.until(Snapshot)).event == gate.row.event
    status, body = await house.read(f"/gate/v1/snapshot?event={gate.row.event}", house.gate(gate))
    assert status == 200
    assert set(msgpack.decode(body)) == {"snapshot", "event", "seq", "rows", "chunks"}
    _, body = await house.read(f"/gate/v1/snapshot?event={gate.row.event}&marks=1", house.gate(gate))
    assert len(msgpack.decode(body)["mark"]) == 16
