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
from shared.admission.presence import Admission
from shared.admission.verdict import Direction
from shared.codes.bundle import SealedBundle
from shared.ids import GateId, ScanId
from shared.problems import CodeMalformed
from shared.sync.feed import UNMARKED, AdmissionEntry, FeedEntry, extend_mark

WORLD_NAME = "world.db"
KIND = FileKind(
    sql="world.sql",
    application_id=0x54546777,
    version=4,
    remedy="It is only a copy of the server's data: move it aside and start the gate with the server in reach.",
)


class World:
    """The open copy; reading and writing have a connection each, so that no look-up waits for a write."""

    def __init__(self, reading: Database, writing: Database) -> None:
        self._reading = reading
        self._writing = writing
        self._news: list[Admission] = []

    @property
    def path(self) -> Path:
        """Where the file lies."""
        return self._reading.path

    async def find(self, handle_hash: bytes) -> Sighting:
        """Return what is known of a handle."""
        superseded, hot, *columns = (await self._reading.fetch("find_ticket", {"handle_hash": handle_hash}))[0]
        found = await self._reading.fetch("find_admissions", {"handle_hash": handle_hash})
        ticket = rows.read_ticket(handle_hash, columns) if columns[0] is not None else None
        return Sighting(
            ticket=ticket,
            superseded=bool(superseded),
            admissions=[rows.read_admission(row) for row in found],
            hot=bool(hot),
        )

    async def find_numbered(self, lowest: bytes, highest: bytes) -> list[bytes]:
        """Return the handle hashes between two, both included; five at most."""
        found = await self._reading.fetch("find_numbered", {"lowest": lowest, "highest": highest})
        return [handle_hash for (handle_hash,) in found]

    async def apply(self, entries: Iterable[FeedEntry], feed_seq: int) -> None:
        """Take in feed entries and move the cursor, all or nothing; repeating it does no harm.

        Raises:
            CodeMalformed: an entry holds a number that fits no column.
        """
        told = list(entries)
        groups = rows.group_entries(told)
        try:
            async with self._writing.transaction():
                news = await self._find_news(told)
                await put_groups(self._writing, groups, ("put_ticket", "put_tombstone"))
                mark = await self._extend_mark(told)
                await self._writing.fetch("set_feed_seq", {"feed_seq": feed_seq, "feed_mark": mark})
        except OverflowError as exc:
            raise CodeMalformed("A feed entry holds a number beyond 64 bits; nothing of its frame was taken.") from exc
        self._news += news

    def take_news(self) -> list[Admission]:
        """Return the admissions applied since the last call that this copy did not hold before."""
        news, self._news = self._news, []
        return news

    async def state(self) -> WorldState:
        """Return how far this copy has got."""
        feed_seq, complete, confirmed_ms, revoked, mark = (await self._reading.fetch("read_state"))[0]
        return WorldState(
            feed_seq=feed_seq,
            complete=bool(complete),
            confirmed_ms=confirmed_ms,
            revoked=bool(revoked),
            feed_mark=bytes(mark),
        )

    async def doubt(self) -> None:
        """Note that the server was set back to a backup: the next snapshot takes the place of all that was told."""
        await self._writing.fetch("set_doubted")

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

    async def count_bodies(self, own: GateId) -> dict[GateId, int]:
        """Return entries minus exits of each other gate."""
        found = await self._reading.fetch("count_bodies", {"own": own.bytes})
        return {GateId(UUID(bytes=gate)): int(bodies) for gate, bodies in found}

    async def own_bodies(self, own: GateId) -> list[OwnBody]:
        """Return the admissions of this very gate that the server told."""
        found = await self._reading.fetch("own_bodies", {"own": own.bytes})
        return [
            OwnBody(scan=ScanId(UUID(bytes=scan)), gate_seq=seq, direction=Direction(way), undone=undoes is not None)
            for scan, seq, way, undoes in found
        ]

    async def all_admissions(self) -> list[tuple[bytes, Admission]]:
        """Return everybody's passages with the handle hash of the ticket."""
        return [(row[0], rows.read_admission(row[1:])) for row in await self._reading.fetch("all_admissions")]

    async def highest_hlc(self) -> int:
        """Return the latest stamp of any gate, 0 before the first."""
        return int((await self._reading.fetch("highest_hlc"))[0][0])

    async def _extend_mark(self, entries: list[FeedEntry]) -> bytes:
        feed_seq, mark = (await self._writing.fetch("read_position"))[0]
        fresh = [entry for entry in entries if entry.seq > feed_seq]
        is_run = [entry.seq for entry in fresh] == list(range(feed_seq + 1, feed_seq + 1 + len(fresh)))
        return extend_mark(bytes(mark), fresh) if is_run else UNMARKED

    async def _find_news(self, entries: Iterable[FeedEntry]) -> list[Admission]:
        # A snapshot holds admissions that the feed tells after it, and the feed may begin again further back.
        news = []
        for entry in entries:
            if isinstance(entry, AdmissionEntry):
                values = {"handle_hash": entry.handle_hash, "scan": entry.admission.scan.bytes}
                if not await self._writing.fetch("knows_admission", values):
                    news.append(entry.admission)
        return news

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
    await database.put_many("put_hot", groups.hot)
    for policy in groups.policies:
        await database.fetch("put_policy", {"version": policy.version, "body": msgpack.encode(policy)})
