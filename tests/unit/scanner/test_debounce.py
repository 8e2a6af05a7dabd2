"""A code held up is reported once, however many pictures show it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gate.scanner.debounce import HOLD_S, Debounce

_SIGHTINGS = st.lists(
    st.tuples(st.sampled_from("ABCD"), st.floats(min_value=0.0, max_value=2 * HOLD_S, allow_nan=False)), max_size=60
)


def test_first_sight_is_reported_and_the_next_picture_is_not() -> None:
    debounce = Debounce()
    assert debounce.is_new("A", 10.0)
    assert not debounce.is_new("A", 10.033)


def test_code_kept_in_view_for_minutes_is_reported_once() -> None:
    debounce = Debounce()
    reports = [debounce.is_new("A", frame / 30) for frame in range(30 * 180)]
    assert reports.count(True) == 1


def test_code_shown_again_after_the_hold_is_reported_again() -> None:
    debounce = Debounce(hold_s=2.5)
    assert debounce.is_new("A", 0.0)
    assert not debounce.is_new("A", 2.4)
    assert not debounce.is_new("A", 4.8)
    assert debounce.is_new("A", 7.3)


def test_other_code_is_reported_at_once() -> None:
    debounce = Debounce()
    assert debounce.is_new("A", 0.0)
    assert debounce.is_new("B", 0.0)


def test_two_codes_in_view_do_not_take_turns() -> None:
    debounce = Debounce()
    reports = [debounce.is_new("AB"[frame % 2], frame / 30) for frame in range(300)]
    assert reports == [True, True] + [False] * 298


def test_a_reported_code_does_not_lengthen_the_hold_of_another() -> None:
    debounce = Debounce(hold_s=1.0)
    debounce.is_new("A", 0.0)
    debounce.is_new("B", 0.9)
    assert debounce.is_new("A", 1.0)


@given(_SIGHTINGS)
def test_report_means_exactly_that_the_text_was_not_seen_within_the_hold(steps: list[tuple[str, float]]) -> None:
    debounce = Debounce()
    seen: list[tuple[str, float]] = []
    now_s = 0.0
    for text, step_s in steps:
        now_s += step_s
        recently = any(old == text and now_s - at_s < HOLD_S for old, at_s in seen)
        assert debounce.is_new(text, now_s) is not recently
        seen.append((text, now_s))


@given(_SIGHTINGS)
def test_what_is_remembered_stays_within_what_was_seen_lately(steps: list[tuple[str, float]]) -> None:
    debounce = Debounce()
    now_s = 0.0
    for number, (_, step_s) in enumerate(steps):
        now_s += step_s
        debounce.is_new(f"code {number}", now_s)
    debounce.is_new("last", now_s + HOLD_S + 0.001)
    assert debounce.remembered == 1
