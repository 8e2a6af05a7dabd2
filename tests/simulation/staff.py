"""Supervisors at the gates: they let pass whom the rule refused, admit whom they find by number, and take back."""

from __future__ import annotations

from functools import partial

from gate.outcome import Outcome
from gate.overrule import Overruler
from shared.admission.override import OverrideReason, UndoReason, may_override
from shared.admission.verdict import Reason
from shared.ids import ScanId
from shared.sync.scan import Override
from tests.simulation.gate_life import Life
from tests.simulation.gate_side import Means, SimGate
from tests.simulation.truth import Answered, Visit

_OVERRIDES = 0.3
_TURNS_BACK = 0.08
_NOT_FRESH = {Reason.CODE_STALE, Reason.CODE_FUTURE, Reason.CLOCK_UNSURE}
_SUPERVISOR = "01900000-0000-7000-8000-00000000000f"


class Staff:
    """One supervisor who is wherever one is called."""

    def __init__(self, means: Means, *, exits: bool) -> None:
        self._means = means
        self._rng = means.rng
        self._exits = exits

    async def attend(self, gate: SimGate, visit: Visit, answer: Outcome) -> None:
        """Look after somebody who was answered at a gate, now or soon."""
        if answer.scan is None:
            return
        if answer.verdict.admitted:
            if self._rng.random() < _TURNS_BACK:
                take_back = partial(self._take_back, gate, visit, answer.scan)
                self._means.timeline.after(self._rng.randrange(1000, 60_000), take_back)
        elif may_override(answer.verdict.reason) and self._rng.random() < _OVERRIDES:
            await self._override(gate, visit, answer)

    async def _override(self, gate: SimGate, visit: Visit, answer: Outcome) -> None:
        fresh = answer.verdict.reason not in _NOT_FRESH
        if gate.life is None or answer.scan is None or (self._exits and not fresh):
            return  # an entry that nobody else hears of and an exit that everybody does are two different books
        by = Override(supervisor=_SUPERVISOR, reason=OverrideReason.ID_CHECKED.value)
        decision = await _overruler(gate.life).override(answer.scan, by)
        if decision.outcome is not None:
            await self._write(gate, visit, decision.outcome, proven=fresh)

    async def admit_found(self, gate: SimGate, visit: Visit) -> None:
        """Let in somebody without a phone, found by the ticket's number."""
        if gate.life is None or not gate.life.knowledge.ready:
            return
        by = Override(supervisor=_SUPERVISOR, reason=OverrideReason.PHONE_BROKEN.value)
        handle = self._means.hall.handle_hash(visit.ticket, visit.generation)
        decision = await _overruler(gate.life).admit_found(handle, by)
        if decision.outcome is not None:
            await self._write(gate, visit, decision.outcome, proven=False)

    async def _take_back(self, gate: SimGate, visit: Visit, scan: ScanId) -> None:
        passed = self._means.truth.admitted(visit.ticket)
        if gate.life is None or not gate.life.knowledge.ready:
            return  # a gate that has lost its copy shows nobody a screen until it has another
        if not passed or passed[-1].scan != scan:
            return  # somebody came or went since: it is too late to say that nobody did
        by = Override(supervisor=_SUPERVISOR, reason=UndoReason.GUEST_TURNED_BACK.value)
        decision = await _overruler(gate.life).take_back(scan, by)
        if decision.outcome is not None:
            await self._write(gate, visit, decision.outcome, proven=passed[-1].proven, undoes=scan)

    async def _write(
        self, gate: SimGate, visit: Visit, outcome: Outcome, *, proven: bool, undoes: ScanId | None = None
    ) -> None:
        assert outcome.scan is not None
        assert outcome.gate_seq is not None
        truth = self._means.truth
        truth.tally("taken back" if undoes is not None else "overridden" if proven else "found by number")
        truth.write(
            Answered(
                scan=outcome.scan,
                gate=gate.number,
                gate_seq=outcome.gate_seq,
                ticket=visit.ticket,
                generation=visit.generation,
                at_ms=self._means.timeline.now_ms,
                direction=gate.post.row.direction,
                admitted=outcome.verdict.admitted,
                reason=outcome.verdict.reason,
                override=True,
                proven=proven,
                undoes=undoes,
            )
        )
        await gate.note(outcome)


def _overruler(life: Life) -> Overruler:
    return Overruler(life.admitting, life.admitter.turn, life.admitter.refused, life.admitter.ages)
