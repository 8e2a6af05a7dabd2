"""A supervisor works the lane by keyboard and by mouse, and nothing asked of one keeps a guest waiting."""

from __future__ import annotations

from uuid import UUID

import pytest
from msgspec.structs import replace

from gate.staff import Obstacle, Ruling, SignIn
from gate.tui.screens.choice import ChoiceScreen
from gate.tui.screens.closed import ClosedScreen
from gate.tui.screens.lane import LaneScreen
from gate.tui.screens.page import PageScreen
from gate.tui.screens.peek import PeekScreen
from gate.tui.screens.pin import PinScreen
from shared.admission.override import OverrideReason, UndoReason
from shared.admission.policy import GateRole
from shared.admission.verdict import Reason, refuse
from shared.ids import ScanId
from shared.problems import Unavailable
from tests.tui.scripted import ADMITTED, OFFLINE, STALE, USED, ScriptedView, fixed_display, make_outcome
from tests.tui.scripted_staff import ANNA, BORIS, HANDLE, PIN
from tests.tui.stage import Setting, Stage, staged

FORGED = make_outcome(refuse(Reason.CODE_FORGED), number=7)


async def sign_in(stage: Stage) -> None:
    """Sign in and leave the menu open."""
    await stage.press("s", *PIN, "enter")
    assert isinstance(stage.app.screen, ChoiceScreen)


async def test_supervisor_lets_in_after_a_refusal_with_a_reason() -> None:
    async with staged() as stage:
        await stage.scan(USED)
        await sign_in(stage)
        await stage.press("1", "1", "5")
        assert stage.view.staff.asked[-1] == ("override", USED.scan, OverrideReason.ORGANISER_AGREED)
        assert "✓ GO: Welcome" in stage.text()
        assert "decided by Anna Lindqvist" in stage.text()
        assert isinstance(stage.app.screen, LaneScreen)


async def test_decision_is_about_the_refusal_that_was_chosen_whoever_comes_meanwhile() -> None:
    async with staged() as stage:
        await stage.scan(USED)
        await sign_in(stage)
        await stage.press("1")
        await stage.scan(STALE)
        assert isinstance(stage.app.screen, ChoiceScreen)
        assert "✗ STOP" in stage.text()
        await stage.press("enter", "enter")
        assert stage.view.staff.asked[-1] == ("override", USED.scan, OverrideReason.ID_CHECKED)


async def test_forged_codes_are_not_offered() -> None:
    async with staged() as stage:
        await stage.scan(FORGED, ADMITTED)
        await sign_in(stage)
        await stage.press("1")
        assert "Nobody was refused lately" in stage.text()
        assert isinstance(stage.app.screen, LaneScreen)


async def test_refused_wish_is_told_with_its_reason() -> None:
    async with staged() as stage:
        stage.view.staff.ruling = Ruling(done=False, obstacle=Obstacle.NEVER, reason=Reason.REVOKED)
        await stage.scan(USED)
        await sign_in(stage)
        await stage.press("1", "1", "1")
        assert "No supervisor may let this" in stage.text()
        assert stage.card().word == "LOOK"


async def test_failing_disk_is_told_and_the_lane_goes_on() -> None:
    async with staged() as stage:
        stage.view.staff.problem = Unavailable("the disk is full")
        await stage.scan(USED)
        await sign_in(stage)
        await stage.press("1", "1", "1")
        assert "That was not done: the disk is full" in stage.text()
        await stage.scan(ADMITTED)
        assert stage.card().word == "GO"


async def test_admission_is_taken_back_with_a_reason() -> None:
    async with staged() as stage:
        await sign_in(stage)
        await stage.press("2")
        assert "KQFW-3M2X  c0ffe" in stage.text()
        await stage.press("1", "down", "enter")
        assert stage.view.staff.asked[-1] == ("undo", ScanId(UUID(int=8)), UndoReason.GUEST_TURNED_BACK)
        assert "! BACK: The admission was taken back" in stage.text()
        stage.view.staff.admissions = ()
        await stage.press("s", "2")
        assert "There is no admission of" in stage.text()


async def test_wrong_and_locked_pins_are_told_and_the_pin_is_never_shown() -> None:
    async with staged() as stage:
        stage.view.staff.answers = [
            SignIn(accepted=False, tries_left=4),
            SignIn(accepted=False, looked_at=False, wait_s=60),
        ]
        await stage.press("s", "9", "8", "7")
        assert "987" not in stage.text()
        assert "•••" in stage.text()
        await stage.press("enter")
        assert "4 tries left" in stage.text()
        await stage.press("1", "enter")
        assert "Try again in 60 s" in stage.text()
        assert isinstance(stage.app.screen, PinScreen)
        await stage.press("escape")
        assert isinstance(stage.app.screen, LaneScreen)


async def test_another_name_is_chosen_with_the_arrows_and_takes_no_typed_digits_along() -> None:
    async with staged() as stage:
        await stage.press("s", "1", "2", "down")
        assert "Who: Boris  (2/2)" in stage.text()
        await stage.press(*PIN, "enter")
        assert stage.view.staff.asked == [("sign_in", BORIS.id, PIN)]
        await stage.press("4")
        assert stage.view.staff.session() is None
        assert "Signed out" in stage.text()
        await stage.press("s", "up", "up")
        assert f"Who: {ANNA.label}" in stage.text()


async def test_scan_goes_on_above_a_pin_being_typed() -> None:
    async with staged() as stage:
        await stage.press("s", "1", "3")
        await stage.scan(STALE)
        assert isinstance(stage.app.screen, PinScreen)
        assert "✗ STOP" in stage.text()
        await stage.press(*PIN[2:], "enter")
        assert stage.view.staff.asked == [("sign_in", ANNA.id, PIN)]


async def test_gate_without_supervisors_says_so() -> None:
    async with staged() as stage:
        stage.view.staff.names = ()
        await stage.press("s")
        assert "No supervisor is listed" in stage.text()
        assert isinstance(stage.app.screen, LaneScreen)


async def test_open_session_asks_for_no_pin_again() -> None:
    async with staged() as stage:
        stage.view.staff.present = ANNA
        await stage.press("s")
        assert isinstance(stage.app.screen, ChoiceScreen)
        await stage.press("escape")
        assert isinstance(stage.app.screen, LaneScreen)


async def test_choice_is_made_by_mouse() -> None:
    async with staged() as stage:
        stage.view.staff.present = ANNA
        await stage.press("s")
        lines = stage.text().splitlines()
        row = next(at for at, line in enumerate(lines) if "Sign out" in line)
        await stage.pilot.click(offset=(lines[row].index("Sign out"), row))
        await stage.pilot.pause()
        assert stage.view.staff.session() is None


async def test_looking_shows_history_and_takes_the_cameras_codes_until_it_is_closed() -> None:
    async with staged() as stage:
        await stage.press("p")
        assert stage.view.onlooker is not None
        stage.view.onlooker("inside")
        await stage.pilot.pause()
        text = stage.text()
        assert "! Would be refused: This ticket is still inside" in text
        assert "Marlene Östergård-Nakamura" in text
        assert "19:42:12  way in  North 2 (supervisor)" in text
        assert "let this guest in" not in text
        await stage.press("f2")
        assert isinstance(stage.app.screen, PeekScreen)
        await stage.press("escape")
        assert stage.view.onlooker is None
        assert [asked[0] for asked in stage.view.staff.asked] == ["peek"]


async def test_ticket_found_by_its_number_is_let_in_by_a_supervisor() -> None:
    async with staged() as stage:
        await sign_in(stage)
        await stage.press("3", *"KQFW3M2X", "enter")
        assert "let this guest in (supervisor)" in stage.text()
        await stage.press("f2", "4")
        assert stage.view.staff.asked[-1] == ("admit_found", HANDLE, OverrideReason.PHONE_BROKEN)
        assert "✓ GO" in stage.text()


async def test_strange_code_is_looked_at_without_fuss() -> None:
    async with staged() as stage:
        await stage.press("p", "x", "enter")
        assert "✗ Would be refused: That is not a ticket code" in stage.text()
        assert "Number" not in stage.text()


@pytest.mark.parametrize("key", ["i", "n"])
async def test_page_closes_when_somebody_is_scanned(key: str) -> None:
    async with staged() as stage:
        await stage.press(key)
        assert isinstance(stage.app.screen, PageScreen)
        await stage.scan(STALE)
        assert isinstance(stage.app.screen, LaneScreen)


async def test_network_page_says_what_is_not_sent() -> None:
    async with staged(ScriptedView(OFFLINE)) as stage:
        await stage.press("n")
        assert "1 247 written, 1 029 handed over, 218 to send" in stage.text()
        assert "not connected, scanning goes on" in stage.text()


async def test_closed_lane_covers_everything_until_it_is_opened() -> None:
    async with staged() as stage:
        await stage.press("c")
        assert isinstance(stage.app.screen, ClosedScreen)
        assert not stage.view.staff.open
        assert "CLOSED: This lane is closed" in stage.text()
        assert "ONLINE" not in stage.text()
        await stage.press("space", "t")
        assert isinstance(stage.app.screen, ClosedScreen)
        await stage.press("enter")
        assert stage.view.staff.open
        assert isinstance(stage.app.screen, LaneScreen)


async def test_nights_end_says_what_passed_and_what_is_still_to_be_sent() -> None:
    async with staged(ScriptedView(OFFLINE)) as stage:
        await stage.press("q")
        assert "1 204 in, 12 out, 31 refused at this gate; 4 870 inside" in stage.text()
        assert "218 records are not handed over yet" in stage.text()


async def test_fault_of_the_gate_is_seen_though_it_has_no_record() -> None:
    async with staged() as stage:
        await stage.scan(replace(make_outcome(refuse(Reason.INTERNAL_ERROR)), scan=None, gate_seq=None))
        assert "✗ WAIT: This gate could not decide" in stage.text()
        assert stage.app.rung == 1


async def test_drill_says_so_on_the_lane_and_at_its_end() -> None:
    display = replace(fixed_display(), drill=True)
    async with staged(setting=Setting(display=display)) as stage:
        assert "DRILL" in stage.text().splitlines()[0]
        await stage.press("q")
        assert "nothing of it is kept or sent" in stage.text()


async def test_where_nobody_may_search_nobody_is_offered_it() -> None:
    view = ScriptedView()
    view.staff.role = GateRole.UNATTENDED
    async with staged(view) as stage:
        await sign_in(stage)
        assert "Find a ticket by its number" not in stage.text()
        await stage.press("3")
        assert "Signed out" in stage.text()
        view.staff.role = GateRole.HELP_DESK
        await stage.press("p")
        assert "a number such as" in stage.text()
