"""Looking at a ticket without using it: nothing is written down and nobody passes."""

from __future__ import annotations

from msgspec.structs import replace

from gate.deciding import AdmitParts, Decided, Shown, begin, decide_on, list_passages, name_gate, rule_on
from gate.examine import Examined, vouched_facts
from gate.staff import Passage, Peeked
from shared.admission.presence import passages
from shared.admission.verdict import Reason, refuse
from shared.clock import from_unix_ms
from shared.codes.number import read_number, write_number
from shared.problems import CodeMalformed
from shared.sync.scan import hash_code


class Lookup:
    """Answers what would be answered, with a ticket's whole way through the gates."""

    def __init__(self, parts: AdmitParts) -> None:
        self._parts = parts

    async def peek(self, text: str) -> Peeked:
        """Look at a code."""
        shown = Shown(text=text, taken_s=self._parts.clock.monotonic())
        return await self._describe(await decide_on(self._parts, shown))

    async def find(self, number: str) -> Peeked:
        """Find a ticket by its number; two with the same number are not told apart, and so not found."""
        shown = Shown(text=number, taken_s=self._parts.clock.monotonic())
        try:
            hashes = await self._parts.tickets.find_numbered(*read_number(number))
        except CodeMalformed:
            hashes = []
        handle_hash = hashes[0] if len(hashes) == 1 else None
        event = self._parts.surroundings.briefing.event
        decided = begin(
            self._parts,
            shown,
            Examined(refusal=None, read=None, event=event, handle_hash=handle_hash, skew_s=None),
        )
        decided.verdict = refuse(Reason.UNKNOWN_TICKET)
        if handle_hash is not None:
            decided.sighting = await self._parts.tickets.find(handle_hash)
            facts = vouched_facts(None, decided.sighting)
            if facts is not None:
                decided.verdict = await rule_on(self._parts, decided, handle_hash, facts)
        return replace(await self._describe(decided), by_number=True)

    async def _describe(self, decided: Decided) -> Peeked:
        parts, handle_hash = self._parts, decided.examined.handle_hash
        if handle_hash is not None and decided.sighting is None:
            decided.sighting = await parts.tickets.find(handle_hash)
        row = decided.sighting.ticket if decided.sighting is not None else None
        prior = decided.verdict.prior
        return Peeked(
            verdict=decided.verdict,
            code_id=hash_code(decided.shown.text).hex(),
            prior_gate=name_gate(parts, decided.briefing, prior.gate) if prior is not None else None,
            skew_s=decided.examined.skew_s,
            number=write_number(handle_hash) if handle_hash is not None else None,
            state=row.state if row is not None else None,
            locked=row is not None and row.locked,
            holder=decided.holder,
            passages=await self._passages(decided, handle_hash) if handle_hash is not None else (),
            handle_hash=handle_hash,
        )

    async def _passages(self, decided: Decided, handle_hash: bytes) -> tuple[Passage, ...]:
        known = passages(await list_passages(self._parts, decided, handle_hash))
        return tuple(
            Passage(
                at=from_unix_ms(one.at_ms),
                gate=name_gate(self._parts, decided.briefing, one.gate),
                direction=one.direction,
                supervised=one.override,
            )
            for one in reversed(known)
        )
