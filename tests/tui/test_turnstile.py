"""Whoever stands at the lane sees when the turnstile did not open, or opened for nobody."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from gate.turnstile import Happened, TurnstileNews
from shared.admission.override import UndoReason
from shared.admission.verdict import Reason, refuse
from tests.tui.scripted import NOW, STALE, make_outcome
from tests.tui.stage import staged


@pytest.mark.parametrize(
    ("what", "told"),
    [
        (Happened.STUCK, "did not open for record 17: open it by hand"),
        (Happened.UNUSED, "Nobody went through after record 17"),
        (Happened.TAKEN_BACK, "after record 17: the admission is taken back"),
        (Happened.DOUBTED, "look at its contact. Record 17 stands"),
        (Happened.OPENED, None),
        (Happened.TURNED, None),
    ],
)
async def test_trouble_with_the_turnstile_is_shown(what: Happened, told: str | None) -> None:
    async with staged() as stage:
        await stage.app.show_turnstile(TurnstileNews(what=what, at=NOW, gate_seq=17))
        await stage.pilot.pause()
        shown = [note.message for note in stage.app._notifications]
        assert [told in message for message in shown if told is not None] == ([True] if told is not None else [])
        assert bool(shown) is (told is not None)


async def test_admission_taken_back_by_a_turnstile_is_listed_and_covers_no_answer() -> None:
    undone = replace(make_outcome(refuse(Reason.UNDONE), number=3), override=UndoReason.NOBODY_TURNED.value)
    async with staged() as stage:
        await stage.scan(STALE, undone)
        assert stage.card().word == "STOP"
        assert "taken back" in stage.text()
        assert stage.app.rung == 1
