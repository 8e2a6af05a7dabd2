"""Recomputing what a phone must have shown."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from msgspec.structs import replace

from server.domain.proof import ChainWindow, ProofClaim, check_proof, check_tag
from shared.codes import chain
from shared.codes.capsule import VERSION, Header, Profile, event_hint, pack_header
from shared.codes.keys import derive_handle, derive_seed
from shared.codes.reader import Proof
from shared.ids import EventId, ScanId, TicketId
from shared.sync.scan import tag_seen
from tests.unit.shared.samples import Guarded

MASTER = bytes(range(32))
EVENT, TICKET = EventId(UUID(int=1)), TicketId(UUID(int=2))
START = datetime(2026, 6, 20, tzinfo=UTC)
WINDOW = ChainWindow(starts=START, ends=START + timedelta(hours=1), slot_s=15)
SLOTS = 240


def shown(slot: int) -> bytes:
    """Return what the ticket's phone shows in a slot, from the anchor's definition."""
    header = pack_header(Header(version=VERSION, profile=Profile.LIVE, hint=event_hint(EVENT), epoch=3))
    top = chain.derive_top(derive_seed(MASTER, TICKET, 0), header)
    context = chain.derive_context(EVENT, header, derive_handle(MASTER, TICKET, 0))
    return chain.walk_down(context, top, SLOTS, slot)


def claim(slot: int, value: bytes) -> ProofClaim:
    proof = Proof(epoch=3, slot=slot, value=value)
    return ProofClaim(event=EVENT, ticket=TICKET, generation=0, proof=proof)


@pytest.mark.parametrize("slot", [1, 2, 120, 239, 240])
def test_what_the_phone_shows_is_proven(slot: int) -> None:
    assert check_proof(MASTER, claim(slot, shown(slot)), WINDOW)


@pytest.mark.parametrize("slot", [0, 241, 65_535])
def test_slot_outside_the_epoch_is_not(slot: int) -> None:
    assert not check_proof(MASTER, claim(slot, shown(1)), WINDOW)


def test_value_of_another_slot_is_not() -> None:
    assert not check_proof(MASTER, claim(7, shown(8)), WINDOW)


def test_value_of_another_ticket_generation_event_epoch_or_tenant_is_not() -> None:
    good = claim(7, shown(7))
    other_epoch = replace(good, proof=replace(good.proof, epoch=4))
    others = [
        replace(good, ticket=TicketId(UUID(int=3))),
        replace(good, generation=1),
        replace(good, event=EventId(UUID(int=9))),
        other_epoch,
    ]
    assert not any(check_proof(MASTER, one, WINDOW) for one in others)
    assert not check_proof(bytes(32), good, WINDOW)


def test_shortened_value_is_not() -> None:
    assert not check_proof(MASTER, claim(7, shown(7)[:15]), WINDOW)


def test_what_a_gate_claims_is_compared_in_constant_time() -> None:
    scan = ScanId(UUID(int=5))
    tag = tag_seen(derive_handle(MASTER, TICKET, 0), scan)
    assert check_proof(MASTER, claim(7, Guarded(shown(7))), WINDOW)
    assert not check_proof(MASTER, claim(7, Guarded(shown(8))), WINDOW)
    assert check_tag(MASTER, TICKET, 0, scan, Guarded(tag))
    assert not check_tag(MASTER, TICKET, 1, scan, Guarded(tag))


def test_claim_keeps_its_value_out_of_logs() -> None:
    assert shown(7).hex() not in repr(claim(7, shown(7)))
    assert str(shown(7)) not in repr(claim(7, shown(7)))
