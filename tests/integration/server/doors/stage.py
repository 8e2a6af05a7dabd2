"""A tenant with an event, tickets and gates whose logs are as real gates sign them, for tests of the gates' side."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from msgspec import Struct
from msgspec.structs import replace

from server.db.pool import PgDatabase, open_database
from server.db.relay_session import open_relay_session
from server.ephemeral.memory import MemoryEphemeral
from server.services.context import Context
from server.services.enrol import Enrolment, GateWish
from server.services.keys import KeyVault
from server.services.publish import OfferedType, Publication, publish_event
from server.services.rows import ActorRef, EventRow, TicketRow
from server.services.transition import Move, issue_tickets, move_ticket
from shared.admission.policy import Policy, Window
from shared.admission.verdict import Direction
from shared.clock import ManualClock
from shared.codes import chain
from shared.codes.capsule import VERSION, Header, Profile, event_hint, pack_header
from shared.codes.keys import KeyRing, derive_handle, derive_seed, hash_handle
from shared.codes.reader import Proof
from shared.ids import EventId, TenantId, TicketId, TicketTypeId, UserId, VenueId
from shared.sync.feed import FeedEntry
from shared.tickets.lifecycle import Actor, State
from tests.conftest import Databases
from tests.integration.server.doors.paper_gate import PaperGate, application

EVENING = datetime(2026, 6, 20, 18, 0, tzinfo=UTC)
DOORS = EVENING - timedelta(hours=1)


class Stage(Struct, frozen=True, kw_only=True, eq=False):
    """One tenant's event, and everything it takes to act on it."""

    db: PgDatabase
    vault: KeyVault
    clock: ManualClock
    tenant: TenantId
    event: EventId
    ticket_type: TicketTypeId
    enrolment: Enrolment

    @property
    def context(self) -> Context:
        """What the selling side's use cases are handed."""
        store = MemoryEphemeral(self.clock)
        return Context(db=self.db, vault=self.vault, ephemeral=store, clock=self.clock, random_bytes=os.urandom)

    async def event_row(self) -> EventRow:
        """Return the event as stored."""
        async with self.db.tenant(self.tenant) as tx:
            event = await tx.events.get(self.event)
        assert event is not None
        return event

    async def ticket(self, ticket: TicketId) -> TicketRow:
        """Return a ticket as stored."""
        async with self.db.tenant(self.tenant) as tx:
            row = await tx.tickets.get(ticket)
        assert row is not None
        return row

    async def issue(self, count: int, name: str = "Ada L.") -> list[TicketRow]:
        """Make tickets that are good to go in."""
        made = [
            TicketRow(
                tenant=self.tenant,
                id=TicketId(uuid4()),
                event=self.event,
                ticket_type=self.ticket_type,
                order=None,
                owner=UserId(uuid4()),
                holder_name=name,
                seat=f"{number}",
                state=State.SOLD,
                generation=0,
                version=1,
                locked=None,
                valid_from=None,
                valid_until=None,
            )
            for number in range(count)
        ]
        move = Move(to=State.ACTIVE, actor=SYSTEM, source="test", now=self.clock.now())
        async with self.db.tenant(self.tenant) as tx:
            kind = await tx.stock.get(self.ticket_type)
            assert kind is not None
            return await issue_tickets(tx, self.vault, made, [kind], move)

    async def move(self, ticket: TicketId, to: State, **how: object) -> TicketRow:
        """Take one step with a ticket, as the organiser or the system would."""
        by = ORGANISER if to in {State.REVOKED, State.CANCELLED} else SYSTEM
        move = Move(to=to, actor=by, source="test", now=self.clock.now(), reason="admin_request")
        async with self.db.tenant(self.tenant) as tx:
            row = await tx.tickets.lock(ticket)
            assert row is not None
            return await move_ticket(tx, self.vault, row, replace(move, **how))

    async def relay_all(self) -> int:
        """Relay everything that is queued and return how much that was."""
        moved = 0
        async with open_relay_session(self.db) as session:
            assert await session.lead()
            while step := await session.turn(500):
                moved += step
        return moved

    async def feed(self, after: int = 0) -> list[FeedEntry]:
        """Return the event's feed."""
        async with self.db.tenant(self.tenant) as tx:
            return await tx.feed.after(self.event, after, 1_000_000)

    async def enrol(self, name: str = "North", direction: Direction = Direction.ENTRY) -> PaperGate:
        """Enrol a gate as an organiser and a gate do it together."""
        wish = GateWish(event=self.event, name=name, direction=direction)
        issued = await self.enrolment.issue_code(self.tenant, wish, self.clock.now())
        sign, seal = Ed25519PrivateKey.generate(), X25519PrivateKey.generate()
        enrolled = await self.enrolment.enrol(application(issued.code, sign, seal), self.clock.now())
        return PaperGate(self, enrolled, sign, seal)

    async def prove(self, ticket: TicketRow, at: datetime) -> Proof:
        """Return what a phone with this ticket shows at a moment."""
        async with self.db.tenant(self.tenant) as tx:
            master = (await self.vault.masters(tx)).of(ticket.master)
            event = await tx.events.get(self.event)
            assert event is not None
            number = (at - event.epoch_zero) // timedelta(seconds=event.epoch_s)
            epoch = (await self.vault.epochs(tx, event, number, number))[0]
        handle = derive_handle(master, ticket.id, ticket.generation)
        header = pack_header(
            Header(version=VERSION, profile=Profile.LIVE, hint=event_hint(self.event), epoch=epoch.epoch)
        )
        top = chain.derive_top(derive_seed(master, ticket.id, ticket.generation), header)
        slots = chain.slot_count(epoch.starts, epoch.ends, epoch.slot_s)
        slot = chain.slot_at(epoch.starts, epoch.slot_s, at)
        value = chain.walk_down(chain.derive_context(self.event, header, handle), top, slots, slot)
        return Proof(epoch=epoch.epoch, slot=slot, value=value)

    async def handle_hash(self, ticket: TicketRow) -> bytes:
        """Return the hash by which gates know a ticket's present generation."""
        async with self.db.tenant(self.tenant) as tx:
            master = (await self.vault.masters(tx)).of(ticket.master)
        return hash_handle(derive_handle(master, ticket.id, ticket.generation))


SYSTEM = ActorRef(kind=Actor.SYSTEM, id="test")
ORGANISER = ActorRef(kind=Actor.ORGANISER, id="test")


def open_policy(**changes: object) -> Policy:
    """Return a policy under which the doors have been open for an hour."""
    window = Window(doors=DOORS, starts=EVENING + timedelta(hours=1), ends=EVENING + timedelta(hours=5))
    return replace(Policy(version=1, window=window), **changes)


async def set_up(db: PgDatabase, clock: ManualClock, policy: Policy) -> Stage:
    """Make a tenant with one event, its keys under a ring of its own."""
    return await set_up_with(db, KeyVault(KeyRing({"k1": os.urandom(32)}), os.urandom, clock), clock, policy)


async def set_up_with(
    db: PgDatabase, vault: KeyVault, clock: ManualClock, policy: Policy, code_policy: int = 0
) -> Stage:
    """Make a tenant with one event."""
    tenant, event, kind = TenantId(uuid4()), EventId(uuid4()), TicketTypeId(uuid4())
    types = (
        OfferedType(id=kind, product=1, name="Floor", price_cents=0, currency="EUR", total=0, code_policy=code_policy),
    )
    publication = Publication(
        tenant=tenant,
        tenant_name="Hall",
        venue=VenueId(uuid4()),
        venue_name="Hall",
        event=event,
        name="Concert",
        policy=policy,
        sale_starts=EVENING - timedelta(days=30),
        sale_ends=EVENING,
        types=types,
    )
    stage = Stage(
        db=db,
        vault=vault,
        clock=clock,
        tenant=tenant,
        event=event,
        ticket_type=types[0].id,
        enrolment=Enrolment(db, vault, os.urandom),
    )
    assert await publish_event(stage.context, publication)
    return stage


@asynccontextmanager
async def open_stage(database: Databases, clock: ManualClock, policy: Policy | None = None) -> AsyncIterator[Stage]:
    """Open a database and set one event up in it."""
    async with open_database(database.app_dsn, database.worker_dsn) as db:
        yield await set_up(db, clock, policy or open_policy())
