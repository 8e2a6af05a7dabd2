"""An event made up for the gate's tests: keys, tickets, codes, and gates that are enrolled without a server."""

from __future__ import annotations

import asyncio
import hashlib
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey
from msgspec import Struct, structs

from gate.files import make_directory
from gate.identity import Identity, save_identity
from gate.keystore import GateKeys, make_keys, save_keys, write_b64url
from gate.store.world import open_world
from shared.admission.policy import Policy, Window
from shared.admission.presence import Admission
from shared.admission.verdict import Direction
from shared.codes import chain
from shared.codes.bundle import KeyBundle, SealedBundle, SupervisorEntry, seal_bundle
from shared.codes.capsule import VERSION, Capsule, Claims, CodePolicy, Header, Profile, event_hint, pack_header, seal
from shared.codes.keys import Holder, derive_handle, derive_seed, hash_handle, seal_holder
from shared.codes.reader import EpochKey
from shared.codes.token import Token, write_token
from shared.ids import EventId, GateId, ScanId, TenantId
from shared.sync.feed import AdmissionEntry, FeedEntry, GateEntry, PolicyEntry, TicketEntry
from shared.tickets.lifecycle import State

EVENT = EventId(UUID("0190a000-0000-7000-8000-0000000000e1"))
TENANT = TenantId(UUID("0190a000-0000-7000-8000-0000000000f1"))
NORTH = GateId(UUID("0190a000-0000-7000-8000-0000000000a1"))
SOUTH = GateId(UUID("0190a000-0000-7000-8000-0000000000b2"))
EPOCH = timedelta(hours=24)


def secret(name: str) -> bytes:
    """Return 32 bytes that look random and are always the same."""
    return hashlib.sha256(b"gate tests: " + name.encode()).digest()


MASTER, ENVELOPE = secret("master"), secret("envelope")
ISSUER = Ed25519PrivateKey.from_private_bytes(secret("issuer"))
ORGANISER = Ed25519PrivateKey.from_private_bytes(secret("organiser"))


class Ticket(Struct, frozen=True, kw_only=True):
    """One ticket as the server knows it."""

    handle: bytes
    seed: bytes
    entry: TicketEntry


class Venue:
    """An evening around ``now``: one epoch of 24 hours that began an hour before; slots of ``slot_s`` seconds."""

    def __init__(self, now: datetime, *, slot_s: int = 3600, policy: Policy | None = None) -> None:
        self.starts = now.replace(minute=0, second=0, microsecond=0) - timedelta(hours=1)
        self.slot_s = slot_s
        self.epoch = 7
        window = Window(doors=now - timedelta(hours=2), starts=now - timedelta(hours=1), ends=now + timedelta(hours=12))
        self.policy = policy or Policy(version=1, window=window)
        self.supervisors: list[SupervisorEntry] = []

    def ticket(self, number: int, *, state: State = State.ACTIVE, generation: int = 1, seq: int = 0) -> Ticket:
        """Return the ticket of a number, as a feed entry at position ``seq`` (default: number plus 2)."""
        name = UUID(int=number)
        handle = derive_handle(MASTER, name, generation)
        holder = Holder(name=f"Guest {number}", seat=f"A{number}", product="Standing")
        entry = TicketEntry(
            seq=seq or number + 2,
            handle_hash=hash_handle(handle),
            version=1,
            state=state,
            generation=generation,
            product=1,
            zones=1,
            sealed=seal_holder(handle, holder),
        )
        return Ticket(handle=handle, seed=derive_seed(MASTER, name, generation), entry=entry)

    def entries(self, tickets: int) -> list[FeedEntry]:
        """Return the event's feed: the policy at 1, one gate at 2, then the tickets from number 1."""
        head: list[FeedEntry] = [
            PolicyEntry(seq=1, policy=self.policy),
            GateEntry(seq=2, gate=SOUTH, name="South 1"),
        ]
        return [*head, *(self.ticket(number).entry for number in range(1, tickets + 1))]

    def key(self) -> EpochKey:
        """Return what a gate holds for the epoch."""
        return EpochKey(
            event=EVENT,
            epoch=self.epoch,
            starts=self.starts,
            ends=self.starts + EPOCH,
            slot_s=self.slot_s,
            envelope_key=ENVELOPE,
            issuer=ISSUER.public_key().public_bytes_raw(),
        )

    def bundle(self, gate: GateId, seal_to: X25519PublicKey, version: int = 1) -> SealedBundle:
        """Return the key bundle for one gate."""
        bundle = KeyBundle(
            event=EVENT,
            event_name="Evening",
            version=version,
            made=self.starts,
            epochs=[self.key()],
            policy=self.policy,
            supervisors=tuple(self.supervisors),
        )
        return seal_bundle(bundle, gate, seal_to, ORGANISER)

    def code(self, ticket: Ticket, now: datetime) -> str:
        """Return what the ticket's phone shows at a moment."""
        header = Header(version=VERSION, profile=Profile.LIVE, hint=event_hint(EVENT), epoch=self.epoch)
        packed = pack_header(header)
        slots = chain.slot_count(self.starts, self.starts + EPOCH, self.slot_s)
        context, top = chain.derive_context(EVENT, packed, ticket.handle), chain.derive_top(ticket.seed, packed)
        claims = Claims(
            handle=ticket.handle,
            product=ticket.entry.product,
            not_before=0,
            not_after=0xFFFF,
            zones=ticket.entry.zones,
            generation=ticket.entry.generation & 0xFF,
            entries=0,
            policy=0,
        )
        capsule = Capsule(header=header, claims=claims, anchor=chain.walk_down(context, top, slots, 0))
        slot = chain.slot_at(self.starts, self.slot_s, now)
        value = chain.walk_down(context, top, slots, slot)
        return write_token(Token(capsule=seal(capsule, EVENT, ENVELOPE, ISSUER), slot=slot, value=value))

    def printed(self, ticket: Ticket) -> str:
        """Return what stands on the ticket's sheet, of a type that allows paper."""
        header = Header(version=VERSION, profile=Profile.STATIC, hint=event_hint(EVENT), epoch=self.epoch)
        claims = Claims(
            handle=ticket.handle,
            product=ticket.entry.product,
            not_before=0,
            not_after=0xFFFF,
            zones=ticket.entry.zones,
            generation=ticket.entry.generation & 0xFF,
            entries=0,
            policy=int(CodePolicy.STATIC_ALLOWED),
        )
        capsule = Capsule(header=header, claims=claims, anchor=bytes(chain.VALUE_SIZE))
        return write_token(Token(capsule=seal(capsule, EVENT, ENVELOPE, ISSUER)))

    def codes(self, numbers: range, now: datetime) -> list[str]:
        """Return the codes of several tickets at a moment."""
        return [self.code(self.ticket(number), now) for number in numbers]


def passage(ticket: Ticket, *, gate: GateId, at_ms: int, seq: int, number: int = 1) -> AdmissionEntry:
    """Return an entry of a ticket through another gate, as the feed tells it."""
    admission = Admission(
        scan=ScanId(UUID(int=at_ms << 16 | number)),
        gate=gate,
        gate_seq=number,
        hlc=at_ms << 16,
        at_ms=at_ms,
        unsure_ms=10,
        direction=Direction.ENTRY,
        proven=True,
    )
    return AdmissionEntry(seq=seq, handle_hash=ticket.entry.handle_hash, admission=admission)


def identity(server: str = "http://127.0.0.1:9", gate: GateId = NORTH) -> Identity:
    """Return who a gate of the event is."""
    return Identity(
        gate=gate,
        tenant=TENANT,
        event=EVENT,
        event_name="Evening",
        name="North 2",
        direction=Direction.ENTRY,
        zones=0,
        products=(),
        server=server,
        config_key=write_b64url(ORGANISER.public_key().public_bytes_raw()),
    )


def enrol_by_hand(directory: Path, who: Identity | None = None) -> GateKeys:
    """Write what enrolment writes; return the keys."""
    make_directory(directory)
    keys = make_keys()
    save_keys(directory, keys)
    save_identity(directory, who or identity())
    return keys


async def stock(directory: Path, venue: Venue, keys: GateKeys, tickets: int) -> None:
    """Give an enrolled gate everything it needs to scan without a server."""
    world = await open_world(directory)
    try:
        entries = venue.entries(tickets)
        await world.apply(entries, entries[-1].seq)
        await world.keep_bundle(1, venue.bundle(NORTH, keys.seal.public_key()))
        await world.confirm(1)
    finally:
        await world.close()


def prepare_gate(directory: Path, tickets: int, now: datetime | None = None) -> Venue:
    """Make a gate that can scan without a server; the codes of its event are good for hours."""
    venue = Venue(now or datetime.now(UTC))
    asyncio.run(stock(directory, venue, enrol_by_hand(directory), tickets))
    return venue


def revised(entry: TicketEntry, *, seq: int, version: int, state: State) -> TicketEntry:
    """Return a later statement of the same ticket."""
    return structs.replace(entry, seq=seq, version=version, state=state)
