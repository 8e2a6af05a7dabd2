"""What gates fetch and hand over by HTTP, and whose word is believed."""

from __future__ import annotations

import os
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from msgspec import msgpack

from shared.admission.verdict import Direction
from shared.sync.feed import SnapshotManifest, TicketEntry
from shared.sync.wire import (
    FRAME_LIMIT,
    Ack,
    Bye,
    FeedFrame,
    decode_server_frame,
)
from tests.integration.server.doors.house import House, gate_token
from tests.integration.server.doors.linked import enter, entries_of, settle
from tests.integration.server.doors.stage import open_policy, set_up_with


async def test_feed_ranges_come_in_pieces_by_http(house: House) -> None:
    stage = house.stage
    gate = await stage.enrol()
    await stage.issue(1200)
    head = await settle(house)
    reached = 0
    sizes = []
    while reached < head:
        status, body = await house.read(f"/gate/v1/feed?event={stage.event}&after={reached}", house.gate(gate))
        assert status == 200
        frame = decode_server_frame(body)
        assert isinstance(frame, FeedFrame)
        assert [entry.seq for entry in frame.entries] == list(range(reached + 1, reached + 1 + len(frame.entries)))
        reached = frame.entries[-1].seq
        sizes.append(len(frame.entries))
    assert sizes == [1000, head - 1000]


async def test_frames_stay_below_the_limit_with_the_longest_names(house: House) -> None:
    stage = house.stage
    gate = await stage.enrol()
    await stage.issue(1200, name=os.urandom(250).hex())
    await settle(house)
    status, body = await house.read(f"/gate/v1/feed?event={stage.event}&after=0", house.gate(gate))
    assert status == 200
    assert len(body) <= FRAME_LIMIT
    _, frames = await enter(house, gate)
    assert len([entry for entry in entries_of(frames) if isinstance(entry, TicketEntry)]) == 1200


async def test_scans_are_taken_by_http_with_the_same_answer(house: House) -> None:
    stage = house.stage
    [ticket] = await stage.issue(1)
    gate = await stage.enrol()
    await gate.scan(ticket)
    body = msgpack.encode(gate.batch())
    headers = house.gate(gate) | {"Content-Type": "application/msgpack"}
    for _ in range(2):
        async with house.client.post(house.base_url + "/gate/v1/scans", data=body, headers=headers) as response:
            assert response.status == 200
            assert decode_server_frame(await response.read()) == Ack(incarnation=gate.incarnation, upto=1)
    async with house.client.post(house.base_url + "/gate/v1/scans", data=b"rubbish", headers=headers) as response:
        assert response.status == 400


async def test_another_tenants_gate_reaches_nothing_of_this_event(house: House) -> None:
    stage = house.stage
    await stage.issue(1)
    other = await set_up_with(stage.db, stage.vault, stage.clock, open_policy())
    stranger = await other.enrol("Stranger", Direction.EXIT)
    gate = await stage.enrol()
    await settle(house)
    wire = await house.link(stranger, event=stage.event)
    assert (await wire.until(Bye)).code == "link_misused"
    for path in (f"/gate/v1/feed?event={stage.event}&after=0", f"/gate/v1/snapshot?event={stage.event}"):
        status, _ = await house.read(path, house.gate(stranger))
        assert status == 404
    _, body = await house.read(f"/gate/v1/snapshot?event={stage.event}", house.gate(gate))
    manifest = msgpack.decode(body, type=SnapshotManifest)
    status, _ = await house.read(f"/gate/v1/snapshot/{manifest.snapshot}/0", house.gate(stranger))
    assert status == 404
    mixed = gate_token(stage.tenant, stranger.id, stranger.sign, stage.clock)
    status, answer = await house.ask("GET", "/gate/v1/feed?after=0", {"Authorization": f"Bearer {mixed}"})
    assert isinstance(answer, dict)
    assert (status, answer["code"]) == (401, "gate_token_invalid")


@pytest.mark.parametrize(
    ("claims", "code"),
    [
        ({"aud": "tickettoken"}, "gate_token_invalid"),
        ({"sub": str(UUID(int=7))}, "gate_token_invalid"),
        ({"exp": 4_000_000_000}, "gate_token_invalid"),
        ({"iat": 1_000_000_000, "exp": 1_000_000_060}, "gate_clock_off"),
        ({"iat": 3_000_000_000, "exp": 3_000_000_060}, "gate_clock_off"),
        ({"tenant_id": "none"}, "gate_token_invalid"),
        ({"exp": "soon"}, "gate_token_invalid"),
    ],
)
async def test_gate_token_that_is_not_right_is_refused(house: House, claims: dict[str, object], code: str) -> None:
    gate = await house.stage.enrol()
    status, answer = await house.ask("GET", "/gate/v1/feed?after=0", house.gate(gate, **claims))
    assert isinstance(answer, dict)
    assert (status, answer["code"]) == (401, code)


async def test_gate_token_signed_with_another_key_or_none_is_refused(house: House) -> None:
    gate = await house.stage.enrol()
    forged = gate_token(house.stage.tenant, gate.id, Ed25519PrivateKey.generate(), house.stage.clock)
    genuine = gate_token(house.stage.tenant, gate.id, gate.sign, house.stage.clock)
    for token in (forged, genuine.rpartition(".")[0] + ".", "rubbish", ""):
        status, _ = await house.ask("GET", "/gate/v1/feed?after=0", {"Authorization": f"Bearer {token}"})
        assert status == 401
    status, _ = await house.ask("GET", "/gate/v1/feed?after=0", house.organiser())
    assert status == 401
