"""Tickets for a drill and the codes their phones would show; their keys are made up and end with the drill."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from msgspec import Struct

from shared.codes import chain
from shared.codes.capsule import VERSION, Capsule, Claims, Header, Profile, event_hint, pack_header, seal
from shared.codes.keys import Holder, derive_handle, derive_seed, hash_handle, seal_holder
from shared.codes.reader import EpochKey
from shared.codes.token import Token, write_token
from shared.ids import EventId, TicketId
from shared.secrecy import Reticent
from shared.sync.feed import TicketEntry
from shared.tickets.lifecycle import State

_LENGTH = timedelta(hours=24)
_SLOT_S = 15
_PRODUCT = 1


class DrillTicket(Struct, frozen=True, kw_only=True):
    """A made-up ticket as the gate is told of it."""

    id: TicketId
    entry: TicketEntry


class Mint(Reticent, frozen=True, kw_only=True):
    """What a drill's codes are made with: one epoch of a day."""

    event: EventId
    starts: datetime
    secret: bytes

    def ticket(
        self, number: int, holder: Holder, *, state: State = State.ACTIVE, zones: int = 0b1, code_policy: int = 0
    ) -> DrillTicket:
        """Return the ticket of a number, told at that position of the feed."""
        ticket = TicketId(UUID(int=number))
        handle = derive_handle(self.secret, ticket, 1)
        entry = TicketEntry(
            seq=number,
            handle_hash=hash_handle(handle),
            version=1,
            state=state,
            generation=1,
            product=_PRODUCT,
            zones=zones,
            code_policy=code_policy,
            sealed=seal_holder(handle, holder),
        )
        return DrillTicket(id=ticket, entry=entry)

    def key(self) -> EpochKey:
        """Return what the gate reads the codes with."""
        return EpochKey(
            event=self.event,
            epoch=0,
            starts=self.starts,
            ends=self.starts + _LENGTH,
            slot_s=_SLOT_S,
            envelope_key=self._envelope,
            issuer=self._issuer.public_key().public_bytes_raw(),
        )

    def code(self, ticket: DrillTicket, now: datetime) -> str:
        """Return what the ticket's phone shows at a moment."""
        header = Header(version=VERSION, profile=Profile.LIVE, hint=event_hint(self.event), epoch=0)
        packed, handle = pack_header(header), derive_handle(self.secret, ticket.id, 1)
        slots = chain.slot_count(self.starts, self.starts + _LENGTH, _SLOT_S)
        context = chain.derive_context(self.event, packed, handle)
        top = chain.derive_top(derive_seed(self.secret, ticket.id, 1), packed)
        claims = Claims(
            handle=handle,
            product=_PRODUCT,
            not_before=0,
            not_after=0xFFFF,
            zones=ticket.entry.zones,
            generation=1,
            entries=0,
            policy=ticket.entry.code_policy,
        )
        capsule = Capsule(header=header, claims=claims, anchor=chain.walk_down(context, top, slots, 0))
        slot = chain.slot_at(self.starts, _SLOT_S, now)
        value = chain.walk_down(context, top, slots, slot)
        return write_token(
            Token(capsule=seal(capsule, self.event, self._envelope, self._issuer), slot=slot, value=value)
        )

    @property
    def _envelope(self) -> bytes:
        return hashlib.sha256(b"envelope" + self.secret).digest()

    @property
    def _issuer(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(hashlib.sha256(b"issuer" + self.secret).digest())
