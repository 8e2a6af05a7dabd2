"""What the server's database and the gates' files say once everything has come to rest."""

from __future__ import annotations

from msgspec import Struct

from gate.ports import Sighting
from server.services.rows import TicketRow
from server.services.rows_gates import ConflictRow, LogRow, ScanRow
from shared.ids import ScanId
from shared.sync.feed import AdmissionEntry, FeedEntry
from shared.sync.scan import LoggedRecord, ScanRecord, decode_record
from tests.simulation.evening import Evening


class GateEvidence(Struct, frozen=True, kw_only=True):
    """One gate's files: its log and chain, its feed position, what it knows of each generation, how many it counts inside."""

    id: bytes
    logged: list[LoggedRecord]
    taken: LogRow
    acked: int
    cursor: int
    sightings: dict[tuple[int, int], Sighting]
    inside: int | None


class Evidence(Struct, frozen=True, kw_only=True):
    """Everything that is checked, read once; tickets go by their number."""

    settled: bool
    exits: bool
    head: int
    feed: list[FeedEntry]
    tickets: list[TicketRow]
    scans: list[ScanRow]
    conflicts: list[ConflictRow]
    entries: int
    leavings: int
    gates: list[GateEvidence]
    handles: dict[tuple[int, int], bytes]

    def records(self) -> dict[ScanId, ScanRecord]:
        """Return the gates' own records by the ids of their scans."""
        read = (decode_record(one.body) for gate in self.gates for one in gate.logged)
        return {record.scan: record for record in read}

    def told_at(self) -> dict[ScanId, int]:
        """Return at which feed position each admission was told."""
        return {one.admission.scan: one.seq for one in self.feed if isinstance(one, AdmissionEntry)}


async def gather(evening: Evening) -> Evidence:
    """Read the server's database and every gate's files."""
    hall, truth = evening.means.hall, evening.truth
    names = [
        (number, generation)
        for number in range(len(hall.tickets))
        for generation in range(truth.generation(number) + 1)
    ]
    handles = {name: hall.handle_hash(*name) for name in names}
    gates = [await _read_gate(evening, number, handles) for number in range(len(evening.gates))]
    settled = await evening.settled()
    async with hall.db.tenant(hall.tenant) as tx:
        tickets = [await tx.tickets.get(one.id) for one in hall.tickets]
        tally = await tx.scans.tally(hall.event.id)
        return Evidence(
            settled=settled,
            exits=evening.plan.exits,
            head=await tx.feed.head(hall.event.id),
            feed=await tx.feed.after(hall.event.id, 0, 1_000_000),
            tickets=[one for one in tickets if one is not None],
            scans=await tx.scans.list_of_event(hall.event.id, None, 1_000_000),
            conflicts=[
                one
                for one in await tx.conflicts.list_of_event(hall.event.id, None, 1_000_000)
                if one.state != "withdrawn"
            ],
            entries=tally.entries,
            leavings=tally.exits,
            gates=gates,
            handles=handles,
        )


async def _read_gate(evening: Evening, number: int, handles: dict[tuple[int, int], bytes]) -> GateEvidence:
    gate, hall = evening.gates[number], evening.means.hall
    life = gate.life
    assert life is not None
    head = await life.log.head()
    async with hall.db.tenant(hall.tenant) as tx:
        taken = await tx.scans.read_log(gate.post.row.id, life.log.incarnation)
    return GateEvidence(
        id=gate.post.row.id.bytes,
        logged=await life.log.read_between(0, head.gate_seq),
        taken=taken,
        acked=life.log.acked,
        cursor=(await life.world.state()).feed_seq,
        sightings={name: await life.world.find(handle) for name, handle in handles.items()},
        inside=life.knowledge.standing().inside,
    )
