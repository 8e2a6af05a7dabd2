"""One ticket through an evening: scans, exits and steps of the clock, beside a model that fits on a page."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from shared.admission.policy import Place
from shared.admission.presence import Admission, fold
from shared.admission.rule import allowed_entries, decide
from shared.admission.verdict import Direction, Reason, Verdict
from shared.clock import ManualClock, unix_ms
from shared.ids import GateId, ScanId
from shared.sync import hlc
from shared.sync.ledger import settle
from tests.unit.shared.samples import DOORS, EVENT, NORTH, SOUTH, facts, policy

WAY_OUT = GateId(EVENT)
DOUBLE_READ = timedelta(seconds=5)


class Evening(RuleBasedStateMachine):
    """Gates that know everything at once, and a model of what a sensible doorkeeper would say."""

    @initialize(re_entries=st.sampled_from([0, 1, 2, None]), exits=st.booleans(), cooldown_s=st.sampled_from([0, 60]))
    def open_doors(self, re_entries: int | None, exits: bool, cooldown_s: int) -> None:
        """Begin with an empty house."""
        self.policy = policy(re_entries=re_entries, exits=exits, cooldown_s=cooldown_s)
        self.clock = ManualClock(DOORS)
        self.log: list[Admission] = []
        self.stamp = 0
        self.doubt_ms = 0
        self.inside = False
        self.entries = 0
        self.last: tuple[GateId, timedelta] | None = None

    @rule(gate=st.sampled_from([NORTH, SOUTH]))
    def come(self, gate: GateId) -> None:
        """Show the code at an entrance."""
        expected = self.foretell_entry(gate)
        verdict = self.scan(gate, Direction.ENTRY)
        assert verdict.reason is expected
        if verdict.admitted:
            self.inside, self.entries = True, self.entries + 1
            self.last = (gate, self.passed())

    @rule()
    def leave(self) -> None:
        """Show the code on the way out; somebody who is not inside does not."""
        if not self.inside:
            return
        verdict = self.scan(WAY_OUT, Direction.EXIT)
        assert verdict.reason is (Reason.EXIT_OK if self.policy.exits else Reason.WRONG_GATE)
        if verdict.admitted:
            self.inside, self.last = False, (WAY_OUT, self.passed())

    @rule(seconds=st.sampled_from([0.5, 4.4, 5, 30, 61, 600]))
    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self.clock.advance(timedelta(seconds=seconds))

    @rule()
    def set_clock_back(self) -> None:
        """Let a time server correct the clock by a moment; an honest gate owns to the doubt from then on."""
        if self.clock.now() > DOORS + timedelta(seconds=2):
            self.clock.step_wall(timedelta(seconds=-1))
            self.doubt_ms += 1000

    @invariant()
    def nothing_is_a_conflict_and_the_body_is_where_the_model_says(self) -> None:
        """Hold the ledger, which sees the same log later, to the same opinion."""
        ledger = settle(self.log, allowed_entries(0, self.policy), double_read_s=5)
        assert ledger.surplus == ()
        assert (ledger.presence.inside, ledger.presence.entries) == (int(self.inside), self.entries)
        assert ledger.presence == fold(self.log, 5)

    def foretell_entry(self, gate: GateId) -> Reason:
        """Say what a doorkeeper would."""
        if self.last is None:
            return Reason.OK
        last_gate, last_at = self.last
        since = self.passed() - last_at
        if self.inside and last_gate == gate and abs(since) < DOUBLE_READ:
            return Reason.DOUBLE_READ
        most = 1 if not self.policy.exits else None if self.policy.re_entries is None else 1 + self.policy.re_entries
        if most == 1:
            at = next(one.gate for one in reversed(self.log) if one.direction is Direction.ENTRY)
            return Reason.ALREADY_USED if at == gate else Reason.ALREADY_USED_ELSEWHERE
        if most is not None and self.entries >= most:
            return Reason.LIMIT_REACHED
        if self.inside:
            return Reason.MUST_EXIT_FIRST
        cooling = self.policy.cooldown_s > 0 and since < timedelta(seconds=self.policy.cooldown_s)
        return Reason.COOLDOWN if cooling else Reason.OK_REENTRY

    def scan(self, gate: GateId, direction: Direction) -> Verdict:
        """Decide as a gate does, and note an admission."""
        where = Place(gate=gate, direction=direction)
        verdict = decide(facts(), fold(self.log, 5), self.policy, where, self.clock.now())
        if verdict.admitted:
            self.note(gate, direction)
        return verdict

    def note(self, gate: GateId, direction: Direction) -> None:
        """Write an admission down."""
        now_ms = unix_ms(self.clock.now())
        self.stamp = hlc.tick(self.stamp, now_ms)
        number = len(self.log) + 1
        self.log.append(
            Admission(
                scan=ScanId(UUID(int=number)),
                gate=gate,
                gate_seq=number,
                hlc=self.stamp,
                at_ms=now_ms,
                unsure_ms=self.doubt_ms,
                direction=direction,
                proven=True,
            )
        )

    def passed(self) -> timedelta:
        """Return the wall time since doors."""
        return self.clock.now() - DOORS


class TestEvening(Evening.TestCase):  # type: ignore[misc, valid-type] # made at run time
    """The machine as a test."""

    settings = settings(deadline=None, max_examples=60, stateful_step_count=30)
