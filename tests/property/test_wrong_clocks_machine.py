"""One ticket, gates whose clocks are wrong by as much as they own to, and somebody who saw what really happened."""

from __future__ import annotations

from uuid import UUID

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from shared.admission.presence import Admission, fold, merge
from shared.admission.verdict import Direction
from shared.clock import unix_ms
from shared.ids import GateId, ScanId
from shared.sync import hlc
from shared.sync.ledger import settle
from tests.unit.shared.samples import DOORS

GATES = [GateId(UUID(int=number)) for number in range(1, 6)]
WAYS_OUT = GATES[3:]
_BEGAN_MS = unix_ms(DOORS)
_DOUBLE_READ_S = 5


class WrongClocks(RuleBasedStateMachine):
    """Everybody's account together must give what was seen, whatever the clocks and whoever heard of whom."""

    @initialize(skews=st.lists(st.integers(-240, 240), min_size=5, max_size=5), sure=st.booleans())
    def open_doors(self, skews: list[int], sure: bool) -> None:
        """Set each gate's clock wrong; ``sure`` clocks are right to the millisecond."""
        self.skew_ms = {gate: 0 if sure else skew * 1000 for gate, skew in zip(GATES, skews, strict=True)}
        self.stamps = dict.fromkeys(GATES, 0)
        self.sure = sure
        self.now_ms = _BEGAN_MS
        self.log: list[Admission] = []
        self.bodies = 0
        self.doubles: set[ScanId] = set()

    @rule(gate=st.sampled_from(GATES[:3]))
    def come(self, gate: GateId) -> None:
        """Let somebody in; nobody asks whether the ticket is used."""
        if self.bodies:
            self.doubles.add(ScanId(UUID(int=len(self.log) + 1)))
        self.bodies += 1
        self.note(gate, Direction.ENTRY)

    @rule(gate=st.sampled_from(WAYS_OUT))
    def leave(self, gate: GateId) -> None:
        """Let somebody out who is inside."""
        if self.bodies:
            self.bodies -= 1
            self.note(gate, Direction.EXIT)

    @rule(seconds=st.sampled_from([6, 40, 300]))
    def wait(self, seconds: int) -> None:
        """Let time pass."""
        self.now_ms += seconds * 1000

    @rule(gate=st.sampled_from(GATES), seconds=st.integers(-240, 240))
    def set_clock(self, gate: GateId, seconds: int) -> None:
        """Let somebody set a gate's clock."""
        if not self.sure:
            self.skew_ms[gate] = seconds * 1000

    @rule(gate=st.sampled_from(GATES))
    def hear(self, gate: GateId) -> None:
        """Let a gate hear of everything: its stamps go above all others, be they from a clock that is ahead."""
        own_ms = self.now_ms + self.skew_ms[gate]
        for admission in self.log:
            if hlc.physical_ms(admission.hlc) - own_ms <= hlc.MAX_AHEAD_MS:
                self.stamps[gate] = hlc.receive(self.stamps[gate], admission.hlc, own_ms)

    @invariant()
    def the_books_say_what_was_seen(self) -> None:
        """Count bodies, and accuse nobody of what did not happen; where no clock is in doubt, of all that did."""
        presence = fold(self.log)
        assert (presence.inside, presence.entries) == (
            self.bodies,
            sum(one.direction is Direction.ENTRY for one in self.log),
        )
        surplus = settle(self.log, None, double_read_s=0).surplus
        assert len(surplus) <= len(self.doubles)
        if self.sure:
            assert {one.admission.scan for one in surplus} == self.doubles

    @invariant()
    def nodes_that_heard_in_any_order_agree(self) -> None:
        """Put the same accounts together in other ways."""
        odd, even = self.log[::2], self.log[1::2]
        told = merge(merge(even, odd), reversed(self.log))
        assert fold(told) == fold(self.log)
        assert settle(told, 2, double_read_s=_DOUBLE_READ_S) == settle(self.log, 2, double_read_s=_DOUBLE_READ_S)

    def note(self, gate: GateId, direction: Direction) -> None:
        """Write a passage down as the gate believes it was; a second passes, so that no two are at one moment."""
        at_ms = self.now_ms + self.skew_ms[gate]
        self.stamps[gate] = hlc.tick(self.stamps[gate], at_ms)
        number = len(self.log) + 1
        self.log.append(
            Admission(
                scan=ScanId(UUID(int=number)),
                gate=gate,
                gate_seq=number,
                hlc=self.stamps[gate],
                at_ms=at_ms,
                unsure_ms=abs(self.skew_ms[gate]),
                direction=direction,
                proven=True,
            )
        )
        self.now_ms += 1000


class TestWrongClocks(WrongClocks.TestCase):  # type: ignore[misc, valid-type] # made at run time
    """The machine as a test."""

    settings = settings(deadline=None, max_examples=60, stateful_step_count=20)
