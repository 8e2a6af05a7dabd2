"""Pings: how often, what their answers prove, and what follows when none comes."""

from __future__ import annotations

import pytest

from gate.sync.actions import (
    Action,
    Close,
    FetchFeed,
    NoteClock,
    NoteCurrent,
)
from gate.sync.engine import SyncEngine
from shared.sync.scan import Mode
from shared.sync.wire import (
    Pong,
)
from tests.unit.gate.link_samples import at, engine, frame, kinds, linked, ping_of, welcome


def test_quiet_feed_is_asked_for_news_every_minute() -> None:
    gate = engine(feed_seq=3)
    linked(gate, welcome(feed_high=3))
    gate.on_frame(Pong(sent_ms=at(0).wall_ms, server_ms=0), at(0.01))
    fetched = [second for second in range(1, 130) if FetchFeed(after=3) in answered(gate, second)]
    assert fetched == [61, 121]


def answered(gate: SyncEngine, second: int) -> list[Action]:
    """Let a second pass, answer the ping that may come of it, and end a fetch that may."""
    actions = gate.on_tick(at(second))
    ping = ping_of(actions)
    if ping is not None:
        gate.on_frame(Pong(sent_ms=ping.sent_ms, server_ms=ping.sent_ms), at(second + 0.01))
    if FetchFeed(after=gate.cursor) in actions:
        gate.on_fetched(frame(gate.cursor, gate.cursor))
    return actions


def test_pings_come_often_until_online_and_every_ten_seconds_then() -> None:
    gate = engine()
    linked(gate)
    gate.on_frame(Pong(sent_ms=at(0).wall_ms, server_ms=0), at(0.01))
    pinged = [second for second in range(1, 35) if ping_of(answered(gate, second)) is not None]
    assert pinged == [1, 2, 12, 22, 32]
    assert gate.mode is Mode.ONLINE


def test_pong_measures_clock_and_confirms_that_nothing_is_missing() -> None:
    gate = engine()
    linked(gate)
    actions = gate.on_frame(Pong(sent_ms=at(0).wall_ms, server_ms=1_000_500), at(0.1))
    note, current = actions
    assert isinstance(note, NoteClock)
    assert note.sample.offset_ms == pytest.approx(-450)
    assert note.sample.unsure_ms == pytest.approx(51)
    assert current == NoteCurrent(wall_ms=at(0.1).wall_ms)


def test_pong_confirms_nothing_while_entries_are_missing() -> None:
    gate = engine()
    linked(gate, welcome(feed_high=5))
    assert kinds(gate.on_frame(Pong(sent_ms=at(0).wall_ms, server_ms=0), at(0.1))) == [NoteClock]


def test_pong_to_no_ping_is_ignored() -> None:
    gate = engine()
    linked(gate)
    assert gate.on_frame(Pong(sent_ms=42, server_ms=0), at(0.1)) == []


def test_server_that_stops_answering_makes_the_gate_offline_then_ends_the_link() -> None:
    gate = engine()
    linked(gate)
    gate.on_frame(Pong(sent_ms=at(0).wall_ms, server_ms=0), at(0.01))
    for second in range(1, 3):
        answered(gate, second)
    modes = {2: gate.mode}
    gate.on_tick(at(12))
    modes |= {second: gate.mode for second in range(13, 27) if gate.on_tick(at(second)) == []}
    assert [modes[second] for second in (2, 14, 17)] == [Mode.ONLINE, Mode.ONLINE, Mode.OFFLINE]
    assert kinds(gate.on_tick(at(28))) == [Close]
