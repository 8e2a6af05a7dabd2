"""When a gate counts as online."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gate.mode import LinkQuality
from shared.sync.scan import Mode

GOOD, SLOW, LOST = 40.0, 300.0, None


def after(trips: list[float | None]) -> LinkQuality:
    """Return the judgement after some round trips."""
    quality = LinkQuality()
    for took_ms in trips:
        quality.note_round_trip(took_ms)
    return quality


@pytest.mark.parametrize(
    ("trips", "mode"),
    [
        ([], Mode.OFFLINE),
        ([GOOD, GOOD], Mode.OFFLINE),
        ([GOOD, GOOD, GOOD], Mode.ONLINE),
        ([GOOD, SLOW, GOOD, GOOD], Mode.OFFLINE),
        ([SLOW, GOOD, GOOD, GOOD], Mode.ONLINE),
        ([GOOD, GOOD, GOOD, LOST], Mode.ONLINE),
        ([GOOD, GOOD, GOOD, LOST, GOOD, GOOD, GOOD, GOOD, LOST], Mode.ONLINE),
        ([GOOD, GOOD, GOOD, LOST, GOOD, SLOW], Mode.OFFLINE),
        ([GOOD, GOOD, GOOD, SLOW, LOST, GOOD, GOOD], Mode.OFFLINE),
        ([GOOD, GOOD, GOOD, SLOW, LOST, GOOD, GOOD, GOOD], Mode.ONLINE),
        ([SLOW, LOST, GOOD, GOOD, GOOD, LOST], Mode.ONLINE),
    ],
)
def test_mode_follows_from_round_trips(trips: list[float | None], mode: Mode) -> None:
    assert after(trips).mode is mode


def test_lost_link_is_offline_at_once_and_starts_afresh() -> None:
    quality = after([GOOD, GOOD, GOOD])
    quality.note_unlinked()
    assert quality.mode is Mode.OFFLINE
    quality.note_round_trip(GOOD)
    quality.note_round_trip(GOOD)
    assert quality.mode is Mode.OFFLINE


@given(st.lists(st.sampled_from([GOOD, SLOW, LOST]), min_size=5))
def test_three_good_ones_are_online_and_two_bad_of_five_are_not(trips: list[float | None]) -> None:
    mode = after(trips).mode
    bad = sum(took_ms != GOOD for took_ms in trips[-5:])
    if trips[-3:] == [GOOD] * 3:
        assert mode is Mode.ONLINE
    if trips[-2:] == [LOST, LOST] or bad >= 4:
        assert mode is Mode.OFFLINE
