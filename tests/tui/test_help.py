"""Help is made of the keys as they are bound, in the language of the screen."""

from __future__ import annotations

import pytest
from textual.binding import Binding

from gate.catalogue.texts import LANGUAGES, KeyId, load_catalogue
from gate.tui.screens.lane import LaneScreen
from gate.tui.screens.overlay import CodeScreen, HelpScreen, QuitScreen
from tests.tui.stage import Setting, staged

LANE_BINDINGS = [binding for binding in LaneScreen.BINDINGS if isinstance(binding, Binding)]


def test_every_binding_has_an_id_and_a_tooltip() -> None:
    bindings = [binding for screen in (LaneScreen, HelpScreen, QuitScreen, CodeScreen) for binding in screen.BINDINGS]
    assert len(bindings) >= len(KeyId)
    assert all(isinstance(binding, Binding) and binding.id and binding.tooltip for binding in bindings)


def test_every_key_id_is_bound_once_on_the_lane() -> None:
    assert sorted(str(binding.id) for binding in LANE_BINDINGS) == sorted(KeyId)


def test_bindings_say_what_the_english_catalogue_says() -> None:
    keys = load_catalogue("en").texts.keys
    told = {binding.id: (binding.description, binding.tooltip) for binding in LANE_BINDINGS}
    assert told == {str(key): (text.name, text.help) for key, text in keys.items()}


@pytest.mark.parametrize("language", LANGUAGES)
async def test_help_lists_every_binding(language: str) -> None:
    async with staged(setting=Setting(language=language)) as stage:
        await stage.press("question_mark")
        text = stage.text()
        for key in load_catalogue(language).texts.keys.values():
            assert key.help in text
        for written in ("F1, ?", "q, ^c, ^q", "space"):
            assert written in text


async def test_help_and_key_line_follow_other_keys() -> None:
    async with staged(setting=Setting(keymap={"mute": "x", "peek": "b"})) as stage:
        assert "b Look" in stage.text()
        await stage.press("x")
        assert "SOUND OFF" in stage.text()
        await stage.press("f1")
        sound = next(line for line in stage.text().splitlines() if "Turn the sound" in line)
        assert sound.split("│")[-1].split("┃")[1].split()[0] == "x"


async def test_help_closes_with_escape() -> None:
    async with staged() as stage:
        await stage.press("f1")
        assert isinstance(stage.app.screen, HelpScreen)
        await stage.press("escape")
        assert isinstance(stage.app.screen, LaneScreen)
