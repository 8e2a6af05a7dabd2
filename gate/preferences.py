"""What a lane's staff chose for their screen: language, sound and keys, in a small file beside the gate's data."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from gate.catalogue.texts import LANGUAGES, KeyId
from gate.files import write_private
from shared.problems import SettingsInvalid

PREFERENCES_NAME = "screen.toml"
_HEAD = """\
# The gate's screen. Keys are named as in https://textual.textualize.io/guide/input/#key; several are separated by commas:
# [keys]
# clear = "backspace,space"
"""


class Preferences(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``keys`` puts what a key does (its id) on other keys."""

    language: str = "en"
    sound: bool = True
    keys: dict[KeyId, str] = {}


class ScreenMemory:
    """Reads the choices once and writes them down when they change."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.chosen = Preferences()

    def load(self) -> Preferences:
        """Return what was chosen; the defaults where nothing was.

        Raises:
            SettingsInvalid: the file says something that means nothing.
        """
        try:
            self.chosen = msgspec.toml.decode(self.path.read_bytes(), type=Preferences)
        except FileNotFoundError:
            return self.chosen
        except (OSError, msgspec.DecodeError, UnicodeDecodeError) as exc:
            raise SettingsInvalid(f"{self.path} cannot be used ({exc}): correct it, or remove it.") from exc
        if self.chosen.language not in LANGUAGES:
            raise SettingsInvalid(f"{self.path}: there is no language '{self.chosen.language}', only {LANGUAGES}.")
        return self.chosen

    def keep(self, *, language: str, sound: bool) -> None:
        """Write language and sound down; the keys stay as they are.

        Raises:
            Unavailable: the directory cannot be written.
        """
        self.chosen = replace(self.chosen, language=language, sound=sound)
        lines = [f"language = {json.dumps(language)}", f"sound = {str(sound).lower()}"]
        if self.chosen.keys:
            lines += ["", "[keys]", *(f"{key} = {json.dumps(bound)}" for key, bound in self.chosen.keys.items())]
        write_private(self.path, (_HEAD + "\n" + "\n".join(lines) + "\n").encode())
