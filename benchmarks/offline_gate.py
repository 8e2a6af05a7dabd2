"""A gate with an event on its disk and no server: many tickets, one day's keys, and everybody's phones."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from msgspec import Struct

from gate.files import make_directory
from gate.identity import Identity, save_identity
from gate.keystore import GateKeys, make_keys, save_keys, write_b64url
from gate.store.world import open_world
from shared.admission.policy import Policy, Window
from shared.admission.verdict import Direction
from shared.clock import unix_ms
from shared.codes import chain
from shared.codes.bundle import KeyBundle, seal_bundle
from shared.codes.capsule import VERSION, Capsule, Claims, Header, Profile, event_hint, pack_header, seal
from shared.codes.keys import Holder, derive_handle, derive_seed, hash_handle, seal_holder
from shared.codes.reader import EpochKey
from shared.codes.token import Token, write_token
from shared.ids import EventId, GateId, TenantId
from shared.sync.feed import PolicyEntry, TicketEntry
from shared.tickets.lifecycle import State

EPOCH = timedelta(hours=24)
INTO_EPOCH = timedelta(hours=20)
"""How far into the day of its keys the gate is: an evening, when a code's hash chain is long."""

SLOT_S = 15
_EPOCH_NUMBER = 3
_APPLY_AT_ONCE = 4000


class Event(Struct, frozen=True, kw_only=True, eq=False):
    """An event as its server knows it."""

    id: EventId
    master: bytes
    envelope: bytes
    issuer: Ed25519PrivateKey
    starts: datetime
    policy: Policy

    def key(self) -> EpochKey:
        """Return what a gate holds for the day."""
        return EpochKey(
            event=self.id,
            epoch=_EPOCH_NUMBER,
            starts=self.starts,
            ends=self.starts + EPOCH,
            slot_s=SLOT_S,
            envelope_key=self.envelope,
            issuer=self.issuer.public_key().public_bytes_raw(),
        )

    def show(self, number: int, at: datetime) -> str:
        """Return what the phone with a ticket shows at a moment."""
        name = UUID(int=number)
        handle, seed = derive_handle(self.master, name, 1), derive_seed(self.master, name, 1)
        header = Header(version=VERSION, profile=Profile.LIVE, hint=event_hint(self.id), epoch=_EPOCH_NUMBER)
        packed = pack_header(header)
        context, top = chain.derive_context(self.id, packed, handle), chain.derive_top(seed, packed)
        slots = chain.slot_count(self.starts, self.starts + EPOCH, SLOT_S)
        claims = Claims(
            handle=handle, product=1, not_before=0, not_after=0xFFFF, zones=1, generation=1, entries=0, policy=0
        )
        capsule = Capsule(header=header, claims=claims, anchor=chain.walk_down(context, top, slots, 0))
        slot = chain.slot_at(self.starts, SLOT_S, at)
        value = chain.walk_down(context, top, slots, slot)
        return write_token(Token(capsule=seal(capsule, self.id, self.envelope, self.issuer), slot=slot, value=value))


def make_event() -> Event:
    """Return a new event whose doors are open."""
    now = datetime.now(UTC)
    window = Window(doors=now - timedelta(hours=1), starts=now, ends=now + timedelta(hours=3))
    return Event(
        id=EventId(uuid4()),
        master=os.urandom(32),
        envelope=os.urandom(32),
        issuer=Ed25519PrivateKey.generate(),
        starts=now - INTO_EPOCH,
        policy=Policy(version=1, window=window),
    )


async def furnish(directory: Path, event: Event, tickets: int) -> tuple[Identity, GateKeys]:
    """Make a gate of the event that has loaded everything; return who it is."""
    organiser, keys = Ed25519PrivateKey.generate(), make_keys()
    identity = _identify(event, organiser)
    make_directory(directory)
    save_keys(directory, keys)
    save_identity(directory, identity)
    sealed = seal_bundle(_bundle(event), identity.gate, keys.seal.public_key(), organiser)
    world = await open_world(directory)
    try:
        await world.apply([PolicyEntry(seq=1, policy=event.policy)], 1)
        for entries in _batches(event, tickets):
            await world.apply(entries, entries[-1].seq)
        await world.keep_bundle(1, sealed)
        await world.confirm(unix_ms(datetime.now(UTC)))
    finally:
        await world.close()
    return identity, keys


def _batches(event: Event, tickets: int) -> Iterator[list[TicketEntry]]:
    for start in range(1, tickets + 1, _APPLY_AT_ONCE):
        yield [_entry(event, number) for number in range(start, min(start + _APPLY_AT_ONCE, tickets + 1))]


def _entry(event: Event, number: int) -> TicketEntry:
    handle = derive_handle(event.master, UUID(int=number), 1)
    return TicketEntry(
        seq=number + 1,
        handle_hash=hash_handle(handle),
        version=1,
        state=State.ACTIVE,
        generation=1,
        product=1,
        zones=1,
        sealed=seal_holder(handle, Holder(name=f"Guest {number}", seat=f"Row {number % 60}", product="Standing")),
    )


def _bundle(event: Event) -> KeyBundle:
    return KeyBundle(
        event=event.id, event_name="Benchmark", version=1, made=event.starts, epochs=[event.key()], policy=event.policy
    )


def _identify(event: Event, organiser: Ed25519PrivateKey) -> Identity:
    return Identity(
        gate=GateId(uuid4()),
        tenant=TenantId(uuid4()),
        event=event.id,
        event_name="Benchmark",
        name="North",
        direction=Direction.ENTRY,
        zones=0,
        products=(),
        server="http://127.0.0.1:9",
        config_key=write_b64url(organiser.public_key().public_bytes_raw()),
    )
