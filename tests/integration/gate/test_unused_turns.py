"""An admission nobody used is taken back, where it is clear which, and a turnstile that says so for ever is not believed."""

from __future__ import annotations

from datetime import timedelta

from gate.openings import FRESH_S, MOST_UNUSED
from gate.turnstile import Barrier, Happened, Turnstile
from shared.clock import ManualClock
from shared.ids import ScanId
from shared.problems import TicketTokenError, Unavailable
from tests.integration.gate.turns import NOW, TURNED, UNUSED, Told, at_work, outcome


class Ready(Barrier):
    """A barrier that opens."""

    async def open(self, gate_seq: int) -> None:
        """Open."""
        assert gate_seq

    async def close(self) -> None:
        """Nothing to let go of."""


class Ledger:
    """Takes admissions back, unless it is told not to."""

    def __init__(self) -> None:
        self.gone: list[ScanId] = []
        self.fault: TicketTokenError | None = None

    async def take_back(self, scan: ScanId) -> bool:
        """Take one back once."""
        if self.fault is not None:
            raise self.fault
        self.gone.append(scan)
        return self.gone.count(scan) == 1


async def heard(turnstile: Turnstile, told: Told, *said: tuple[Happened, int | None]) -> list[Happened]:
    """Let a device say something, one after the other; return what came of each."""
    before = len(told.news)
    for number, (what, gate_seq) in enumerate(said, 1):
        turnstile.hear(what, gate_seq)
        await told.until_count(before + number)
    return [one.what for one in told.news[before:]]


async def test_admission_nobody_used_is_taken_back_where_it_is_clear_which() -> None:
    told, ledger, clock = Told(), Ledger(), ManualClock(NOW)
    turnstile = Turnstile(Ready(), clock, told, ledger.take_back)
    first, second, third = outcome(1), outcome(2), outcome(3)
    async with at_work(turnstile) as crowd:
        crowd.add(first)
        await told.until_count(1)
        assert await heard(turnstile, told, (UNUSED, None)) == [Happened.TAKEN_BACK]
        assert (told.news[-1].gate_seq, ledger.gone) == (1, [first.scan])
        crowd.add(second, third)
        await told.until_count(4)
        # One of two went through: the device does not say who, so that a person has to.
        assert await heard(turnstile, told, (TURNED, None), (UNUSED, None)) == [TURNED, UNUSED]
        assert [one.gate_seq for one in told.news[-2:]] == [2, 3]
        crowd.add(outcome(4), outcome(5))
        await told.until_count(8)
        assert await heard(turnstile, told, (UNUSED, 5), (UNUSED, 5), (UNUSED, 77)) == [
            Happened.TAKEN_BACK,
            UNUSED,
            UNUSED,
        ]
        assert len(ledger.gone) == 2


async def test_turnstile_that_speaks_too_late_or_for_ever_is_not_believed() -> None:
    told, ledger, clock = Told(), Ledger(), ManualClock(NOW)
    turnstile = Turnstile(Ready(), clock, told, ledger.take_back)
    async with at_work(turnstile) as crowd:
        crowd.add(outcome(1))
        await told.until_count(1)
        clock.advance(timedelta(seconds=FRESH_S + 1))
        assert await heard(turnstile, told, (UNUSED, 1)) == [UNUSED]
        came_of = []
        for number in range(2, 7):
            before = len(told.news)
            crowd.add(outcome(number))
            await told.until_count(before + 1)
            came_of += await heard(turnstile, told, (UNUSED, None))
        assert came_of == [Happened.TAKEN_BACK] * MOST_UNUSED + [Happened.DOUBTED] * 2
        crowd.add(outcome(7), outcome(8))
        await told.until_count(len(told.news) + 2)
        assert await heard(turnstile, told, (TURNED, 7), (UNUSED, 8)) == [TURNED, Happened.TAKEN_BACK]
        ledger.fault = Unavailable("The disk is full.")
        crowd.add(outcome(9))
        await told.until_count(len(told.news) + 1)
        assert await heard(turnstile, told, (UNUSED, 9)) == [UNUSED]


async def test_gate_that_only_tells_takes_nothing_back() -> None:
    told = Told()
    turnstile = Turnstile(Ready(), ManualClock(NOW), told)
    async with at_work(turnstile) as crowd:
        crowd.add(*(outcome(number) for number in range(1, 6)))
        await told.until_count(5)
        assert await heard(turnstile, told, *((UNUSED, number) for number in range(1, 6))) == [UNUSED] * 5
