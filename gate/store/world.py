"""What the gate knows of its event: tickets, dead generations, everybody's admissions, gates, policy, sealed keys."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from uuid import UUID

from msgspec import DecodeError, msgpack

from gate.ports import KnownGate, OwnBody, Sighting, WorldState
from gate.store import rows
from gate.store.opening import Database, FileKind, open_database
from gate.store.problems import StoreDamaged
from shared.admission.policy import Policy
from shared.admission.verdict import Direction
from shared.codes.bundle import SealedBundle
from shared.ids import GateId, ScanId
from shared.problems import CodeMalformed
from shared.sync.feed import FeedEntry

WORLD_NAME = "world.db"
KIND = FileKind(
    sql="world.sql",
    application_id=0x54546777,
    version=1,
    remedy="It is only a copy of the server's data: move it aside and start the gate with the server in reach.",
)


class World:
    """The open copy; reading and writing have a connection each, so that no look-up waits for a write."""

    def __init__(self, reading: Database, writing: Database) -> None:
        self._reading = reading
        self._writing = writing

    @property
    def path(self) -> Path:
        """Where the file lies."""
        return self._reading.path

    async def find(self, handle_hash: bytes) -> Sighting:
        """Return what is known of a handle."""
        superseded, *columns = (await self._reading.fetch("find_ticket", {"handle_hash": handle_hash}))[0]
        found = await self._reading.fetch("find_admissions", {"handle_hash": handle_hash})
        ticket = rows.read_ticket(handle_hash, columns) if columns[0] is not None else None
        return Sighting(
            ticket=ticket, superseded=bool(superseded), admissions=[rows.read_admission(row) for row in found]
        )

    async def apply(self, entries: Iterable[FeedEntry], feed_seq: int) -> None:
        """Take in feed entries and move the cursor, all or nothing; repeating it does no harm.

        Raises:
            CodeMalformed: an entry holds a number that fits no column.
        """
        groups = rows.group_entries(entries)
        try:
            async with self._writing.transaction():
                await put_groups(self._writing, groups, ("put_ticket", "put_tombstone"))
                await self._writing.fetch("set_feed_seq", {"feed_seq": feed_seq})
        except OverflowError as exc:
            raise CodeMalformed("A feed entry holds a number beyond 64 bits; nothing of its frame was taken.") from exc

    async def state(self) -> WorldState:
        """Return how far this copy has got."""
        feed_seq, complete, confirmed_ms, revoked = (await self._reading.fetch("read_state"))[0]
        return WorldState(feed_seq=feed_seq, complete=bool(complete), confirmed_ms=confirmed_ms, revoked=bool(revoked))

    async def confirm(self, moment_ms: int) -> None:
        """Note that the server confirmed that nothing is missing."""
        await self._writing.fetch("set_confirmed", {"confirmed_ms": moment_ms})

    async def revoke(self) -> None:
        """Note that this gate was revoked, and forget the keys."""
        async with self._writing.transaction():
            await self._writing.fetch("set_revoked")
            await self._writing.fetch("forget_bundle")

    async def keep_bundle(self, version: int, bundle: SealedBundle) -> None:
        """Keep a sealed key bundle unless a later version is there."""
        values = {"version": version, "sealed": bundle.sealed, "signature": bundle.signature}
        await self._writing.fetch("put_bundle", values)

    async def bundle(self) -> SealedBundle | None:
        """Return the sealed key bundle, or None before the first."""
        found = await self._reading.fetch("read_bundle")
        return SealedBundle(sealed=found[0][0], signature=found[0][1]) if found else None

    async def policy(self) -> Policy | None:
        """Return the policy the feed told last, or None before the first.

        Raises:
            StoreDamaged: what is stored is no policy.
        """
        found = await self._reading.fetch("read_policy")
        try:
            return msgpack.decode(found[0][0], type=Policy) if found else None
        except DecodeError as exc:
            raise StoreDamaged(f"{self.path} holds a policy that cannot be read. {KIND.remedy}") from exc

    async def gates(self) -> list[KnownGate]:
        """Return the gates of the event."""
        found = await self._reading.fetch("read_gates")
        return [KnownGate(gate=GateId(UUID(bytes=gate)), name=name, revoked=bool(out)) for gate, name, out in found]

    async def count_tickets(self) -> int:
        """Return the number of tickets in this copy."""
        return int((await self._reading.fetch("count_tickets"))[0][0])

    async def count_bodies(self, own: GateId) -> int:
        """Return entries minus exits of all other gates."""
        return int((await self._reading.fetch("count_bodies", {"own": own.bytes}))[0][0])

    async def own_bodies(self, own: GateId) -> list[OwnBody]:
        """Return the admissions of this very gate that the server told."""
        found = await self._reading.fetch("own_bodies", {"own": own.bytes})
        return [
            OwnBody(scan=ScanId(UUID(bytes=scan)), gate_seq=seq, direction=Direction(way)) for scan, seq, way in found
        ]

    async def highest_hlc(self) -> int:
        """Return the latest stamp of any gate, 0 before the first."""
        return int((await self._reading.fetch("highest_hlc"))[0][0])

    async def close(self) -> None:
        """Close both connections."""
        try:
            await self._reading.close()
        finally:
            await self._writing.close()


async def open_world(directory: Path) -> World:
    """Open or make the copy in a data directory.

    Raises:
        StoreDamaged, TooNew, StoreNotWritable: see ``open_database``.
    """
    path = directory / WORLD_NAME
    writing = await open_database(path, KIND)
    try:
        reading = await open_database(path, KIND, check=False)
    except BaseException:
        await writing.close()
        raise
    return World(reading, writing)


async def put_groups(database: Database, groups: rows.EntryGroups, ticket_names: tuple[str, str]) -> None:
    """Write grouped entries; the two names say into which ticket and tombstone tables."""
    put_ticket, put_tombstone = ticket_names
    await database.put_many(put_ticket, groups.tickets)
    await database.put_many(put_tombstone, groups.tombstones)
    await database.put_many("put_admission", groups.admissions)
    await database.put_many("put_gate", groups.gates)
    for policy in groups.policies:
        await database.fetch("put_policy", {"version": policy.version, "body": msgpack.encode(policy)})
