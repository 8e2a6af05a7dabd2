"""No setting of the clock, no restart and no haste gives anybody more tries, or more time, than there are."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest

from gate.pins import FREE_TRIES
from gate.staff import Obstacle
from shared.admission.override import UndoReason
from shared.admission.verdict import Reason
from shared.clock import ManualClock
from tests.integration.gate.door import Door, open_door
from tests.integration.gate.test_supervise import ANNA, NOW, venue

WRONG, RIGHT = "000000", "135792"


async def opened(directory: Path, clock: ManualClock) -> Door:
    """Open the gate of a directory, again if it was open before."""
    return await open_door(directory, venue(), 5, clock)


async def lock_out(door: Door) -> int:
    """Type wrong PINs until none is looked at; return for how many seconds."""
    answers = [await door.staff.sign_in(ANNA, WRONG) for _ in range(FREE_TRIES + 1)]
    assert not answers[-1].looked_at
    return answers[-1].wait_s


@pytest.mark.parametrize("hours", [-24, -1, 1, 24])
async def test_lock_is_over_after_its_time_whatever_the_clock_is_set_to(tmp_path: Path, hours: int) -> None:
    door = await opened(tmp_path, ManualClock(NOW))
    assert await lock_out(door) == 60
    door.clock.step_wall(timedelta(hours=hours))
    locked = await door.staff.sign_in(ANNA, RIGHT)
    assert (locked.looked_at, locked.wait_s) == (False, 60)
    door.clock.advance(timedelta(seconds=59))
    assert not (await door.staff.sign_in(ANNA, RIGHT)).looked_at
    door.clock.advance(timedelta(seconds=1))
    assert (await door.staff.sign_in(ANNA, RIGHT)).accepted
    await door.close()


async def test_lock_outlasts_a_restart_and_ends_also_on_a_computer_that_woke_in_the_past(tmp_path: Path) -> None:
    door = await opened(tmp_path, ManualClock(NOW))
    await lock_out(door)
    await door.close()
    door = await opened(tmp_path, ManualClock(NOW - timedelta(days=9000)))
    assert (await door.staff.sign_in(ANNA, RIGHT)).wait_s == 60
    door.clock.advance(timedelta(seconds=60))
    assert (await door.staff.sign_in(ANNA, RIGHT)).accepted
    await door.close()


async def test_pins_tried_all_at_once_are_counted_one_by_one(tmp_path: Path) -> None:
    door = await opened(tmp_path, ManualClock(NOW))
    answers = await asyncio.gather(*(door.staff.sign_in(ANNA, WRONG) for _ in range(4 * FREE_TRIES)))
    assert sum(answer.looked_at for answer in answers) == FREE_TRIES
    await door.close()


async def test_clock_that_is_set_back_gives_no_time_to_take_back(tmp_path: Path) -> None:
    door = await opened(tmp_path, ManualClock(NOW))
    admitted = (await door.show_ticket(1)).scan
    assert admitted is not None
    door.clock.advance(timedelta(minutes=10))
    door.clock.step_wall(timedelta(minutes=-10))
    door.clock.advance(timedelta(minutes=6))
    assert (await door.staff.sign_in(ANNA, RIGHT)).accepted
    assert (await door.staff.undo(admitted, UndoReason.WRONG_PERSON)).obstacle is Obstacle.TOO_LATE
    await door.close()
    door = await opened(tmp_path, ManualClock(NOW - timedelta(hours=1)))
    assert (await door.staff.sign_in(ANNA, RIGHT)).accepted
    assert (await door.staff.undo(admitted, UndoReason.WRONG_PERSON)).obstacle is Obstacle.TOO_LATE
    await door.close()


async def test_clock_that_was_put_right_takes_no_time_to_take_back(tmp_path: Path) -> None:
    door = await opened(tmp_path, ManualClock(NOW))
    admitted = (await door.show_ticket(1)).scan
    assert admitted is not None
    door.clock.step_wall(timedelta(minutes=-50))
    door.clock.advance(timedelta(minutes=14))
    assert (await door.staff.sign_in(ANNA, RIGHT)).accepted
    assert (await door.staff.undo(admitted, UndoReason.WRONG_PERSON)).done
    await door.close()


async def test_admission_taken_back_twice_at_once_is_taken_back_once(tmp_path: Path) -> None:
    door = await opened(tmp_path, ManualClock(NOW))
    admitted = (await door.show_ticket(1)).scan
    assert admitted is not None
    assert (await door.staff.sign_in(ANNA, RIGHT)).accepted
    rulings = await asyncio.gather(
        door.staff.undo(admitted, UndoReason.WRONG_PERSON), door.staff.undo(admitted, UndoReason.GUEST_TURNED_BACK)
    )
    assert sorted(ruling.done for ruling in rulings) == [False, True]
    assert [record.reason for record in await door.records()].count(Reason.UNDONE) == 1
    await door.close()
