"""How a screen is to look and how long it holds an answer: chosen by the operator or read off the terminal."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import tzinfo

from msgspec import Struct

from gate.wedge import WedgeTimes
from shared.clock import Clock, SystemClock

_WITHOUT_COLOUR = frozenset({"vt52", "vt100", "vt102", "vt220", "vt320", "dumb"})
# The kernel's console has colours, but its 256 glyphs lack most of the symbols.
_WITHOUT_UNICODE = _WITHOUT_COLOUR | {"linux"}


class Display(Struct, frozen=True, kw_only=True):
    """What the operator or the terminal asks for.

    ``admitted_s`` and ``refused_s`` are how long an answer stays before the screen is ready again. ``zone`` is the time
    zone of the venue, None for the machine's own. Without ``unicode`` only ASCII is drawn. ``player`` is the command that
    plays a sound, None for the terminal's bell. A ``drill`` says so on every screen. ``wedge`` tells a reader's keys from a
    person's, None where no reader types; ``keys_clock`` is the counter by which the terminal stamps keys.
    """

    admitted_s: float = 4.0
    refused_s: float = 8.0
    status_every_s: float = 0.25
    picture_every_s: float = 0.2
    colour: bool = True
    unicode: bool = True
    muted: bool = False
    zone: tzinfo | None = None
    clock: Clock = SystemClock()
    player: tuple[str, ...] | None = None
    drill: bool = False
    wedge: WedgeTimes | None = WedgeTimes()
    keys_clock: Callable[[], float] = time.monotonic


def detect_display(environ: Mapping[str, str]) -> Display:
    """Return what the terminal can show, going by NO_COLOR (https://no-color.org), TERM and the locale."""
    terminal = environ.get("TERM", "")
    locale = environ.get("LC_ALL") or environ.get("LC_CTYPE") or environ.get("LANG") or "UTF-8"
    return Display(
        colour=not environ.get("NO_COLOR") and terminal not in _WITHOUT_COLOUR,
        unicode="utf8" in locale.lower().replace("-", "") and terminal not in _WITHOUT_UNICODE,
    )
