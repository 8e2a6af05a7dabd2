"""The first screen of a machine that is no gate yet: the server's address and a one-time code make it one."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import ClassVar

from msgspec import Struct
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.filter import LineFilter, NoColor
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from gate.tui.cards import Wording
from gate.tui.theme import DOOR
from shared.problems import TicketTokenError

_LONGEST_ADDRESS = 300
_LONGEST_CODE = 100
_NAME_COLUMNS = 60
_TELL_COLUMNS = 400
_CLOCK_WORTH_A_WORD_S = 5.0
_SCHEME = "https://"


class Enrolled(Struct, frozen=True, kw_only=True):
    """What the machine is now; ``clock_offset_s`` is its clock minus the server's."""

    gate: str
    event: str
    clock_offset_s: float


Enrol = Callable[[str, str], Awaitable[Enrolled]]
"""Trades a one-time code for an identity: takes the server's address and the code, raises a TicketTokenError."""


class EnrolScreen(ModalScreen[bool]):
    """Returns whether the machine is a gate now; what was typed stays until it is."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "escape,ctrl+q,ctrl+c", "leave", "Leave", tooltip="Leave without enrolling", id="enrol_leave", priority=True
        ),
        Binding(
            "enter",
            "go_on",
            "Go on",
            tooltip="Go to the next line, and then on to the lane",
            id="enrol_go_on",
            priority=True,
        ),
    ]

    def __init__(self, enrol: Enrol, wording: Wording) -> None:
        super().__init__()
        self._enrol = enrol
        self._wording = wording
        self._busy = False
        self._done = False

    def compose(self) -> ComposeResult:
        """Lay out the two lines to type in, each under its name."""
        labels, write = self._wording.catalogue.texts.enrol, self._wording.write
        with VerticalScroll(id="sheet") as sheet:
            sheet.border_title = write(labels.title)
            yield Static(write(labels.text), id="lines", markup=False)
            yield Static(write(labels.server), classes="hint", markup=False)
            yield Input(placeholder=_SCHEME, id="server", max_length=_LONGEST_ADDRESS, compact=True)
            yield Static(write(labels.code), classes="hint", markup=False)
            yield Input(id="code", max_length=_LONGEST_CODE, compact=True)
            yield Static("", id="answer", markup=False)
            yield Static("", id="hint", classes="hint", markup=False)

    def on_mount(self) -> None:
        """Begin with the address."""
        for line in self.query(Input):
            line.cursor_blink = False
        self.set_focus(self.query_one("#server", Input))

    def on_descendant_focus(self) -> None:
        """Say what the keys do once they do it."""
        if not self._done:
            self.query_one("#hint", Static).update(self._wording.write(self._wording.catalogue.texts.enrol.hint))

    def action_go_on(self) -> None:
        """Go to the next line, ask the server once both are filled, or go on to the lane."""
        if self._done:
            _ = self.dismiss(True)
            return
        server, code = self.query_one("#server", Input), self.query_one("#code", Input)
        # At once, not when there is time: whoever types or pastes goes on typing. What was typed before is in the lines'
        # own queues, behind which the question has to wait.
        self.set_focus(code)
        server.call_later(code.call_later, self._consider)

    def _consider(self) -> None:
        server, code = (self.query_one(name, Input) for name in ("#server", "#code"))
        address, secret = server.value.strip(), code.value.strip()
        if not secret or self._busy or self._done:
            return
        if not address:
            self.set_focus(server)
            return
        self._busy = True
        self._say(self._wording.catalogue.texts.enrol.asking)
        self.run_worker(self._ask(address if "://" in address else _SCHEME + address, secret))

    def action_leave(self) -> None:
        """Leave; once enrolled, that is no different from going on another day."""
        _ = self.dismiss(False)

    async def _ask(self, server: str, code: str) -> None:
        labels = self._wording.catalogue.texts.enrol
        try:
            enrolled = await self._enrol(server, code)
        except TicketTokenError as problem:
            self._say(labels.refused.format(problem=problem))
            return
        finally:
            self._busy = False
        self._done = True
        self._say("\n".join(self._tell(enrolled)))
        self.query_one("#hint", Static).update(self._wording.write(labels.go_on))
        for line in self.query(Input):
            line.disabled = True
        self.set_focus(None)

    def _tell(self, enrolled: Enrolled) -> list[str]:
        labels, plain = self._wording.catalogue.texts.enrol, self._wording.plain
        told = labels.done.format(gate=plain(enrolled.gate, _NAME_COLUMNS), event=plain(enrolled.event, _NAME_COLUMNS))
        off_s = enrolled.clock_offset_s
        if abs(off_s) <= _CLOCK_WORTH_A_WORD_S:
            return [told]
        clock = labels.clock_ahead if off_s > 0 else labels.clock_behind
        return [told, clock.format(seconds=f"{abs(off_s):.0f}")]

    def _say(self, text: str) -> None:
        if self.is_mounted:
            lines = [self._wording.plain(line, _TELL_COLUMNS) for line in text.split("\n")]
            self.query_one("#answer", Static).update("\n".join(lines))


class EnrolApp(App[bool], inherit_bindings=False):
    """Runs until the machine is a gate or somebody leaves; returns which."""

    CSS_PATH = Path(__file__).with_name("gate.tcss")
    TITLE = "TicketToken Gate"
    ENABLE_COMMAND_PALETTE = False

    def __init__(self, enrol: Enrol, wording: Wording) -> None:
        super().__init__()
        self.register_theme(DOOR)
        self.theme = DOOR.name
        self._shown = EnrolScreen(enrol, wording)
        self._colour = wording.display.colour
        self.set_class(not wording.display.colour, "-colourless")
        self.set_class(not wording.display.unicode, "-ascii")

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Take every colour away where none is wanted."""
        filters = super().get_line_filters()
        return filters if self._colour else [*filters, NoColor()]

    async def on_mount(self) -> None:
        """Ask; a service manager may end it, too."""
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, self.exit)
        await self.push_screen(self._shown, self.exit)
