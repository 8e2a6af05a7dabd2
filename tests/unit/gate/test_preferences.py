"""What a lane's staff chose outlives the program, and a file that means nothing is refused by name."""

from __future__ import annotations

from pathlib import Path

import pytest

from gate.catalogue.texts import KeyId
from gate.preferences import PREFERENCES_NAME, Preferences, ScreenMemory
from gate.tui.app import check_keys
from shared.problems import SettingsInvalid


def memory_of(directory: Path, text: str) -> ScreenMemory:
    """Return the memory of a directory with a file of this text."""
    path = directory / PREFERENCES_NAME
    path.write_text(text, encoding="utf-8")
    return ScreenMemory(path)


def test_nothing_chosen_is_the_default(tmp_path: Path) -> None:
    assert ScreenMemory(tmp_path / PREFERENCES_NAME).load() == Preferences()


def test_choices_are_kept_and_the_keys_with_them(tmp_path: Path) -> None:
    memory = memory_of(tmp_path, '[keys]\nclear = "backspace,space"\n')
    memory.load()
    memory.keep(language="de", sound=False)
    again = ScreenMemory(tmp_path / PREFERENCES_NAME).load()
    assert again == Preferences(language="de", sound=False, keys={KeyId.CLEAR: "backspace,space"})
    assert (tmp_path / PREFERENCES_NAME).stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    "text", ["language = 5", 'language = "tlh"', "sound = maybe", '[keys]\ndance = "d"', 'colour = "red"', "\udce4"]
)
def test_file_that_means_nothing_is_refused_by_its_name(tmp_path: Path, text: str) -> None:
    path = tmp_path / PREFERENCES_NAME
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(SettingsInvalid, match=PREFERENCES_NAME):
        ScreenMemory(path).load()


def test_two_things_on_one_key_are_refused(tmp_path: Path) -> None:
    memory = memory_of(tmp_path, '[keys]\nmute = "s"\n')
    memory.load()
    with pytest.raises(SettingsInvalid, match=r"'staff' and 'mute' both lie on the key 's'"):
        check_keys(memory)


def test_keys_may_change_places(tmp_path: Path) -> None:
    memory = memory_of(tmp_path, '[keys]\nmute = "s"\nstaff = "m"\n')
    memory.load()
    check_keys(memory)
    assert memory.chosen.keys[KeyId.STAFF] == "m"
