"""What the gate's own log says of the last hours: how each scan ended, and what can still be done about it."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from gate.staff import Ending, Past, Remedy
from shared.admission.override import OverrideReason, UndoReason
from shared.admission.verdict import Reason
from shared.clock import ManualClock
from tests.integration.gate.door import Door, open_door
from tests.integration.gate.test_supervise import ANNA, NOW, refused_as_used, venue


async def opened(directory: Path, clock: ManualClock) -> Door:
    """Return a gate with Anna signed in."""
    door = await open_door(directory, venue(), 5, clock)
    assert (await door.staff.sign_in(ANNA, "135792")).accepted
    return door


def ends(history: tuple[Past, ...]) -> list[tuple[Reason, Ending, Remedy | None]]:
    """Return what matters of each record, newest first."""
    return [(past.reason, past.ending, past.remedy) for past in history]


async def test_every_record_is_told_with_its_ending(tmp_path: Path) -> None:
    door = await opened(tmp_path, ManualClock(NOW))
    refused = await refused_as_used(door)
    assert refused.scan is not None
    await door.staff.override(refused.scan, OverrideReason.ID_CHECKED)
    second = await door.show_ticket(2)
    assert second.scan is not None
    door.clock.advance(timedelta(minutes=1))
    await door.staff.undo(second.scan, UndoReason.GUEST_TURNED_BACK)
    await door.show("HELLO")
    history = await door.staff.history()
    await door.close()
    assert ends(history) == [
        (Reason.CODE_UNREADABLE, Ending.STANDS, None),
        (Reason.UNDONE, Ending.STANDS, None),
        (Reason.OK, Ending.TAKEN_BACK, None),
        (Reason.OK_REENTRY, Ending.STANDS, Remedy.UNDO),
        (Reason.ALREADY_USED, Ending.LET_IN_BY_SUPERVISOR, None),
        (Reason.OK, Ending.STANDS, Remedy.UNDO),
        (Reason.STAFF_ACTION, Ending.STANDS, None),
    ]
    taken_back, overridden = history[2], history[4]
    assert (taken_back.ended_why, taken_back.ended_at) == ("guest_turned_back", NOW + timedelta(minutes=2))
    assert (overridden.ended_why, history[3].why, history[6].why) == ("id_checked", "id_checked", "signed_in")


async def test_refusal_that_came_right_by_itself_needs_no_supervisor(tmp_path: Path) -> None:
    door = await opened(tmp_path, ManualClock(NOW))
    old = door.venue.code(door.venue.ticket(3), NOW - timedelta(minutes=5))
    await door.show(old)
    before = await door.staff.history()
    await door.show_ticket(3)
    after = await door.staff.history()
    await door.close()
    assert ends(before)[0] == (Reason.CODE_STALE, Ending.STANDS, Remedy.OVERRIDE)
    assert ends(after)[1] == (Reason.CODE_STALE, Ending.LET_IN_LATER, None)


async def test_history_outlives_a_restart_and_offers_nothing_once_it_is_too_late(tmp_path: Path) -> None:
    clock = ManualClock(NOW)
    door = await opened(tmp_path, clock)
    await refused_as_used(door)
    told = await door.staff.history()
    await door.close()
    clock.advance(timedelta(minutes=16))
    again = await open_door(tmp_path, venue(), 5, clock)
    later = await again.staff.history()
    await again.close()
    assert [past.remedy for past in told] == [Remedy.OVERRIDE, Remedy.UNDO, None]
    assert [past.remedy for past in later] == [None] * 3
    assert [(past.gate_seq, past.reason) for past in later] == [(past.gate_seq, past.reason) for past in told]
