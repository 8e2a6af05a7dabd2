"""The terminal program of a gate: puts the lane on the screen and passes on what the gate decides."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from textual.app import App
from textual.binding import Binding
from textual.events import Event, Key
from textual.filter import LineFilter, NoColor
from textual.screen import ModalScreen, Screen

from gate.catalogue.texts import KeyId, load_catalogue
from gate.outcome import GateView
from gate.preferences import ScreenMemory
from gate.tui.cards import Wording
from gate.tui.display import Display, detect_display
from gate.tui.fault import FaultScreen
from gate.tui.keywatch import KeyWatch, Typist
from gate.tui.ordered import OrderWatch
from gate.tui.screens.lane import LaneScreen, OutcomeArrived
from gate.tui.screens.overlay import QuitScreen
from gate.tui.sound import Speaker
from gate.tui.theme import DOOR
from gate.turnstile import Happened, TurnstileNews
from shared.problems import SettingsInvalid, TicketTokenError


class GateApp(App[None], inherit_bindings=False):
    """Runs until the gate stops or somebody leaves it; a gate that breaks ends it with one line and an exit code."""

    CSS_PATH = Path(__file__).with_name("gate.tcss")
    TITLE = "TicketToken Gate"
    ENABLE_COMMAND_PALETTE = False

    def __init__(
        self, view: GateView, language: str = "en", display: Display | None = None, memory: ScreenMemory | None = None
    ) -> None:
        """Take the gate to show; without a display, what the terminal can do is read from the environment.

        ``memory`` knows the keys the staff chose and remembers what they choose next.

        Raises:
            SettingsInvalid: there is no such language, or two things lie on one key.
        """
        self._display_choice = display or detect_display(os.environ)
        super().__init__()
        self.register_theme(DOOR)
        self.theme = DOOR.name
        self._view = view
        wording = Wording(catalogue=load_catalogue(language), display=self._display_choice)
        self.lane = LaneScreen(view, wording, memory, Speaker(self._display_choice.player, self.bell))
        self.ordered = OrderWatch(self, self.lane, view, lambda: self.lane.wording)
        self.keys_first = self._watch_keys(self._display_choice)
        if memory is not None:
            check_keys(memory)
            self.set_keymap({str(key): bound for key, bound in memory.chosen.keys.items()})

    async def on_event(self, event: Event) -> None:
        """Let no key reach a screen before it is clear that it is no reader's."""
        if self.keys_first is not None and isinstance(event, Key) and not event.is_forwarded:
            await self.keys_first.take(event)
            return
        await super().on_event(event)

    def get_default_screen(self) -> Screen[None]:
        """Begin with the lane."""
        return self.lane

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Take every colour away where none is wanted."""
        filters = super().get_line_filters()
        return filters if self._display_choice.colour else [*filters, NoColor()]

    def get_key_display(self, binding: Binding) -> str:
        """Write function keys as they are printed on the keyboard."""
        shown = super().get_key_display(binding)
        return shown.upper() if shown[1:].isdigit() else shown

    def on_mount(self) -> None:
        """Begin to follow the gate."""
        self.set_class(not self._display_choice.colour, "-colourless")
        self.set_class(not self._display_choice.unicode, "-ascii")
        self.run_worker(self._follow())
        self.set_interval(self._display_choice.status_every_s, self.ordered.look)

    async def show_turnstile(self, news: TurnstileNews) -> None:
        """Tell the staff that somebody stands before a turnstile that did not open, or that nobody went through."""
        labels = self.lane.wording.catalogue.texts.labels
        told = {
            Happened.STUCK: labels.turnstile_stuck,
            Happened.UNUSED: labels.turnstile_unused,
            Happened.TAKEN_BACK: labels.turnstile_taken_back,
            Happened.DOUBTED: labels.turnstile_doubted,
        }.get(news.what)
        if told is None or not self.is_running:
            return
        number = "?" if news.gate_seq is None else str(news.gate_seq)
        grave = news.what in {Happened.STUCK, Happened.DOUBTED}
        severity: Literal["error", "warning"] = "error" if grave else "warning"
        # In the screen's own time: openings are reported from outside it.
        self.call_later(self.notify, told.format(number=number), severity=severity, markup=False)

    async def action_quit(self) -> None:
        """Ask before leaving: a wrong key must not close a lane."""
        if not isinstance(self.screen, QuitScreen):
            await self.push_screen(QuitScreen(self._view, self.lane.wording), self._leave)

    def _watch_keys(self, display: Display) -> KeyWatch | None:
        if display.wedge is None:
            return None
        typist = Typist(play=super().on_event, read=self.lane.give, torn=self._tell_torn)
        return KeyWatch(self, display.wedge, display.keys_clock, typist)

    def _tell_torn(self) -> None:
        self.notify(
            self.lane.wording.write(self.lane.wording.catalogue.texts.labels.reader_torn),
            severity="warning",
            markup=False,
        )

    async def _follow(self) -> None:
        try:
            async for outcome in self._view.outcomes():
                self.lane.post_message(OutcomeArrived(outcome))
                self.ordered.note_outcome(outcome)
        except TicketTokenError as problem:
            await self._break(problem)
            return
        self.exit()

    async def _break(self, problem: TicketTokenError) -> None:
        """End with a problem, which is shown before if somebody has to repair the gate's files."""
        told = self.lane.wording.catalogue.fault(problem.code)
        if told is not None:
            shown: ModalScreen[None] = FaultScreen(told, problem, self.lane.wording)
            await self.push_screen_wait(shown)
        self.exit(return_code=problem.exit_code, message=f"error: {problem}")

    def _leave(self, answer: bool | None) -> None:  # noqa: FBT001 - what the question's screen returns
        if answer:
            self.exit()


def check_keys(memory: ScreenMemory) -> None:
    """Return if everything the lane does has a key of its own.

    Raises:
        SettingsInvalid: two things lie on one key.
    """
    taken: dict[str, str] = {}
    for binding in LaneScreen.BINDINGS:
        if not isinstance(binding, Binding) or binding.id is None:
            continue
        for key in memory.chosen.keys.get(KeyId(binding.id), binding.key).split(","):
            other = taken.setdefault(key.strip(), binding.id)
            if other != binding.id:
                raise SettingsInvalid(
                    f"{memory.path}: '{other}' and '{binding.id}' both lie on the key '{key.strip()}'."
                )
