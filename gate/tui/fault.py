"""The gate out of order for good: its files are damaged or cannot be used, which stays on the screen until somebody has read it."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.filter import LineFilter, NoColor
from textual.screen import ModalScreen

from gate.catalogue.texts import Fault, FaultText, load_catalogue
from gate.heart import beating
from gate.tui.cards import Wording, describe_fault
from gate.tui.display import detect_display
from gate.tui.theme import DOOR
from gate.tui.widgets.verdict import VerdictPanel
from shared.problems import TicketTokenError

_LEAVE_AFTER_S = 15.0


class FaultScreen(ModalScreen[None]):
    """Covers the whole screen: guests must go elsewhere, and whoever repairs it reads what to do."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,q,ctrl+q,ctrl+c", "dismiss", "Quit", tooltip="End the program", id="fault_quit"),
    ]

    def __init__(self, told: FaultText, problem: TicketTokenError, wording: Wording) -> None:
        super().__init__()
        self._card = describe_fault(told, wording, str(problem))
        self._unicode = wording.display.unicode

    def compose(self) -> ComposeResult:
        """Lay out the word, the cause and what to do."""
        yield VerdictPanel(unicode=self._unicode)

    def on_mount(self) -> None:
        """Write the card."""
        self.query_one(VerdictPanel).card = self._card


class FaultApp(App[None], inherit_bindings=False):
    """Shows why a gate cannot even start, until somebody ends it or, unless its files are damaged, for a while.

    It ends then so that whoever starts it again and again finds out that the disk takes files again.
    """

    CSS_PATH = Path(__file__).with_name("gate.tcss")
    TITLE = "TicketToken Gate"
    ENABLE_COMMAND_PALETTE = False

    def __init__(
        self, told: FaultText, problem: TicketTokenError, wording: Wording, leave_after_s: float = _LEAVE_AFTER_S
    ) -> None:
        super().__init__()
        self._leave_after_s = None if problem.code == Fault.DAMAGED else leave_after_s
        self.register_theme(DOOR)
        self.theme = DOOR.name
        self._shown = FaultScreen(told, problem, wording)
        self._colour = wording.display.colour
        self.set_class(not wording.display.colour, "-colourless")
        self.set_class(not wording.display.unicode, "-ascii")

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Take every colour away where none is wanted."""
        filters = super().get_line_filters()
        return filters if self._colour else [*filters, NoColor()]

    async def on_mount(self) -> None:
        """Show it; a service manager may end it, too."""
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, self.exit)
        await self.push_screen(self._shown, lambda _: self.exit())
        if self._leave_after_s is not None:
            self.set_timer(self._leave_after_s, self.exit)


async def show_fault(problem: TicketTokenError, language: str) -> None:
    """Show a problem with the gate's files until somebody has read it; any other problem is not shown."""
    wording = Wording(catalogue=load_catalogue(language), display=detect_display(os.environ))
    told = wording.catalogue.fault(problem.code)
    if told is not None:
        with beating():
            await FaultApp(told, problem, wording).run_async()
