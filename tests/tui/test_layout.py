"""Nothing that staff need is cut off, whatever the answer, the language, the size and the terminal."""

from __future__ import annotations

from datetime import timedelta

import pytest
from msgspec.structs import replace

from gate.catalogue.texts import LANGUAGES
from gate.outcome import Counts
from gate.tui.widgets.keybar import SHORT
from shared.admission.verdict import ADMITTING, Reason, Verdict
from shared.codes.keys import Holder
from tests.tui.scripted import ADMITTED, NOW, OFFLINE, STALE, USED, ScriptedView, fixed_display, make_outcome, seen_at
from tests.tui.stage import Setting, Stage, staged

SIZES = [(80, 24), (140, 40)]
LONG_GUEST = Holder(
    name="Hochwohlgeborene Wilhelmine von Trapp-Ackermann",
    seat="Oberrang Nordost, Reihe 27, Platz 114",
    product="Festival VIP",
)


def words_missing(stage: Stage) -> list[str]:
    """Return what the big panel should say and the screen does not show; lines may be wrapped but not cut."""
    panel = stage.app.lane.query_one("#verdict").region
    lines = stage.text().splitlines()[panel.y : panel.bottom]
    seen = " ".join(" ".join(line[: panel.right] for line in lines).split())
    card = stage.card()
    told = [card.headline, *card.facts, card.name, card.ticket, card.action, stage.panel().repeat]
    return [part for part in told if part and " ".join(part.split()) not in seen]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("language", LANGUAGES)
async def test_every_answer_is_shown_whole(language: str, size: tuple[int, int]) -> None:
    yesterday = seen_at(NOW - timedelta(days=1))
    async with staged(setting=Setting(size=size, language=language)) as stage:
        for reason in set(Reason) - {Reason.DOUBLE_READ}:
            verdict = Verdict(admitted=reason in ADMITTING, reason=reason, prior=yesterday, wait_s=86_000)
            outcome = replace(
                make_outcome(verdict), holder=LONG_GUEST, skew_s=-86_000, prior_gate="Eingang Nord bei der Bühne 2"
            )
            repeat = replace(make_outcome(Verdict(admitted=False, reason=Reason.DOUBLE_READ)), scan=None)
            await stage.scan(outcome, repeat)
            assert not words_missing(stage), reason
            assert stage.app.lane.query_one("#word").size.height >= 4


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("unicode", [True, False])
async def test_badge_counters_and_keys_fit_eighty_columns_at_their_longest(language: str, *, unicode: bool) -> None:
    status = replace(
        OFFLINE,
        linked=True,
        data_age_s=59 * 60.0,
        backlog=99_999,
        keys_until=NOW + timedelta(hours=3),
        clock_offset_s=-3599.0,
        counts=Counts(admitted=99_999, exited=99_999, refused=99_999, per_minute=99.9),
        inside=99_999,
    )
    display = replace(fixed_display(), unicode=unicode, muted=True)
    async with staged(ScriptedView(status), Setting(language=language, display=display)) as stage:
        lines = stage.text().splitlines()
        said = [part.text for part in stage.app.lane.query_one("#badge").parts]  # type: ignore[attr-defined] # a LinkBadge
        assert all(part in lines[-2] for part in said)
        assert said[-1].endswith("-59 min!")
        keys = stage.app.lane.query_one("#keys").keys  # type: ignore[attr-defined] # a KeyBar
        assert all(key.name in lines[-1] for key in keys if key.id in SHORT)
        tallies = stage.app.lane.query_one("#counters").tallies  # type: ignore[attr-defined] # Counters
        assert all(f"{tally.value} {tally.label}" in stage.text() for tally in tallies)


@pytest.mark.parametrize("size", [(60, 18), (40, 12), (20, 6), (300, 90)])
async def test_odd_sizes_still_show_the_word(size: tuple[int, int]) -> None:
    async with staged(setting=Setting(size=size)) as stage:
        await stage.scan(USED)
        assert "LOOK" in stage.text()


async def test_resized_terminal_is_drawn_anew() -> None:
    async with staged(setting=Setting(size=(140, 40))) as stage:
        await stage.scan(USED)
        await stage.pilot.resize_terminal(80, 24)
        await stage.pilot.pause()
        assert not words_missing(stage)
        assert max(len(line) for line in stage.text().splitlines()) <= 80


@pytest.mark.parametrize("unicode", [True, False])
async def test_without_colour_word_symbol_and_frame_tell_the_tones_apart(*, unicode: bool) -> None:
    display = replace(fixed_display(), colour=False, unicode=unicode)
    marks = ("✓", "!", "✗") if unicode else ("+", "!", "X")
    async with staged(setting=Setting(display=display)) as stage:
        corners = []
        for outcome, mark, word in zip((ADMITTED, USED, STALE), marks, ("GO", "LOOK", "STOP"), strict=True):
            await stage.scan(outcome)
            assert f"{mark} {word}: " in stage.text()
            corners.append(stage.text().splitlines()[1][0])
        assert corners == (["╭", "╔", "┏"] if unicode else ["+", "+", "+"])


async def test_without_colour_no_colour_is_sent() -> None:
    display = replace(fixed_display(), colour=False)
    async with staged(setting=Setting(display=display)) as stage:
        await stage.scan(STALE)
        fills = {part.split(";")[0].strip(" }") for part in stage.app.export_screenshot().split("fill: ")[1:]}
        # The two colours with which a picture stands for a terminal's own ink and paper, dimmed or not.
        assert len(fills) <= 3
