"""A house with a database, its tickets, and gates' logs of which every record proves that a live code was seen."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from msgspec import Struct

from server.db.pool import PgDatabase, open_database
from server.domain.access import GateCaller
from server.domain.proof import ChainWindow, ProofClaim
from server.embedded_stack import embedded_cluster
from server.ephemeral.memory import MemoryEphemeral
from server.services.context import Context
from server.services.keys import KeyVault, epoch_at
from server.services.publish import OfferedType, Publication, publish_event
from server.services.rows import ActorRef, EventRow, TicketRow, TicketTypeRow
from server.services.rows_gates import GateRow
from server.services.transition import Move, issue_tickets
from shared.admission.policy import Policy, Window
from shared.admission.verdict import Direction, Reason
from shared.clock import ManualClock, unix_ms
from shared.codes import chain
from shared.codes.capsule import VERSION, Header, Profile, event_hint, pack_header
from shared.codes.keys import derive_handle, derive_seed, hash_handle
from shared.codes.reader import Proof
from shared.ids import EventId, GateId, IncarnationId, ScanId, TenantId, TicketId, TicketTypeId, UserId, VenueId
from shared.problems import Internal
from shared.sync.hlc import tick
from shared.sync.scan import (
    GENESIS,
    Mode,
    ScanBatch,
    ScanRecord,
    SignedBatch,
    chain_hashes,
    encode_record,
    sign_batch,
)
from shared.tickets.lifecycle import Actor, State

BATCH = 200
EVENING = datetime(2026, 6, 20, 18, 5, tzinfo=UTC)
_AT_ONCE = 1000
_EVERY_MS = 1500


class Log(Struct, frozen=True, kw_only=True, eq=False):
    """One gate's log: each of its tickets let in once, with what its phone showed."""

    caller: GateCaller
    key: Ed25519PrivateKey
    incarnation: IncarnationId
    tickets: list[TicketRow]
    claims: list[ProofClaim]
    bodies: list[bytes]

    def batches(self) -> Iterator[SignedBatch]:
        """Yield the log as the gate sends it."""
        previous = GENESIS
        for first in range(0, len(self.bodies), BATCH):
            batch = ScanBatch(
                gate=self.caller.gate,
                incarnation=self.incarnation,
                first_seq=first + 1,
                previous=previous,
                records=self.bodies[first : first + BATCH],
            )
            previous = chain_hashes(batch)[-1]
            yield sign_batch(batch, self.key)


class House(Struct, frozen=True, kw_only=True, eq=False):
    """An event on a database, and everything codes are made from."""

    db: PgDatabase
    vault: KeyVault
    clock: ManualClock
    event: EventRow
    ticket_type: TicketTypeRow
    master: bytes
    epoch: int
    window: ChainWindow
    tickets: list[TicketRow]

    async def write_log(self, tickets: Sequence[TicketRow]) -> Log:
        """Return the log of a new gate that let all these tickets in, one after the other."""
        keys = Ed25519PrivateKey.generate()
        gate = GateRow(
            tenant=self.event.tenant,
            id=GateId(uuid4()),
            event=self.event.id,
            name="North",
            direction=Direction.ENTRY,
            zones=0,
            products=(),
            sign_public=keys.public_key().public_bytes_raw(),
            seal_public=X25519PrivateKey.generate().public_key().public_bytes_raw(),
            software="benchmark",
            enrolled_at=self.clock.now(),
        )
        async with self.db.tenant(self.event.tenant) as tx:
            await tx.gates.add(gate)
        claims = [self._claim(ticket, number) for number, ticket in enumerate(tickets)]
        return Log(
            caller=GateCaller(tenant=gate.tenant, gate=gate.id),
            key=keys,
            incarnation=IncarnationId(uuid4()),
            tickets=list(tickets),
            claims=claims,
            bodies=[self._body(claim, number) for number, claim in enumerate(claims)],
        )

    def _at(self, number: int) -> datetime:
        return self.clock.now() + timedelta(milliseconds=number * _EVERY_MS)

    def _claim(self, ticket: TicketRow, number: int) -> ProofClaim:
        slot = chain.slot_at(self.window.starts, self.window.slot_s, self._at(number))
        header = pack_header(
            Header(version=VERSION, profile=Profile.LIVE, hint=event_hint(self.event.id), epoch=self.epoch)
        )
        context = chain.derive_context(self.event.id, header, derive_handle(self.master, ticket.id, ticket.generation))
        top = chain.derive_top(derive_seed(self.master, ticket.id, ticket.generation), header)
        slots = chain.slot_count(self.window.starts, self.window.ends, self.window.slot_s)
        value = chain.walk_down(context, top, slots, slot)
        proof = Proof(epoch=self.epoch, slot=slot, value=value)
        return ProofClaim(event=self.event.id, ticket=ticket.id, generation=ticket.generation, proof=proof)

    def _body(self, claim: ProofClaim, number: int) -> bytes:
        at_ms = unix_ms(self._at(number))
        return encode_record(
            ScanRecord(
                scan=ScanId(uuid4()),
                gate_seq=number + 1,
                hlc=tick(0, at_ms),
                at_ms=at_ms,
                unsure_ms=40,
                event=self.event.id,
                handle_hash=hash_handle(derive_handle(self.master, claim.ticket, claim.generation)),
                code_hash=os.urandom(8),
                direction=Direction.ENTRY,
                admitted=True,
                reason=Reason.OK,
                mode=Mode.OFFLINE,
                feed_seq=0,
                policy_version=1,
                proof=claim.proof,
            )
        )


@asynccontextmanager
async def open_house(directory: Path, tickets: int) -> AsyncIterator[House]:
    """Open a durable PostgreSQL of its own, put an event on sale and issue its tickets."""
    clock = ManualClock(EVENING)
    async with (
        embedded_cluster(directory / "data") as cluster,
        open_database(cluster.cluster.app_dsn, cluster.cluster.worker_dsn) as db,
    ):
        vault = KeyVault(cluster.secrets.ring, os.urandom, clock)
        context = Context(db=db, vault=vault, ephemeral=MemoryEphemeral(clock), clock=clock, random_bytes=os.urandom)
        wish = _wish(tickets)
        await publish_event(context, wish)
        yield await _fill(db, vault, clock, wish)


async def _fill(db: PgDatabase, vault: KeyVault, clock: ManualClock, wish: Publication) -> House:
    async with db.tenant(wish.tenant) as tx:
        event, ticket_type = await tx.events.get(wish.event), await tx.stock.get(wish.types[0].id)
        if event is None or ticket_type is None:
            raise Internal("What was published just now cannot be found.")
        tickets: list[TicketRow] = []
        move = Move(to=State.ACTIVE, actor=ActorRef(kind=Actor.SYSTEM, id="benchmark"), source="sale", now=clock.now())
        for first in range(0, wish.types[0].total, _AT_ONCE):
            many = min(_AT_ONCE, wish.types[0].total - first)
            tickets += await issue_tickets(
                tx, vault, [_ticket(event, ticket_type) for _ in range(many)], [ticket_type], move
            )
        now = epoch_at(event, clock.now())
        [epoch] = await vault.epochs(tx, event, now, now)
        return House(
            db=db,
            vault=vault,
            clock=clock,
            event=event,
            ticket_type=ticket_type,
            master=await vault.master(tx),
            epoch=epoch.epoch,
            window=ChainWindow(starts=epoch.starts, ends=epoch.ends, slot_s=epoch.slot_s),
            tickets=tickets,
        )


def _wish(tickets: int) -> Publication:
    hour = timedelta(hours=1)
    return Publication(
        tenant=TenantId(uuid4()),
        tenant_name="Hall",
        venue=VenueId(uuid4()),
        venue_name="Hall",
        event=EventId(uuid4()),
        name="Concert",
        policy=Policy(version=1, window=Window(doors=EVENING - hour, starts=EVENING + hour, ends=EVENING + 5 * hour)),
        sale_starts=EVENING - timedelta(days=30),
        sale_ends=EVENING,
        types=(
            OfferedType(
                id=TicketTypeId(uuid4()), product=1, name="Floor", price_cents=0, currency="EUR", total=tickets
            ),
        ),
    )


def _ticket(event: EventRow, ticket_type: TicketTypeRow) -> TicketRow:
    return TicketRow(
        tenant=event.tenant,
        id=TicketId(uuid4()),
        event=event.id,
        ticket_type=ticket_type.id,
        order=None,
        owner=UserId(uuid4()),
        holder_name="Ada Lovelace",
        seat="",
        state=State.SOLD,
        generation=0,
        version=1,
        locked=None,
        valid_from=None,
        valid_until=None,
    )
