"""One question with a few answers, laid below the verdict: a digit, the arrows or the mouse choose."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.reactive import reactive
from textual.screen import ModalScreen
from textual.style import Style
from textual.widgets import Static

from gate.tui.cards import Wording

NOTHING = -1
MOST = 9


class ChoiceScreen(ModalScreen[int]):
    """Returns the index of the chosen line, or ``NOTHING``; a scan does not close it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "move(-1)", "Up", tooltip="The line above", id="choice_up"),
        Binding("down", "move(1)", "Down", tooltip="The line below", id="choice_down"),
        Binding("enter", "take", "Choose", tooltip="Choose this line", id="choice_take"),
        Binding("escape,ctrl+q,ctrl+c,q", "close", "Close", tooltip="Choose nothing", id="choice_close", priority=True),
        *(
            Binding(str(digit), f"pick({digit - 1})", str(digit), tooltip=f"Choose line {digit}", id=f"choice_{digit}")
            for digit in range(1, MOST + 1)
        ),
    ]
    at: reactive[int] = reactive(0)

    def __init__(self, title: str, lines: tuple[str, ...], wording: Wording) -> None:
        super().__init__()
        self._title = title
        self._lines = lines[:MOST]
        self._wording = wording

    def compose(self) -> ComposeResult:
        """Lay out one line an answer."""
        write = self._wording.write
        with Vertical(classes="dialog") as dialog:
            dialog.border_title = write(self._title).replace("[", "(")
            yield Static(id="choices", markup=False)
            yield Static(write(self._wording.catalogue.texts.staff.choice_hint), classes="hint", markup=False)

    def on_mount(self) -> None:
        """Show the lines."""
        self._write()

    def watch_at(self) -> None:
        """Mark the line that Enter would choose."""
        if self.is_mounted:
            self._write()

    def action_move(self, by: int) -> None:
        """Go up or down, round and round."""
        self.at = (self.at + by) % len(self._lines)

    def action_take(self) -> None:
        """Choose the marked line."""
        _ = self.dismiss(self.at)

    def action_pick(self, index: int) -> None:
        """Choose a line by its number; one that is not there chooses nothing."""
        if index in self._indices:
            _ = self.dismiss(index)

    def action_close(self) -> None:
        """Choose nothing."""
        _ = self.dismiss(NOTHING)

    def _write(self) -> None:
        lines = Content("\n").join(self._draw(index) for index in self._indices)
        self.query_one("#choices", Static).update(lines)

    @property
    def _indices(self) -> range:
        return range(len(self._lines))

    def _draw(self, index: int) -> Content:
        marked = index == self.at
        mark = (">" if not self._wording.display.unicode else "▸") if marked else " "
        line = Content.assemble(
            (f"{mark} {index + 1}  ", "bold $primary"),
            (self._wording.write(self._lines[index]), "bold" if marked else ""),
        )
        return line.stylize(Style.from_meta({"@click": f"screen.pick({index})"}))
