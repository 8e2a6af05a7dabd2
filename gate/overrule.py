"""A supervisor's decisions as records: letting pass against the rule, taking back, and what else bears a name."""

from __future__ import annotations

import asyncio
from collections import OrderedDict

from msgspec import Struct
from msgspec.structs import replace

from gate.ages import Ages
from gate.deciding import AdmitParts, Decided, Shown, begin, find_presence, make_record, rule_on, tell
from gate.examine import Examined, vouched_facts
from gate.outcome import Outcome
from gate.staff import Obstacle
from shared.admission.override import may_override
from shared.admission.presence import UNDO_WITHIN_MS
from shared.admission.verdict import Direction, Reason, Verdict, admit, refuse
from shared.codes.number import write_number
from shared.ids import ScanId
from shared.sync.scan import Override, ScanRecord

REMEMBERED_S = 15 * 60
"""How long after a refusal a supervisor may still decide on it: the guest has gone by then."""


class Decision(Struct, frozen=True, kw_only=True):
    """What came of a supervisor's wish: an outcome whose record is durable, or what stands in the way."""

    outcome: Outcome | None = None
    obstacle: Obstacle | None = None
    reason: Reason | None = None


class Overruler:
    """Writes supervisors' records into the gate's log, taking turns with the scans."""

    def __init__(
        self, parts: AdmitParts, turn: asyncio.Lock, refused: OrderedDict[ScanId, Decided], ages: Ages
    ) -> None:
        self._parts = parts
        self._turn = turn
        self._refused = refused
        self._ages = ages

    async def override(self, scan: ScanId, by: Override) -> Decision:
        """Let in whom the rule refused, unless the ticket has become one that nobody may let in.

        Raises:
            TicketTokenError: the record could not be made durable; nobody may pass.
        """
        async with self._turn:
            refused = self._refused.get(scan)
            if refused is None or self._parts.clock.monotonic() - refused.began_s > REMEMBERED_S:
                return Decision(obstacle=Obstacle.FORGOTTEN)
            if not may_override(refused.verdict.reason):
                return Decision(obstacle=Obstacle.NEVER, reason=refused.verdict.reason)
            decision = await self._let_in(refused.shown, refused.examined, by)
            if decision.outcome is not None:
                del self._refused[scan]
            return decision

    async def admit_found(self, handle_hash: bytes, by: Override) -> Decision:
        """Let in the holder of a ticket that was found by its number.

        Raises:
            TicketTokenError: the record could not be made durable; nobody may pass.
        """
        async with self._turn:
            shown = Shown(text=write_number(handle_hash), taken_s=self._parts.clock.monotonic())
            return await self._let_in(shown, self._found(handle_hash), by)

    async def take_back(self, scan: ScanId, by: Override) -> Decision:
        """Take an admission of this gate back.

        Raises:
            TicketTokenError: the record could not be made durable; the admission stands.
        """
        async with self._turn:
            undone = await self._parts.journal.find_admitted(scan)
            if undone is None or undone.handle_hash is None:
                return Decision(obstacle=Obstacle.FORGOTTEN)
            age_ms = self._ages.age_ms(undone)
            if age_ms is None or age_ms > UNDO_WITHIN_MS:
                return Decision(obstacle=Obstacle.TOO_LATE)
            known = await self._parts.journal.find_admissions(undone.handle_hash)
            if any(record.takes_back == scan for record in known):
                return Decision(obstacle=Obstacle.DONE_ALREADY)
            decided = self._begin(
                Shown(text="", taken_s=self._parts.clock.monotonic()), self._found(undone.handle_hash)
            )
            decided.verdict = refuse(Reason.UNDONE)
            return Decision(outcome=await self._write(decided, by, undone=undone))

    async def note(self, by: Override, about: bytes | None = None) -> Outcome:
        """Write down what a supervisor did that answers nobody; ``about`` is a ticket's handle hash.

        Raises:
            TicketTokenError: the record could not be made durable.
        """
        async with self._turn:
            decided = self._begin(Shown(text="", taken_s=self._parts.clock.monotonic()), self._found(about))
            decided.verdict = refuse(Reason.STAFF_ACTION)
            return await self._write(decided, by)

    async def _let_in(self, shown: Shown, examined: Examined, by: Override) -> Decision:
        decided = self._begin(shown, examined)
        handle_hash = examined.handle_hash
        if handle_hash is None or decided.briefing.revoked:
            return Decision(obstacle=Obstacle.NEVER, reason=decided.verdict.reason)
        decided.sighting = await self._parts.tickets.find(handle_hash)
        facts = vouched_facts(examined.claims, decided.sighting)
        if facts is None:
            return Decision(obstacle=Obstacle.NEVER, reason=Reason.UNKNOWN_TICKET)
        # Asked again: the ticket may have been taken back, or let in, since it was refused.
        ruled = await rule_on(self._parts, decided, handle_hash, facts)
        if ruled.reason is Reason.DOUBLE_READ:
            return Decision(obstacle=Obstacle.DONE_ALREADY, reason=ruled.reason)
        if not ruled.admitted and not may_override(ruled.reason):
            return Decision(obstacle=Obstacle.NEVER, reason=ruled.reason)
        decided.verdict = await self._name_passage(decided, handle_hash)
        return Decision(outcome=await self._write(decided, by))

    async def _name_passage(self, decided: Decided, handle_hash: bytes) -> Verdict:
        if self._parts.post.direction is Direction.EXIT:
            return admit(Reason.EXIT_OK)
        presence = await find_presence(self._parts, decided, handle_hash)
        return admit(Reason.OK_REENTRY if presence.entries else Reason.OK)

    async def _write(self, decided: Decided, by: Override, undone: ScanRecord | None = None) -> Outcome:
        drafted = make_record(self._parts, await self._parts.journal.head(), decided)
        record = replace(drafted, override=by)
        if undone is not None:
            record = replace(
                record,
                undoes=undone.scan,
                proof=undone.proof,
                seen=undone.seen,
                code_hash=undone.code_hash,
                event=undone.event,
                direction=undone.direction,
            )
        await self._parts.journal.append(record)
        if record.admitted:
            self._ages.note(record)
        return replace(tell(self._parts, decided, record), override=by.reason)

    def _begin(self, shown: Shown, examined: Examined) -> Decided:
        return begin(self._parts, shown, examined)

    def _found(self, handle_hash: bytes | None) -> Examined:
        event = self._parts.surroundings.briefing.event
        return Examined(refusal=None, read=None, event=event, handle_hash=handle_hash, skew_s=None)
