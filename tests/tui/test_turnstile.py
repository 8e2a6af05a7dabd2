"""Whoever stands at the lane sees when the turnstile did not open, or opened for nobody."""

from __future__ import annotations

import pytest

from gate.turnstile import Happened, TurnstileNews
from tests.tui.scripted import NOW
from tests.tui.stage import staged


@pytest.mark.parametrize(
    ("what", "told"),
    [
        (Happened.STUCK, "did not open for record 17: open it by hand"),
        (Happened.UNUSED, "Nobody went through after record 17"),
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
