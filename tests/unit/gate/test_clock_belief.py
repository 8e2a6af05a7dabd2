"""What the gate believes of its own clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from gate.clockbelief import ClockBelief, ClockSample
from gate.selfcheck import ClockSelfCheck
from shared.clock import ManualClock, unix_ms


@pytest.fixture
def clock() -> ManualClock:
    """Give a clock that stands."""
    return ManualClock(datetime(2026, 6, 20, 18, 0, tzinfo=UTC))


def sample(clock: ManualClock, offset_ms: float, unsure_ms: float) -> ClockSample:
    """Return a measurement made now."""
    return ClockSample(offset_ms=offset_ms, unsure_ms=unsure_ms, wall_ms=unix_ms(clock.now()), at_s=clock.monotonic())


def test_gate_that_knows_nothing_says_so(clock: ManualClock) -> None:
    belief = ClockBelief(ClockSelfCheck(), clock)
    assert (belief.offset_s(), belief.unsure_ms()) == (None, 60_000)


def test_codes_speak_where_there_is_no_link(clock: ManualClock) -> None:
    belief = ClockBelief(ClockSelfCheck(), clock)
    for number in range(9):
        belief.note_code(bytes([number]), -45)
    assert (belief.offset_s(), belief.unsure_ms()) == (45.0, 60_000)


def test_one_stale_picture_shown_often_moves_nothing() -> None:
    check = ClockSelfCheck()
    for number in range(6):
        check.note(bytes([number]), 0)
    for _ in range(50):
        check.note(b"picture", -3600)
    assert check.offset_s() == 0.0


def test_only_the_last_thirty_codes_count() -> None:
    check = ClockSelfCheck()
    for number in range(100):
        check.note(bytes([number]), 0 if number < 70 else 30)
    assert check.offset_s() == -30.0


def test_quick_answer_is_believed_until_it_has_aged(clock: ManualClock) -> None:
    belief = ClockBelief(ClockSelfCheck(), clock)
    belief.note(sample(clock, 120.0, 5.0))
    belief.note(sample(clock, 400.0, 300.0))
    assert belief.offset_s() == pytest.approx(0.12)
    assert belief.unsure_ms() == 125
    clock.advance(timedelta(hours=3))
    assert belief.unsure_ms() == 665
    belief.note(sample(clock, 400.0, 300.0))
    assert belief.offset_s() == pytest.approx(0.4)


def test_clock_that_is_set_shifts_what_is_believed(clock: ManualClock) -> None:
    belief = ClockBelief(ClockSelfCheck(), clock)
    belief.note(sample(clock, 100.0, 5.0))
    clock.step_wall(timedelta(minutes=-2))
    assert belief.offset_s() == pytest.approx(-119.9)


def test_the_links_word_corrects_the_time_codes_are_read_at_and_follows_a_clock_that_is_set(clock: ManualClock) -> None:
    belief, true = ClockBelief(ClockSelfCheck(), clock), clock.now()
    assert belief.correct(clock.now()) == true
    clock.step_wall(timedelta(minutes=7))
    belief.note(sample(clock, 7 * 60_000.0, 5.0))
    assert belief.correct(clock.now()) == true
    clock.advance(timedelta(hours=1))
    clock.step_wall(timedelta(minutes=-9))
    assert abs(belief.correct(clock.now()) - true - timedelta(hours=1)) < timedelta(milliseconds=1)


def test_what_codes_say_corrects_nothing(clock: ManualClock) -> None:
    belief = ClockBelief(ClockSelfCheck(), clock)
    for number in range(30):
        belief.note_code(bytes([number]), -3600)
    assert belief.correct(clock.now()) == clock.now()


@pytest.mark.parametrize(("skew_s", "excused"), [(-75, True), (-105, True), (-60, True), (-120, False), (-45, False)])
def test_a_code_is_excused_that_would_be_fresh_by_the_other_codes_time(
    clock: ManualClock, skew_s: int, *, excused: bool
) -> None:
    belief = ClockBelief(ClockSelfCheck(), clock)
    assert not belief.excuses(skew_s, 15)
    for number in range(9):
        belief.note_code(bytes([number]), -75)
    assert belief.excuses(skew_s, 15) is excused
    belief.note(sample(clock, 0.0, 5.0))
    assert not belief.excuses(skew_s, 15)
