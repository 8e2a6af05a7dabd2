"""One event on a real database: its tickets, the codes their phones show, its gates, and a door that can be torn down."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from random import Random
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from msgspec import Struct
from msgspec.structs import replace

from gate.keystore import GateKeys
from server.db.pool import PgDatabase
from server.db.unit import PgUnit
from server.ephemeral.memory import MemoryEphemeral
from server.services.codes import CodeMint, CodeSubject, show
from server.services.context import Context
from server.services.keys import EpochSecrets, KeyVault, epoch_at, public_half
from server.services.publish import OfferedType, Publication, publish_event
from server.services.rows import ActorRef, EventRow, TicketRow, TicketTypeRow
from server.services.rows_gates import GateRow
from server.services.transition import Move, issue_tickets
from shared.admission.policy import Policy, Window
from shared.admission.verdict import Direction
from shared.clock import ManualClock
from shared.codes.keys import KeyRing, derive_handle, hash_handle
from shared.ids import EventId, GateId, TenantId, TicketId, TicketTypeId, UserId, VenueId
from shared.sync.feed import GateEntry
from shared.tickets.lifecycle import Actor, State

EVENING = datetime(2026, 6, 20, 18, 5, tzinfo=UTC)
SYSTEM = ActorRef(kind=Actor.SYSTEM, id="simulation")


class ServerDied(Exception):
    """The server's process ended in the middle of its work."""

    def __init__(self, *, committed: bool) -> None:
        super().__init__("the server died")
        self.committed = committed


class MortalDatabase:
    """The tenant's door, behind which the server may die just before or just after its transaction counts."""

    def __init__(self, db: PgDatabase) -> None:
        self.behind = db
        self.doom: str | None = None

    @asynccontextmanager
    async def tenant(self, tenant: TenantId) -> AsyncIterator[PgUnit]:
        """Open one transaction, and maybe die with it."""
        async with self.behind.tenant(tenant) as tx:
            yield tx
            if self.doom == "before":
                self.doom = None
                raise ServerDied(committed=False)
        if self.doom == "after":
            self.doom = None
            raise ServerDied(committed=True)

    @asynccontextmanager
    async def still(self, tenant: TenantId) -> AsyncIterator[PgUnit]:
        """Open one transaction that sees one moment."""
        async with self.behind.still(tenant) as tx:
            yield tx


class Post(Struct, frozen=True, kw_only=True, eq=False):
    """A gate as it was enrolled."""

    row: GateRow
    keys: GateKeys
    config_key: bytes


class Hall(Struct, frozen=True, kw_only=True, eq=False):
    """The event, its tickets in their first generation, and everything codes are made from."""

    door: MortalDatabase
    ring: KeyRing
    clock: ManualClock
    event: EventRow
    kind: TicketTypeRow
    master: bytes
    epochs: list[EpochSecrets]
    tickets: list[TicketRow]
    mint: CodeMint

    @property
    def db(self) -> PgDatabase:
        """The database behind the door, which may be another one after an accident."""
        return self.door.behind

    @property
    def tenant(self) -> TenantId:
        """Whose event it is."""
        return self.event.tenant

    def start_context(self) -> Context:
        """Return the means of a server process that has just started and remembers nothing."""
        return Context(
            db=self.door,
            vault=KeyVault(self.ring, os.urandom, self.clock),
            ephemeral=MemoryEphemeral(self.clock),
            clock=self.clock,
            random_bytes=os.urandom,
            horizon=timedelta(hours=2),
        )

    def handle_hash(self, ticket: int, generation: int) -> bytes:
        """Return by what gates know a generation of a ticket."""
        return hash_handle(derive_handle(self.master, self.tickets[ticket].id, generation))

    async def code(self, ticket: int, generation: int, at: datetime) -> str:
        """Return what a phone with this generation of a ticket shows at a moment."""
        row = replace(self.tickets[ticket], generation=generation)
        subject = CodeSubject(master=self.master, event=self.event, ticket=row, ticket_type=self.kind)
        epoch = next(one for one in self.epochs if one.starts <= at < one.ends)
        (capsule,) = await self.mint.capsules(subject, [epoch])
        return show(capsule, subject.seed, at).text


def make_policy(*, exits: bool) -> Policy:
    """Return a policy under which the doors are open: one entry each, or in and out as people like."""
    window = Window(
        doors=EVENING - timedelta(hours=1), starts=EVENING + timedelta(hours=1), ends=EVENING + timedelta(hours=5)
    )
    return Policy(version=1, window=window, exits=exits, re_entries=None if exits else 0)


async def open_hall(db: PgDatabase, clock: ManualClock, rng: Random, tickets: int, policy: Policy) -> Hall:
    """Put an event on sale and issue its tickets; all ids come from the seed."""
    door, ring = MortalDatabase(db), KeyRing({"k1": rng.randbytes(32)})
    tenant, event_id, kind_id = (_id(rng) for _ in range(3))
    context = Context(
        db=db,
        vault=KeyVault(ring, os.urandom, clock),
        ephemeral=MemoryEphemeral(clock),
        clock=clock,
        random_bytes=os.urandom,
    )
    publication = _plan_event(rng, (tenant, event_id, kind_id), tickets, policy)
    assert await publish_event(context, publication)
    async with db.tenant(TenantId(tenant)) as tx:
        event, kind = await tx.events.get(EventId(event_id)), await tx.stock.get(TicketTypeId(kind_id))
        assert event is not None
        assert kind is not None
        rows = [_ticket(rng, event, kind) for _ in range(tickets)]
        move = Move(to=State.ACTIVE, actor=SYSTEM, source="sale", now=clock.now() - timedelta(hours=2))
        issued = await issue_tickets(tx, context.vault, rows, [kind], move)
        now = epoch_at(event, clock.now())
        return Hall(
            door=door,
            ring=ring,
            clock=clock,
            event=event,
            kind=kind,
            master=await context.vault.master(tx),
            epochs=await context.vault.epochs(tx, event, now, now + 1),
            tickets=issued,
            mint=CodeMint(),
        )


async def enrol_gates(hall: Hall, rng: Random, directions: list[Direction]) -> list[Post]:
    """Make the event's gates, all in one transaction."""
    posts: list[Post] = []
    vault = hall.start_context().vault
    async with hall.db.tenant(hall.tenant) as tx:
        config = public_half(await vault.config_key(tx))
        for number, direction in enumerate(directions):
            keys = GateKeys(
                Ed25519PrivateKey.from_private_bytes(rng.randbytes(32)),
                X25519PrivateKey.from_private_bytes(rng.randbytes(32)),
            )
            row = GateRow(
                tenant=hall.tenant,
                id=GateId(_id(rng)),
                event=hall.event.id,
                name=f"Gate {number}",
                direction=direction,
                zones=0,
                products=(),
                sign_public=keys.sign.public_key().public_bytes_raw(),
                seal_public=keys.seal.public_key().public_bytes_raw(),
                software="simulation",
                enrolled_at=hall.clock.now(),
            )
            await tx.gates.add(row)
            posts.append(Post(row=row, keys=keys, config_key=config))
        entries = [GateEntry(seq=0, gate=post.row.id, name=post.row.name) for post in posts]
        await tx.outbox.append(hall.event.id, entries)
    return posts


def _plan_event(rng: Random, ids: tuple[UUID, UUID, UUID], tickets: int, policy: Policy) -> Publication:
    tenant, event_id, kind_id = ids
    offered = OfferedType(
        id=TicketTypeId(kind_id), product=1, name="Floor", price_cents=0, currency="EUR", total=tickets
    )
    return Publication(
        tenant=TenantId(tenant),
        tenant_name="Hall",
        venue=VenueId(_id(rng)),
        venue_name="Hall",
        event=EventId(event_id),
        name="Concert",
        policy=policy,
        sale_starts=EVENING - timedelta(days=30),
        sale_ends=EVENING,
        types=(offered,),
        epoch_s=3600,
    )


def _ticket(rng: Random, event: EventRow, kind: TicketTypeRow) -> TicketRow:
    return TicketRow(
        tenant=event.tenant,
        id=TicketId(_id(rng)),
        event=event.id,
        ticket_type=kind.id,
        order=None,
        owner=UserId(_id(rng)),
        holder_name="Ada L.",
        seat="",
        state=State.SOLD,
        generation=0,
        version=1,
        locked=None,
        valid_from=None,
        valid_until=None,
    )


def _id(rng: Random) -> UUID:
    return UUID(bytes=rng.randbytes(16), version=4)
