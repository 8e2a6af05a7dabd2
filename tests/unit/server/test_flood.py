"""How much a gate may publish over the broker."""

from __future__ import annotations

from uuid import UUID

from server.domain.flood import Allowance, FloodMeter

FEW = Allowance(messages=3, messages_per_s=0.5, size=100, size_per_s=10)
ONE, OTHER = UUID(int=1), UUID(int=2)


def test_what_is_beyond_the_allowance_is_counted_in_a_row_and_harms_no_other_gate() -> None:
    meter = FloodMeter(FEW)
    assert [meter.take(ONE, 1, 0.0) for _ in range(6)] == [0, 0, 0, 1, 2, 3]
    assert meter.take(OTHER, 1, 0.0) == 0
    # One more each two seconds, and no more than three after any silence.
    assert [meter.take(ONE, 1, 2.0) for _ in range(2)] == [0, 1]
    assert [meter.take(ONE, 1, 1000.0) for _ in range(4)] == [0, 0, 0, 1]


def test_bytes_are_limited_as_well_and_a_small_message_still_passes() -> None:
    meter = FloodMeter(FEW)
    assert meter.take(ONE, 101, 0.0) == 1
    assert [meter.take(ONE, 60, 0.0), meter.take(ONE, 60, 0.0), meter.take(ONE, 40, 0.0)] == [0, 1, 0]
    assert meter.take(ONE, 60, 6.0) == 0


def test_a_clock_that_runs_backwards_gives_and_takes_nothing() -> None:
    meter = FloodMeter(FEW)
    assert [meter.take(ONE, 1, at_s) for at_s in (100.0, 50.0, 50.0, 50.0)] == [0, 0, 0, 1]
