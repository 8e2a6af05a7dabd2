"""Tickets, codes, gates and passages made up for tests; every key is derived from a fixed text."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from msgspec import Struct, structs

from shared.admission.policy import Place, Policy, Window
from shared.admission.presence import Admission
from shared.admission.rule import Facts
from shared.admission.verdict import Direction
from shared.clock import unix_ms
from shared.codes import chain
from shared.codes.capsule import VERSION, Capsule, Claims, Header, Profile, event_hint, pack_header, seal
from shared.codes.keys import derive_handle, derive_seed
from shared.codes.reader import EpochKey
from shared.codes.token import Token, write_token
from shared.ids import EventId, GateId, ScanId, TicketId

T0 = datetime(2026, 6, 20, 0, 0, tzinfo=UTC)
DOORS = T0 + timedelta(hours=18)
NOW = T0 + timedelta(hours=19)
NOW_MS = unix_ms(NOW)
EVENT = EventId(UUID("0190a000-0000-7000-8000-000000000001"))
TICKET = TicketId(UUID("0190a000-0000-7000-8000-00000000000a"))
NORTH = GateId(UUID("0190a000-0000-7000-8000-0000000000a1"))
SOUTH = GateId(UUID("0190a000-0000-7000-8000-0000000000b2"))


def secret(name: str) -> bytes:
    """Return 32 bytes that look random and are always the same."""
    return hashlib.sha256(b"tests: " + name.encode()).digest()


MASTER = secret("tenant master")
ISSUER = Ed25519PrivateKey.from_private_bytes(secret("issuer"))
ENVELOPE = secret("envelope")


class Guarded(bytes):
    """Bytes that may be compared in constant time only: how long ``==`` takes tells how much of a guess is right."""

    __hash__ = bytes.__hash__

    def __eq__(self, other: object) -> bool:
        """Refuse."""
        raise AssertionError("a secret was compared with ==")

    def __ne__(self, other: object) -> bool:
        """Refuse."""
        raise AssertionError("a secret was compared with !=")


class Order(Struct, frozen=True, kw_only=True):
    """What to put into a capsule."""

    event: EventId = EVENT
    ticket: TicketId = TICKET
    epoch: int = 0
    starts: datetime = T0
    length: timedelta = timedelta(hours=24)
    slot_s: int = 15
    version: int = VERSION
    profile: int = Profile.LIVE
    generation: int = 1
    product: int = 3
    zones: int = 0b101
    not_before: int = 0
    not_after: int = 0xFFFF
    entries: int = 0
    policy: int = 0


class Phone(Struct, frozen=True, kw_only=True):
    """A ticket as its holder has it."""

    order: Order
    capsule: bytes
    context: bytes
    top: bytes
    slots: int

    def token(self, slot: int) -> Token:
        """Return what is shown in a slot."""
        value = chain.walk_down(self.context, self.top, self.slots, slot)
        return Token(capsule=self.capsule, slot=slot, value=value)

    def show(self, now: datetime) -> str:
        """Return the text of the code at a moment."""
        return write_token(self.token(chain.slot_at(self.order.starts, self.order.slot_s, now)))

    def paper(self) -> str:
        """Return the capsule alone, as text."""
        return write_token(Token(capsule=self.capsule))


def epoch_key(order: Order | None = None) -> EpochKey:
    """Return what a verifier holds for the epoch of an order."""
    given = order or Order()
    return EpochKey(
        event=given.event,
        epoch=given.epoch,
        starts=given.starts,
        ends=given.starts + given.length,
        slot_s=given.slot_s,
        envelope_key=ENVELOPE,
        issuer=ISSUER.public_key().public_bytes_raw(),
    )


def make_capsule(order: Order, anchor: bytes) -> Capsule:
    """Return the open form of a capsule."""
    return Capsule(
        header=Header(version=order.version, profile=order.profile, hint=event_hint(order.event), epoch=order.epoch),
        claims=Claims(
            handle=derive_handle(MASTER, order.ticket, order.generation),
            product=order.product,
            not_before=order.not_before,
            not_after=order.not_after,
            zones=order.zones,
            generation=order.generation & 0xFF,
            entries=order.entries,
            policy=order.policy,
        ),
        anchor=anchor,
    )


def issue(**changes: Any) -> Phone:
    """Make a capsule as the server does; ``changes`` are fields of ``Order``."""
    order = Order(**changes)
    opened = make_capsule(order, bytes(16))
    header = pack_header(opened.header)
    context = chain.derive_context(order.event, header, opened.claims.handle)
    top = chain.derive_top(derive_seed(MASTER, order.ticket, order.generation), header)
    slots = chain.slot_count(order.starts, order.starts + order.length, order.slot_s)
    sealed = structs.replace(opened, anchor=chain.walk_down(context, top, slots, 0))
    return Phone(
        order=order,
        capsule=seal(sealed, order.event, ENVELOPE, ISSUER),
        context=context,
        top=top,
        slots=slots,
    )


def passage(number: int, **changes: Any) -> Admission:
    """Return the entry of one ticket at the north gate, ``number`` minutes after doors, unless told otherwise."""
    at_ms = changes.pop("at_ms", unix_ms(DOORS) + number * 60_000)
    fields: dict[str, Any] = {
        "scan": ScanId(UUID(int=number)),
        "gate": NORTH,
        "gate_seq": number,
        "hlc": at_ms << 16,
        "unsure_ms": 200,
        "direction": Direction.ENTRY,
        "proven": True,
    }
    return Admission(at_ms=at_ms, **(fields | changes))


def leaving(number: int, **changes: Any) -> Admission:
    """Return an exit at the south gate."""
    return passage(number, **({"direction": Direction.EXIT, "gate": SOUTH} | changes))


def policy(**changes: Any) -> Policy:
    """Return a policy of an evening: doors at 18, start at 20, end at 23 o'clock, two hours' grace."""
    window = Window(doors=DOORS, starts=T0 + timedelta(hours=20), ends=T0 + timedelta(hours=23))
    fields: dict[str, Any] = {"version": 1, "window": window}
    return Policy(**(fields | changes))


def place(**changes: Any) -> Place:
    """Return the north gate."""
    fields: dict[str, Any] = {"gate": NORTH}
    return Place(**(fields | changes))


def facts(**changes: Any) -> Facts:
    """Return an active ticket that the node knows."""
    fields: dict[str, Any] = {"known": True, "product": 3, "zones": 0b101}
    return Facts(**(fields | changes))
