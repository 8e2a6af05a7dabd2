"""What happens to a lane's computer on a bad night: its clock jumps, it sleeps, it wakes in another year, its disk is full."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from msgspec.structs import replace

from gate.clockbelief import ClockSample
from gate.inspection import open_data, verify_log
from shared.admission.policy import Stale
from shared.admission.verdict import Reason
from shared.clock import ManualClock, SystemClock, unix_ms
from shared.sync.feed import PolicyEntry
from tests.integration.gate.door import Door, open_door
from tests.integration.gate.test_cli import gate_beside
from tests.integration.gate.venue import Venue, prepare_gate

NOW = datetime(2026, 6, 20, 19, 30, tzinfo=UTC)
GUESTS = 120
LIMIT = 300 * 1024
"""Bytes a file may have in the test of the full disk: room for the tickets and for some dozen records."""


@pytest.fixture
async def door(tmp_path: Path) -> AsyncIterator[Door]:
    """Give a gate with forty tickets whose codes turn every 15 seconds."""
    opened = await open_door(tmp_path, Venue(NOW, slot_s=15), 40, ManualClock(NOW))
    yield opened
    await opened.close()


def note_link(door: Door, *, ahead: timedelta = timedelta()) -> None:
    """Let the gate measure its clock over the link: by how much it is ahead of the server's."""
    clock = door.clock
    sample = ClockSample(
        offset_ms=ahead / timedelta(milliseconds=1),
        unsure_ms=20,
        wall_ms=unix_ms(clock.now()),
        at_s=clock.monotonic(),
    )
    door.parts.belief.note(sample)


@pytest.mark.parametrize("step", [timedelta(hours=1), timedelta(hours=-1), timedelta(minutes=-3), timedelta(days=400)])
async def test_clock_that_is_set_during_the_night_changes_no_answer_and_no_order(door: Door, step: timedelta) -> None:
    note_link(door)
    assert (await door.show_ticket(1)).verdict.reason is Reason.OK
    door.clock.step_wall(step)
    door.clock.advance(timedelta(seconds=20))
    true_now = NOW + timedelta(seconds=20)
    fresh = door.venue.code(door.venue.ticket(2), true_now)
    old = door.venue.code(door.venue.ticket(3), true_now - timedelta(minutes=5))
    assert (await door.show(fresh)).verdict.reason is Reason.OK
    assert (await door.show(old)).verdict.reason is Reason.CODE_STALE
    used = await door.show(door.venue.code(door.venue.ticket(1), true_now))
    assert used.verdict.reason is Reason.ALREADY_USED
    records = await door.records()
    assert all(later.hlc > earlier.hlc for earlier, later in pairwise(records))
    assert await verify_log(door.log) == len(records)


async def test_computer_without_a_clock_battery_blames_itself_and_admits_once_it_knows_the_time(door: Door) -> None:
    door.clock.step_wall(timedelta(minutes=-50))
    guests = [door.venue.code(door.venue.ticket(number), NOW) for number in range(1, 36)]
    outcomes = [await door.show(code) for code in guests]
    reasons = [outcome.verdict.reason for outcome in outcomes]
    assert set(reasons) == {Reason.CODE_FUTURE, Reason.CLOCK_UNSURE}
    assert reasons[-1] is Reason.CLOCK_UNSURE
    assert not any(outcome.admitted for outcome in outcomes)
    note_link(door, ahead=timedelta(minutes=-50))
    assert (await door.show(guests[0])).verdict.reason is Reason.OK


async def test_computer_that_slept_knows_how_old_its_knowledge_is(door: Door) -> None:
    window = replace(door.venue.policy.window, ends=NOW + timedelta(hours=12))
    strict = replace(door.venue.policy, version=2, window=window, stale_after_s=3600, when_stale=Stale.REFUSE)
    await door.learn(PolicyEntry(seq=50, policy=strict))
    door.knowledge.on_current(unix_ms(NOW))
    note_link(door)
    assert (await door.show_ticket(1)).verdict.reason is Reason.OK
    door.clock.advance(timedelta(hours=2))
    assert (await door.show_ticket(2)).verdict.reason is Reason.SNAPSHOT_TOO_OLD
    door.clock.step_wall(timedelta(hours=-2))
    assert door.knowledge.data_age_s() == 7200  # a clock that is set back makes nothing younger
    door.clock.step_wall(timedelta(hours=2))
    door.knowledge.on_current(unix_ms(door.clock.now()))
    assert (await door.show_ticket(2)).verdict.reason is Reason.OK


async def test_full_disk_lets_nobody_in_unrecorded_and_loses_nobody_who_was_let_in(tmp_path: Path) -> None:
    data = tmp_path / "data"
    venue = await asyncio.to_thread(prepare_gate, data, GUESTS)
    codes = venue.codes(range(1, GUESTS + 1), datetime.now(UTC))
    base = ("run", "--headless", "--source", "stdin", "--exit-at-end", "--drain-s", "0", "--wait", "0", "--data", data)
    full = await gate_beside(*base, text="\n".join(codes) + "\n", prefix=("prlimit", f"--fsize={LIMIT}"))
    assert (full.status, len(full.scans())) == (0, GUESTS)
    green = sum(admitted is True for admitted, _ in full.scans())
    assert 5 < green < GUESTS
    assert set(full.scans()[green:]) == {(False, "internal_error")}
    after = await gate_beside(*base, text="\n".join(codes[green:]) + "\n")
    assert set(after.scans()) == {(True, "ok")}
    async with open_data(data, SystemClock()) as opened:
        assert await verify_log(opened.log) == GUESTS
