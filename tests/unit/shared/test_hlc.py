"""The hybrid logical clock."""

from __future__ import annotations

import pytest

from shared.sync import hlc
from tests.unit.shared.samples import NOW_MS


def test_a_stamp_carries_the_time_and_counts_within_a_millisecond() -> None:
    first = hlc.tick(0, NOW_MS)
    second = hlc.tick(first, NOW_MS)
    assert (hlc.physical_ms(first), second - first) == (NOW_MS, 1)
    assert hlc.tick(second, NOW_MS + 1) == NOW_MS + 1 << 16


def test_a_clock_set_back_does_not_turn_the_order_round() -> None:
    before = hlc.tick(0, NOW_MS)
    assert hlc.tick(before, NOW_MS - 3_600_000) == before + 1


def test_a_full_counter_runs_over_into_the_next_millisecond() -> None:
    full = (NOW_MS << 16) + 0xFFFF
    assert hlc.tick(full, NOW_MS) == (NOW_MS + 1) << 16


def test_receiving_puts_a_stamp_above_both() -> None:
    own, remote = hlc.tick(0, NOW_MS), hlc.tick(0, NOW_MS + 1000)
    assert hlc.receive(own, remote, NOW_MS) == remote + 1
    assert hlc.receive(remote, own, NOW_MS) == remote + 1
    assert hlc.receive(own, own, NOW_MS + 5000) == NOW_MS + 5000 << 16


def test_a_stamp_from_more_than_five_minutes_ahead_is_not_adopted() -> None:
    edge = NOW_MS + 5 * 60 * 1000 << 16
    assert hlc.receive(0, edge, NOW_MS) == edge + 1
    with pytest.raises(hlc.StampTooFarAhead):
        hlc.receive(0, edge + (1 << 16), NOW_MS)
