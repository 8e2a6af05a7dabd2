"""A page of names and values that is kept fresh while it is looked at."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from msgspec import Struct
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from gate.tui.cards import Wording


class GivesWay:
    """Marks a screen that closes itself when somebody is scanned: a guest goes before a question."""


class Line(Struct, frozen=True, kw_only=True):
    """One line of a page: what it is, and how it is now."""

    name: str
    value: str


class PageScreen(ModalScreen[None], GivesWay):
    """Asks for its lines again and again."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "escape,enter,space,q,i,n,ctrl+q,ctrl+c", "dismiss", "Close", tooltip="Go back to scanning", id="page_close"
        )
    ]

    def __init__(self, title: str, describe: Callable[[], tuple[Line, ...]], wording: Wording) -> None:
        super().__init__()
        self._title = title
        self._describe = describe
        self._wording = wording

    def compose(self) -> ComposeResult:
        """Lay out the lines."""
        with VerticalScroll(id="sheet") as sheet:
            sheet.border_title = self._wording.write(self._title)
            yield Static(id="lines", markup=False)
            yield Static(
                self._wording.write(self._wording.catalogue.texts.staff.page_hint), classes="hint", markup=False
            )

    def on_mount(self) -> None:
        """Show the lines and keep them fresh."""
        self.refresh_lines()
        self.set_interval(self._wording.display.status_every_s, self.refresh_lines)

    def refresh_lines(self) -> None:
        """Ask for the lines."""
        lines = self._describe()
        width = max(len(line.name) for line in lines) + 2
        write = self._wording.write
        drawn = [Content.assemble((write(line.name).ljust(width), "$quiet"), write(line.value)) for line in lines]
        self.query_one("#lines", Static).update(Content("\n").join(drawn))
