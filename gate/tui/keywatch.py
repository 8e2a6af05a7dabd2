"""Where every key of the screen passes first: a reader's keys become a code, a person's do what they always do."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from msgspec import Struct
from textual.app import App
from textual.events import Key
from textual.widgets import Input

from gate.tui.screens.pin import PinScreen
from gate.wedge import Freed, Wedge, WedgeTimes

_SETTLE_S = 0.01


class Typist(Struct, frozen=True, kw_only=True, eq=False):
    """Who gets what: keys ``play`` as usual, codes are ``read``, and ``torn`` hears of a code that broke off."""

    play: Callable[[Key], Awaitable[None]]
    read: Callable[[str], None]
    torn: Callable[[], None]


class KeyWatch:
    """Stands before the screens; a code never presses a key of theirs, whichever of them is open."""

    def __init__(self, app: App[None], times: WedgeTimes, now_s: Callable[[], float], typist: Typist) -> None:
        self._app = app
        self._wedge: Wedge[Key] = Wedge(times)
        self._now_s = now_s
        self._typist = typist
        self._looking = False

    async def take(self, event: Key) -> None:
        """Take a key; its own time counts, however late it is heard of."""
        await self._pass_on(self._wedge.press(event, event.key, event.character, event.time))
        self._plan()

    async def look(self) -> None:
        """Let go of what nothing more came for."""
        self._looking = False
        await self._pass_on(self._wedge.look(self._now_s()))
        self._plan()

    def _plan(self) -> None:
        due_s = self._wedge.due_s
        if due_s is not None and not self._looking:
            self._looking = True
            wait_s = max(0.0, due_s - self._now_s()) + _SETTLE_S
            # A second, short wait: keys that came while the program was busy are taken before it ends.
            self._app.set_timer(wait_s, lambda: self._app.set_timer(_SETTLE_S, self.look))

    async def _pass_on(self, freed: list[Freed[Key]]) -> None:
        for one in freed:
            if one.fast and not self._belongs_to_line(one):
                if one.code is None:
                    self._typist.torn()
                else:
                    self._typist.read(one.code)
                continue
            for key in one.keys:
                await self._typist.play(key)

    def _belongs_to_line(self, one: Freed[Key]) -> bool:
        """Say whether fast keys go into the line that is being typed in: an empty one takes codes by itself."""
        line = self._app.focused
        if not isinstance(line, Input):
            return False
        if one.code is None:
            return True
        if isinstance(self._app.screen, PinScreen):
            return one.code.isdigit()  # no ticket's code is all digits, each PIN is
        return not line.value and one.keys[-1].key == "enter"
