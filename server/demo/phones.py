"""Attendees' phones: they fetch a ticket's wallet once and from then on make its codes with no network."""

from __future__ import annotations

import base64
import os
from datetime import datetime, timedelta
from uuid import uuid4

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from msgspec import Struct

from shared.codes import capsule as capsules
from shared.codes import chain
from shared.codes.token import Token, write_token
from shared.problems import NotFound


class WalletCapsule(Struct, frozen=True, kw_only=True):
    """One epoch's capsule as the server gives it to the phone; binary fields are Base64url."""

    epoch: int
    starts: datetime
    ends: datetime
    capsule: str
    context: str


class Phone(Struct, frozen=True, kw_only=True):
    """What a phone keeps of one ticket."""

    ticket: str
    seed: str
    slot_s: int
    capsules: tuple[WalletCapsule, ...]

    def __repr__(self) -> str:
        """Keep the seed out of logs."""
        return f"Phone(ticket={self.ticket})"

    @property
    def hint(self) -> int:
        """Return the clear byte that says which event the codes may belong to."""
        return capsules.read_header(_decode(self.capsules[0].capsule)).hint

    def show(self, at: datetime) -> str:
        """Return the text of the code this phone shows at a moment.

        Raises:
            NotFound: the ticket has no capsule for that moment.
        """
        held = next((item for item in self.capsules if item.starts <= at < item.ends), None)
        if held is None:
            raise NotFound("This ticket has no code for that time.")
        data = _decode(held.capsule)
        top = chain.derive_top(_decode(self.seed), data[:4])
        slots = chain.slot_count(held.starts, held.ends, self.slot_s)
        slot = chain.slot_at(held.starts, self.slot_s, at)
        value = chain.walk_down(_decode(held.context), top, slots, slot)
        return write_token(Token(capsule=data, slot=slot, value=value))


def forge(genuine: Phone, at: datetime) -> str:
    """Return what a forger can make who has seen a genuine code: right form, right event, own keys."""
    held = next(item for item in genuine.capsules if item.starts <= at < item.ends)
    header = capsules.read_header(_decode(held.capsule))
    claims = capsules.Claims(
        handle=os.urandom(16),
        product=1,
        not_before=0,
        not_after=0xFFFF,
        zones=0xFFFF,
        generation=0,
        entries=0,
        policy=0,
    )
    event = uuid4()  # the forger cannot know the event's id from a code
    seed, packed = os.urandom(32), capsules.pack_header(header)
    context = chain.derive_context(event, packed, claims.handle)
    slots = chain.slot_count(held.starts, held.ends, genuine.slot_s)
    slot = chain.slot_at(held.starts, genuine.slot_s, at)
    top = chain.derive_top(seed, packed)
    made = capsules.Capsule(header=header, claims=claims, anchor=chain.walk_down(context, top, slots, 0))
    data = capsules.seal(made, event, os.urandom(32), Ed25519PrivateKey.generate())
    return write_token(Token(capsule=data, slot=slot, value=chain.walk_down(context, top, slots, slot)))


def screenshot(genuine: Phone, now: datetime) -> str:
    """Return the code the phone showed two minutes ago."""
    return genuine.show(now - timedelta(minutes=2))


def _decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
