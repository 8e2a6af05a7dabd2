"""Is what a gate says it saw what the phone must have shown? Recomputed from the tenant's master key."""

from __future__ import annotations

import hmac
from datetime import datetime

from msgspec import Struct

from shared.codes import chain
from shared.codes.capsule import VERSION, Header, Profile, event_hint, pack_header
from shared.codes.keys import derive_handle, derive_seed
from shared.codes.reader import Proof
from shared.ids import EventId, ScanId, TicketId
from shared.sync.scan import tag_seen


class ChainWindow(Struct, frozen=True, kw_only=True):
    """When an epoch's chains run, and the seconds a slot lasts."""

    starts: datetime
    ends: datetime
    slot_s: int


class ProofClaim(Struct, frozen=True, kw_only=True):
    """Whose code a gate says it saw, and what it saw of it."""

    event: EventId
    ticket: TicketId
    generation: int
    proof: Proof

    def __repr__(self) -> str:
        """Keep chain values out of logs."""
        return f"ProofClaim(ticket={self.ticket}, generation={self.generation}, epoch={self.proof.epoch})"


def check_tag(master: bytes, ticket: TicketId, generation: int, scan: ScanId, tag: bytes) -> bool:
    """Return whether a gate can have tagged this scan only after the ticket's printed code was held up to it."""
    return hmac.compare_digest(tag_seen(derive_handle(master, ticket, generation), scan), tag)


def check_proof(master: bytes, claim: ProofClaim, window: ChainWindow) -> bool:
    """Return whether the value is the ticket's own for that slot; costs one hash for each slot until the epoch's end."""
    slots = chain.slot_count(window.starts, window.ends, window.slot_s)
    proof = claim.proof
    if not 1 <= proof.slot <= slots or len(proof.value) != chain.VALUE_SIZE:
        return False
    handle = derive_handle(master, claim.ticket, claim.generation)
    header = pack_header(Header(version=VERSION, profile=Profile.LIVE, hint=event_hint(claim.event), epoch=proof.epoch))
    context = chain.derive_context(claim.event, header, handle)
    top = chain.derive_top(derive_seed(master, claim.ticket, claim.generation), header)
    return hmac.compare_digest(chain.walk_down(context, top, slots, proof.slot), proof.value)
