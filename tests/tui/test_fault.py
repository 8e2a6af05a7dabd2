"""A gate whose disk is full, locked or damaged says so on its screen, with what to do, and stays so until it is true no more."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest
from msgspec.structs import replace

from gate.catalogue.texts import LANGUAGES, Fault, Word, load_catalogue
from gate.store.log import KIND, LOG_NAME
from gate.store.problems import DiskFull, StoreDamaged, StoreFailing, StoreNotWritable
from gate.tui.cards import Wording
from gate.tui.fault import FaultApp, FaultScreen
from shared.admission.verdict import Reason, refuse
from tests.integration.gate.venue import prepare_gate
from tests.tui.scenes import colours_of
from tests.tui.scripted import ADMITTED, DOUBLE, fixed_display, make_outcome
from tests.tui.stage import Setting, staged
from tests.tui.terminal import Terminal, opened

PASSING = (DiskFull, StoreNotWritable, StoreFailing)
DAMAGED = StoreDamaged(f"/var/lib/tickettoken-gate/a-gate-with-a-long-name/{LOG_NAME} is damaged. {KIND.remedy}")
NOT_WRITTEN = replace(make_outcome(refuse(Reason.INTERNAL_ERROR)), scan=None, gate_seq=None)
ROOT = Path(__file__).parents[2]
PLAIN = {"LANG": "C.UTF-8", "TERM": "tmux-256color", "PYTHONPATH": str(ROOT), "TICKETTOKEN_GATE_LOG_LEVEL": "error"}


def squeeze(text: str) -> str:
    """Return a screen's words without its lines' ends."""
    return " ".join(text.split())


def test_every_problem_of_the_files_has_its_screen() -> None:
    assert {problem.code for problem in (*PASSING, StoreDamaged)} == set(Fault)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("code", [problem.code for problem in PASSING])
async def test_lane_stays_out_of_order_until_a_scan_is_written_down(code: str, language: str) -> None:
    told = load_catalogue(language).texts.faults[Fault(code)]
    async with staged(setting=Setting(language=language)) as stage:
        await stage.scan(replace(NOT_WRITTEN, fault=code))
        assert stage.card().word == load_catalogue(language).texts.words[Word.CLOSED]
        assert (told.text in stage.card().headline, told.action in stage.card().action) == (True, True)
        assert stage.panel().has_class("-bad")
        drawn = stage.text()
        assert all(word in drawn for word in (*told.text.split(), *told.action.split())), drawn
        await stage.scan(DOUBLE)
        await stage.pass_time(3600)
        assert told.text in stage.card().headline
        await stage.scan(ADMITTED)
        assert stage.card().word == load_catalogue(language).texts.words[Word.GO]
        await stage.pass_time(10)
        assert stage.card().word == load_catalogue(language).texts.words[Word.READY]


@pytest.mark.parametrize("language", LANGUAGES)
async def test_damaged_log_covers_the_screen_with_cause_and_remedy_and_then_ends(language: str) -> None:
    told = load_catalogue(language).texts.faults[Fault.DAMAGED]
    async with staged(setting=Setting(language=language)) as stage:
        stage.view.stop(DAMAGED)
        await stage.pilot.pause()
        assert isinstance(stage.app.screen, FaultScreen)
        drawn = stage.text()
        assert all(word in drawn for word in (*told.text.split(), *told.action.split(), *str(DAMAGED).split())), drawn
        await stage.press("space", "t", "s")
        assert isinstance(stage.app.screen, FaultScreen)
        await stage.press("q")
        assert not stage.app.is_running
        assert stage.app.return_code == StoreDamaged.exit_code


async def test_gate_that_cannot_start_leaves_after_a_while_unless_its_files_are_damaged() -> None:
    wording = Wording(catalogue=load_catalogue("en"), display=fixed_display())
    told = wording.catalogue.texts.faults
    app = await asyncio.to_thread(FaultApp, told[Fault.FULL], DiskFull("full"), wording, 0.01)
    async with asyncio.timeout(30):
        await app.run_async(headless=True)
    app = await asyncio.to_thread(FaultApp, told[Fault.DAMAGED], DAMAGED, wording, 0.01)
    async with asyncio.timeout(30), app.run_test() as pilot:
        await pilot.pause(0.1)
        assert app.is_running


async def test_gate_that_cannot_start_says_so_without_colour_where_none_is_wanted() -> None:
    wording = Wording(catalogue=load_catalogue("en"), display=replace(fixed_display(), colour=False))
    app = await asyncio.to_thread(FaultApp, wording.catalogue.texts.faults[Fault.DAMAGED], DAMAGED, wording)
    async with asyncio.timeout(30), app.run_test() as pilot:
        await pilot.pause()
        assert colours_of(app.export_screenshot()) == set()


async def start(terminal: Terminal) -> str:
    """Wait for the screen of a gate that cannot start."""
    return squeeze(await terminal.wait_for("CLOSED: This gate"))


async def test_gate_with_a_damaged_log_starts_with_a_screen_and_leaves_the_log(tmp_path: Path) -> None:
    data, ruined = tmp_path / "gate", bytes([0xA5]) * 8192
    await asyncio.to_thread(prepare_gate, data, 3)
    (data / LOG_NAME).write_bytes(ruined)
    command = [sys.executable, "-m", "gate", "run", "--data", str(data), "--source", str(tmp_path), "--wait", "0"]
    async with opened(command, tmp_path, PLAIN) as terminal:
        screen = await start(terminal)
        assert "This gate's records are damaged" in screen
        assert "Send the guests to the next gate" in screen
        assert ".recover > log-recovered.sql" in screen
        await terminal.press("Enter")
        assert await terminal.exit_code() == StoreDamaged.exit_code
        assert "error: " in await terminal.screen()
    assert (data / LOG_NAME).read_bytes() == ruined


async def test_gate_that_may_not_write_starts_with_a_screen(tmp_path: Path) -> None:
    data = tmp_path / "gate"
    await asyncio.to_thread(prepare_gate, data, 3)
    # Not writable for the superuser either, as whom these tests may run.
    (data / "agent.lock").unlink(missing_ok=True)
    (data / "agent.lock").mkdir()
    command = [sys.executable, "-m", "gate", "run", "--data", str(data), "--source", str(tmp_path), "--wait", "0"]
    async with opened(command, tmp_path, PLAIN) as terminal:
        screen = await start(terminal)
        assert "This gate may not write to its disk" in screen
        assert "is the disk read-only" in screen
        await terminal.press("q")
        assert await terminal.exit_code() == StoreNotWritable.exit_code
