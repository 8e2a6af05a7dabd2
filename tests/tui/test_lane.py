"""The lane shows each answer at once, holds it as long as it should, and is then ready again."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from msgspec.structs import replace

from gate.catalogue.texts import Tone
from shared.admission.verdict import Reason, refuse
from shared.problems import DataDamaged
from tests.tui.scripted import ADMITTED, DOUBLE, ONLINE, STALE, USED, ScriptedView, fixed_display, make_outcome
from tests.tui.stage import Setting, staged


async def test_ready_lane_says_what_to_do() -> None:
    async with staged() as stage:
        assert stage.card().word == "READY"
        assert "Show the code to the camera" in stage.text()


async def test_admission_shows_word_symbol_name_seat_and_next_action() -> None:
    async with staged() as stage:
        await stage.scan(ADMITTED)
        text = stage.text()
        assert "✓ GO: Welcome" in text
        assert "Marlene Östergård-Nakamura" in text
        assert "Block C, row 12, seat 7 · Weekend, 2 days" in text
        assert "Next: Let the guest in." in text
        assert stage.panel().has_class("-good")


async def test_used_ticket_tells_when_and_where_it_came_in() -> None:
    async with staged() as stage:
        await stage.scan(USED)
        assert "! LOOK: Already admitted at another gate" in stage.text()
        assert "already in: 19:42:07 at North 2" in stage.text()
        assert stage.panel().has_class("-attention")


async def test_stale_code_tells_how_old_it_is() -> None:
    async with staged() as stage:
        await stage.scan(STALE)
        assert "✗ STOP: This code is out of date" in stage.text()
        assert "135 seconds too old" in stage.text()
        assert stage.panel().has_class("-bad")


async def test_new_scan_replaces_the_old_answer_at_once() -> None:
    async with staged() as stage:
        await stage.scan(USED)
        await stage.scan(ADMITTED)
        assert stage.card().tone is Tone.GOOD
        assert "LOOK" not in "\n".join(line[:50] for line in stage.text().splitlines())


async def test_admission_stays_four_seconds_and_refusal_eight() -> None:
    async with staged() as stage:
        await stage.scan(ADMITTED)
        await stage.pass_time(3.9)
        assert stage.card().word == "GO"
        await stage.pass_time(0.1)
        assert stage.card().word == "READY"
        await stage.scan(STALE)
        await stage.pass_time(7.9)
        assert stage.card().word == "STOP"
        await stage.pass_time(0.1)
        assert stage.card().word == "READY"


async def test_how_long_answers_stay_can_be_chosen() -> None:
    display = replace(fixed_display(), admitted_s=1.0, refused_s=20.0)
    async with staged(setting=Setting(display=display)) as stage:
        await stage.scan(ADMITTED)
        await stage.pass_time(1.0)
        assert stage.card().word == "READY"
        await stage.scan(STALE)
        await stage.pass_time(19.0)
        assert stage.card().word == "STOP"


async def test_new_scan_begins_the_time_anew() -> None:
    async with staged() as stage:
        await stage.scan(ADMITTED)
        await stage.pass_time(3.0)
        await stage.scan(ADMITTED)
        await stage.pass_time(3.0)
        assert stage.card().word == "GO"


async def test_the_lanes_own_timer_brings_it_back() -> None:
    display = replace(fixed_display(), status_every_s=0.05)
    async with staged(setting=Setting(display=display)) as stage:
        await stage.scan(ADMITTED)
        assert stage.card().word == "GO"
        stage.clock.advance(timedelta(seconds=4))
        async with asyncio.timeout(20):
            while stage.card().word != "READY":
                await stage.pilot.pause()


async def test_double_read_changes_nothing_but_a_small_mark() -> None:
    async with staged() as stage:
        await stage.scan(ADMITTED)
        before = stage.text().splitlines()
        await stage.scan(DOUBLE)
        after = stage.text().splitlines()
        differing = [(old, new) for old, new in zip(before, after, strict=True) if old != new]
        assert len(differing) == 1
        assert "↻ 19:45:12 read again, answer stands" in differing[0][1]
        assert stage.app.rung == 0


async def test_double_read_does_not_hold_an_answer_longer() -> None:
    async with staged() as stage:
        await stage.scan(ADMITTED)
        await stage.pass_time(3.0)
        await stage.scan(DOUBLE)
        await stage.pass_time(1.0)
        assert stage.card().word == "READY"
        assert stage.panel().repeat == ""


async def test_double_read_of_the_guest_before_does_not_touch_the_answer_on_screen() -> None:
    async with staged() as stage:
        await stage.scan(ADMITTED, STALE, DOUBLE)
        assert stage.card().word == "STOP"
        assert stage.app.rung == 1


async def test_double_read_on_a_ready_lane_leaves_its_mark_for_a_while() -> None:
    async with staged() as stage:
        await stage.scan(DOUBLE)
        assert stage.card().word == "READY"
        assert "read again" in stage.panel().repeat
        await stage.pass_time(4.0)
        assert stage.panel().repeat == ""


async def test_scan_that_could_not_be_written_down_is_shown() -> None:
    failed = replace(make_outcome(refuse(Reason.INTERNAL_ERROR)), scan=None, gate_seq=None)
    async with staged() as stage:
        await stage.scan(failed)
        assert stage.card().word == "WAIT"


async def test_bell_rings_on_refusal_and_not_on_admission() -> None:
    async with staged() as stage:
        await stage.scan(ADMITTED)
        assert stage.app.rung == 0
        await stage.scan(STALE)
        assert stage.app.rung == 1
        await stage.scan(USED)
        assert stage.app.rung == 2


async def test_lane_can_begin_in_german() -> None:
    async with staged(setting=Setting(language="de")) as stage:
        assert "BEREIT: Code vor die Kamera halten" in stage.text()


async def test_program_ends_when_the_gate_stops() -> None:
    async with staged() as stage:
        stage.view.stop()
        await stage.pilot.pause()
        assert not stage.app.is_running
        assert stage.app.return_code == 0


async def test_gate_that_breaks_ends_the_program_with_its_exit_code() -> None:
    async with staged() as stage:
        stage.view.stop(DataDamaged("the log is damaged: export it"))
        await stage.pilot.pause()
        assert not stage.app.is_running
        assert stage.app.return_code == DataDamaged.exit_code


async def test_status_is_asked_again_with_every_tick() -> None:
    async with staged() as stage:
        stage.view.present = replace(ONLINE, counts=replace(ONLINE.counts, admitted=98_765), gate_name="South 9")
        await stage.pass_time(1.0)
        assert "98 765 in" in stage.text()
        assert "South 9" in stage.text()
        assert "19:45:13" in stage.text()


async def test_lost_camera_is_told_on_the_ready_lane_only() -> None:
    async with staged(ScriptedView(replace(ONLINE, camera_alive=False))) as stage:
        assert "No camera picture" in stage.text()
        assert "no picture" in stage.text()
        await stage.scan(ADMITTED)
        assert "No camera picture" not in stage.text()


async def test_gate_without_tickets_says_so() -> None:
    async with staged(ScriptedView(replace(ONLINE, tickets=0))) as stage:
        assert "No tickets loaded yet" in stage.text()


async def test_last_scans_are_listed_newest_first() -> None:
    async with staged(setting=Setting(size=(140, 40))) as stage:
        await stage.scan(ADMITTED, USED, STALE)
        side = [line[94:] for line in stage.text().splitlines()]
        listed = [line for line in side if ADMITTED.code_id in line or USED.code_id in line or STALE.code_id in line]
        assert [line.split()[1] for line in listed] == ["✗", "!", "✓"]
        assert "out of date" in listed[0]
