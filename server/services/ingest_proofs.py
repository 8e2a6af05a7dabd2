"""What shows that a gate saw the code it writes of: a live code's chain value, a printed code's tag, both recomputed."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from msgspec import UNSET, Struct

from server.domain.proof import ChainWindow, ProofClaim, check_proof, check_tag
from server.services.ports import Unit
from server.services.rows import HandleRow
from server.services.rows_gates import LockedTicket
from shared.codes.capsule import CodePolicy
from shared.ids import EventId, TicketId
from shared.sync.scan import ScanRecord

_Work = list[tuple[int, bytes, ProofClaim]]


class Claim(Struct, frozen=True, kw_only=True):
    """A record, by its number, that fits a ticket, and the secret from which that ticket's codes are made."""

    seq: int
    record: ScanRecord
    handle: HandleRow
    master: bytes

    def __repr__(self) -> str:
        """Keep the secret out of logs."""
        return f"Claim(seq={self.seq}, ticket={self.handle.ticket})"


async def prove(tx: Unit, event: EventId, claims: Sequence[Claim]) -> frozenset[int]:
    """Return the records whose chain value is the ticket's own for its slot; takes thousands of hashes for each."""
    work: _Work = [
        (
            claim.seq,
            claim.master,
            ProofClaim(
                event=event, ticket=claim.handle.ticket, generation=claim.handle.generation, proof=claim.record.proof
            ),
        )
        for claim in claims
        if claim.record.proof is not None
    ]
    epochs = {claim.proof.epoch for _, _, claim in work}
    if not epochs:
        return frozenset()
    rows = await tx.keys.epochs(event, min(epochs), max(epochs))
    windows = {row.epoch: ChainWindow(starts=row.starts, ends=row.ends, slot_s=row.slot_s) for row in rows}
    return await asyncio.to_thread(_prove_all, work, windows)


def check_tags(claims: Sequence[Claim], tickets: Mapping[TicketId, LockedTicket]) -> frozenset[int]:
    """Return the records of printed codes, of types that have them, whose tag shows that the code was held up."""
    good = set()
    for claim in claims:
        record, handle = claim.record, claim.handle
        if record.proof is not None or record.seen is UNSET:
            continue
        policy = CodePolicy(tickets[handle.ticket].ticket_type.code_policy)
        scan = record.takes_back or record.scan
        if policy & CodePolicy.STATIC_ALLOWED and check_tag(
            claim.master, handle.ticket, handle.generation, scan, record.seen
        ):
            good.add(claim.seq)
    return frozenset(good)


def _prove_all(work: _Work, windows: Mapping[int, ChainWindow]) -> frozenset[int]:
    return frozenset(
        seq
        for seq, master, claim in work
        if claim.proof.epoch in windows and check_proof(master, claim, windows[claim.proof.epoch])
    )
