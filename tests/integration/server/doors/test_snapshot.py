"""A gate that loads a snapshot and follows the feed knows what the database knows, whatever happened meanwhile."""

from __future__ import annotations

import asyncio
import hashlib
import os
import random
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from msgspec import Struct, structs

from server.db.relay_session import open_relay_session
from server.services.problems import EventUnknown
from server.services.problems_gates import SnapshotUnknown
from server.services.relay import RelayState, run_relay
from server.services.rows import TicketRow
from server.services.snapshot import Snapshots
from shared.admission.policy import Policy
from shared.admission.presence import Admission
from shared.codes.keys import derive_handle, hash_handle, open_holder
from shared.ids import EventId, GateId, ScanId, TenantId
from shared.sync.feed import (
    AdmissionEntry,
    FeedEntry,
    GateEntry,
    HotEntry,
    PolicyEntry,
    SnapshotManifest,
    TicketEntry,
    TombstoneEntry,
)
from shared.sync.wire import unpack_chunk
from shared.tickets.lifecycle import State
from tests.integration.server.doors.stage import Stage, open_policy, set_up


class World(Struct, kw_only=True):
    """What a gate knows; later statements win, a higher ticket version over a lower one."""

    tickets: dict[bytes, TicketEntry]
    tombs: set[bytes]
    admissions: dict[ScanId, Admission]
    gates: dict[GateId, tuple[str, bool]]
    hot: set[bytes] = set()
    policy: Policy | None = None

    def apply(self, entry: FeedEntry) -> None:
        match entry:
            case TicketEntry(handle_hash=name):
                known = self.tickets.get(name)
                if name not in self.tombs and (known is None or known.version < entry.version):
                    self.tickets[name] = structs.replace(entry, seq=1)
            case TombstoneEntry(handle_hash=name):
                self.tombs.add(name)
                self.tickets.pop(name, None)
            case AdmissionEntry(admission=admission):
                self.admissions[admission.scan] = admission
            case HotEntry():
                self.hot = self.hot | {entry.handle_hash} if entry.hot else self.hot - {entry.handle_hash}
            case GateEntry():
                self.gates[entry.gate] = (entry.name, entry.revoked)
            case PolicyEntry():
                self.policy = entry.policy


def nothing() -> World:
    return World(tickets={}, tombs=set(), admissions={}, gates={})


def service(stage: Stage) -> Snapshots:
    return Snapshots(stage.db, stage.vault, os.urandom)


async def load(stage: Stage, snapshots: Snapshots, manifest: SnapshotManifest) -> World:
    world = nothing()
    rows = 0
    for n, chunk in enumerate(manifest.chunks):
        body = await snapshots.chunk(stage.tenant, stage.event, UUID(manifest.snapshot), n)
        assert (len(body), hashlib.sha256(body).digest()) == (chunk.size, chunk.sha256)
        entries = unpack_chunk(body)
        rows += len(entries)
        for entry in entries:
            world.apply(entry)
    assert rows == manifest.rows
    return world


async def truth(stage: Stage, tickets: list[TicketRow]) -> tuple[dict[bytes, tuple[State, int]], set[bytes]]:
    """Return each ticket's present hash, state and version, and the hashes of its former generations."""
    async with stage.db.tenant(stage.tenant) as tx:
        master = await stage.vault.master(tx)
        rows = [locked.ticket for locked in await tx.scans.lock_tickets([ticket.id for ticket in tickets])]
    alive = {hash_handle(derive_handle(master, row.id, row.generation)): (row.state, row.version) for row in rows}
    dead = {
        hash_handle(derive_handle(master, row.id, generation)) for row in rows for generation in range(row.generation)
    }
    return alive, dead


async def test_snapshot_holds_everything_a_gate_must_know(stage: Stage) -> None:
    tickets = await stage.issue(5, name="Grace H.")
    gate, gone = await stage.enrol("North"), await stage.enrol("South")
    await stage.enrolment.revoke(stage.tenant, gone.id, stage.clock.now())
    record = await gate.scan(tickets[0])
    await gate.scan(tickets[1], proof=None)
    await gate.hand_over()
    await stage.move(tickets[2].id, State.REVOKED)
    passed_on = await stage.move(tickets[3].id, State.TRANSFERRED, new_generation=True)
    await stage.relay_all()
    snapshots = service(stage)
    manifest = await snapshots.current(stage.tenant, stage.event, stage.clock.now())
    assert manifest.seq == (await stage.feed())[-1].seq
    world = await load(stage, snapshots, manifest)
    alive, dead = await truth(stage, tickets)
    assert {name: (entry.state, entry.version) for name, entry in world.tickets.items()} == alive
    assert world.tombs == dead
    assert len(dead) == 1
    assert list(world.admissions) == [record.scan]
    assert world.gates == {gate.id: ("North", False), gone.id: ("South", True)}
    assert world.policy == open_policy()
    async with stage.db.tenant(stage.tenant) as tx:
        handle = derive_handle(await stage.vault.master(tx), passed_on.id, passed_on.generation)
    assert open_holder(handle, world.tickets[hash_handle(handle)].sealed).name == "Grace H."


async def test_snapshot_and_feed_from_nothing_tell_the_same(stage: Stage) -> None:
    tickets = await stage.issue(8)
    gate = await stage.enrol()
    for ticket in tickets[:4]:
        await gate.scan(ticket)
    await gate.hand_over()
    await stage.move(tickets[5].id, State.TRANSFERRED, new_generation=True)
    await stage.relay_all()
    snapshots = service(stage)
    world = await load(stage, snapshots, await snapshots.current(stage.tenant, stage.event, stage.clock.now()))
    told = nothing()
    for entry in await stage.feed():
        told.apply(entry)
    assert told == world


async def act(stage: Stage, tickets: list[TicketRow], seed: int, rounds: int) -> None:
    """Change tickets at random: transfers, revocations, admissions, new tickets and gates."""
    chance = random.Random(seed)  # noqa: S311 - a repeatable mess
    gate = await stage.enrol(f"gate {seed}")
    mine = list(tickets)
    for _ in range(rounds):
        what, ticket = chance.random(), await stage.ticket(chance.choice(mine).id)
        if what < 0.3 and ticket.state in {State.ACTIVE, State.TRANSFERRED}:
            await stage.move(ticket.id, State.TRANSFERRED, new_generation=True)
        elif what < 0.4 and ticket.state in {State.ACTIVE, State.TRANSFERRED, State.CHECKED_IN}:
            await stage.move(ticket.id, State.REVOKED)
        elif what < 0.5:
            tickets += (fresh := await stage.issue(2))
            mine += fresh
        else:
            await gate.scan(ticket)
            await gate.hand_over(len(gate.bodies))


@pytest.mark.parametrize("seed", range(5))
async def test_nothing_is_missed_by_snapshots_made_amid_changes_while_the_relay_works(stage: Stage, seed: int) -> None:
    """Snapshots are read while three writers write and the relay numbers what they commit, in no particular step."""
    parts = [await stage.issue(6) for _ in range(3)]
    snapshots = service(stage)
    taken: list[tuple[SnapshotManifest, World]] = []
    async with asyncio.TaskGroup() as work:
        relay = work.create_task(run_relay(lambda: open_relay_session(stage.db), RelayState(), poll_s=0.01))
        writers = [work.create_task(act(stage, part, seed * 10 + n, 12)) for n, part in enumerate(parts)]
        while not all(writer.done() for writer in writers):
            manifest = await snapshots._make(stage.tenant, stage.event, stage.clock.now())
            taken.append((manifest, await load(stage, snapshots, manifest)))
        relay.cancel()
    await stage.relay_all()
    alive, dead = await truth(stage, [ticket for part in parts for ticket in part])
    told = nothing()
    for entry in await stage.feed():
        told.apply(entry)
    for manifest, world in taken:
        for entry in await stage.feed(manifest.seq):
            world.apply(entry)
        assert {name: (entry.state, entry.version) for name, entry in world.tickets.items()} == alive
        assert world.tombs == dead
        assert world == told
    assert len({manifest.seq for manifest, _ in taken}) > 1


async def test_change_that_is_not_relayed_yet_is_in_the_snapshot_and_comes_again(stage: Stage) -> None:
    [ticket] = await stage.issue(1)
    await stage.relay_all()
    head = (await stage.feed())[-1].seq
    await stage.move(ticket.id, State.REVOKED)
    snapshots = service(stage)
    manifest = await snapshots.current(stage.tenant, stage.event, stage.clock.now())
    assert manifest.seq == head
    world = await load(stage, snapshots, manifest)
    before = structs.replace(world, tickets=dict(world.tickets))
    assert [entry.state for entry in world.tickets.values()] == [State.REVOKED]
    await stage.relay_all()
    [late] = await stage.feed(head)
    world.apply(late)
    assert world == before


async def test_kept_snapshot_is_served_until_the_feed_has_gone_far_beyond_it(stage: Stage) -> None:
    await stage.issue(3)
    await stage.relay_all()
    snapshots = service(stage)
    first = await snapshots.current(stage.tenant, stage.event, stage.clock.now())
    await stage.issue(999)
    await stage.relay_all()
    assert await snapshots.current(stage.tenant, stage.event, stage.clock.now()) == first
    await stage.issue(1)
    await stage.relay_all()
    second = await snapshots.current(stage.tenant, stage.event, stage.clock.now())
    assert second.seq == first.seq + 1000
    assert second.snapshot != first.snapshot
    assert (await snapshots.chunk(stage.tenant, stage.event, UUID(first.snapshot), 0)) != b""


async def test_many_who_ask_at_once_share_one_snapshot(stage: Stage) -> None:
    await stage.issue(3)
    await stage.relay_all()
    snapshots = service(stage)
    answers = await asyncio.gather(*(snapshots.current(stage.tenant, stage.event, stage.clock.now()) for _ in range(5)))
    assert len({answer.snapshot for answer in answers}) == 1


async def test_old_snapshots_are_dropped_and_say_so(stage: Stage) -> None:
    snapshots = service(stage)
    first = await snapshots.current(stage.tenant, stage.event, stage.clock.now())
    stage.clock.advance(timedelta(hours=2))
    await snapshots._make(stage.tenant, stage.event, stage.clock.now())
    with pytest.raises(SnapshotUnknown):
        await snapshots.chunk(stage.tenant, stage.event, UUID(first.snapshot), 0)


async def test_large_event_comes_in_several_chunks(stage: Stage) -> None:
    tickets = await stage.issue(4100)
    snapshots = service(stage)
    manifest = await snapshots.current(stage.tenant, stage.event, stage.clock.now())
    assert len(manifest.chunks) == 4
    assert len((await load(stage, snapshots, manifest)).tickets) == len(tickets)


async def test_another_tenant_gets_no_snapshot_and_no_chunk(stage: Stage) -> None:
    await stage.issue(1)
    other = await set_up(stage.db, stage.clock, open_policy())
    snapshots = service(stage)
    manifest = await snapshots.current(stage.tenant, stage.event, stage.clock.now())
    with pytest.raises(EventUnknown):
        await snapshots.current(other.tenant, stage.event, stage.clock.now())
    with pytest.raises(SnapshotUnknown):
        await snapshots.chunk(other.tenant, stage.event, UUID(manifest.snapshot), 0)
    with pytest.raises(SnapshotUnknown):
        await snapshots.chunk(stage.tenant, other.event, UUID(manifest.snapshot), 0)
    with pytest.raises(EventUnknown):
        await snapshots.current(TenantId(uuid4()), EventId(uuid4()), stage.clock.now())
