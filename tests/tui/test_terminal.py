"""The lane on a real terminal of 80 by 24: what is drawn, what is heard, and how it is left."""

from __future__ import annotations

import re
import sys
from pathlib import Path

from tests.tui.terminal import opened

COMMAND = [sys.executable, str(Path(__file__).with_name("lane_program.py"))]
COLOURED = {"LANG": "C.UTF-8", "TERM": "tmux-256color", "COLORTERM": "truecolor"}
OLD = {"LANG": "C", "TERM": "vt100"}
COLOUR_SEQUENCE = re.compile(rb"\x1b\[[0-9;]*?\b(?:3[0-8]|4[0-8]|9[0-7]|10[0-7])\b[0-9;]*m")
BELL_OUTSIDE_A_TITLE = re.compile(rb"(?:\x1b\][^\x07\x1b]*\x07)|(\x07)")


def bells(written: bytes) -> int:
    """Count the bells; one that ends a title's sequence does not sound."""
    return sum(1 for found in BELL_OUTSIDE_A_TITLE.finditer(written) if found[1])


async def test_lane_shows_answers_on_a_real_terminal_and_leaves_after_asking(tmp_path: Path) -> None:
    async with opened(COMMAND, tmp_path, COLOURED) as terminal:
        ready = await terminal.wait_for("Show the code to the camera")
        assert "q Quit" in ready.splitlines()[23]
        await terminal.press("t")
        await terminal.wait_for("Type or paste a ticket code")
        await terminal.type("go")
        admitted = await terminal.wait_for("✓ GO: Welcome")
        assert "Marlene Östergård-Nakamura" in admitted
        assert bells(terminal.tap.seen) == 0
        await terminal.press("t")
        await terminal.wait_for("Type or paste a ticket code")
        await terminal.type("used")
        used = await terminal.wait_for("! LOOK: Already admitted at another gate")
        assert "already in: " in used
        assert "▌" in used
        assert bells(terminal.tap.seen) == 1
        await terminal.press("q")
        await terminal.wait_for("Leave the gate?")
        await terminal.press("y")
        assert await terminal.exit_code() == 0
        assert COLOUR_SEQUENCE.search(terminal.tap.seen)


async def test_reader_that_types_needs_no_key_before_it_and_presses_none(tmp_path: Path) -> None:
    async with opened(COMMAND, tmp_path, COLOURED) as terminal:
        await terminal.wait_for("Show the code to the camera")
        for letters in ("qystpiconml? go", "QYSTPICONML? GO"):
            await terminal.read(letters)
            await terminal.wait_for("✓ GO: Welcome")
            await terminal.press("Space")
            screen = await terminal.wait_for("Show the code to the camera")
            assert "SOUND OFF" not in screen
        await terminal.read("qystpicon another")
        await terminal.wait_for("✗ STOP: This code is out of date")
        await terminal.press("q")
        await terminal.wait_for("Leave the gate?")


async def test_answer_goes_by_itself_on_a_real_terminal(tmp_path: Path) -> None:
    async with opened(COMMAND, tmp_path, COLOURED) as terminal:
        await terminal.wait_for("Show the code to the camera")
        await terminal.press("t")
        await terminal.wait_for("Type or paste a ticket code")
        await terminal.type("go")
        await terminal.wait_for("✓ GO: Welcome")
        await terminal.wait_until(lambda screen: "GO: Welcome" not in screen and "READY" in screen, "the ready lane")
        assert bells(terminal.tap.seen) == 0


async def test_old_terminal_gets_neither_colour_nor_unicode(tmp_path: Path) -> None:
    async with opened(COMMAND, tmp_path, OLD) as terminal:
        await terminal.wait_for("- READY: Show the code to the camera")
        await terminal.press("t")
        await terminal.wait_for("Type or paste a ticket code")
        await terminal.type("stale")
        screen = await terminal.wait_for("X STOP: This code is out of date")
        assert screen.isascii()
        assert "#### ##### " in screen
        assert terminal.tap.seen.isascii()
        assert not COLOUR_SEQUENCE.search(terminal.tap.seen)


async def test_no_color_takes_the_colours_and_leaves_the_symbols(tmp_path: Path) -> None:
    async with opened(COMMAND, tmp_path, COLOURED | {"NO_COLOR": "1"}) as terminal:
        await terminal.wait_for("Show the code to the camera")
        await terminal.press("t")
        await terminal.wait_for("Type or paste a ticket code")
        await terminal.type("stale")
        await terminal.wait_for("✗ STOP: This code is out of date")
        assert not COLOUR_SEQUENCE.search(terminal.tap.seen)
