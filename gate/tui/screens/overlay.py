"""What is laid over the lane for a moment: help, the question before leaving, a typed code."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from gate.catalogue.labels import Labels
from gate.outcome import GateView
from gate.tui.cards import Wording
from gate.tui.pages import describe_night
from gate.tui.screens.page import GivesWay
from gate.tui.widgets.keybar import Key

_LONGEST_CODE = 4096


class HelpScreen(ModalScreen[None], GivesWay):
    """Lists every key there is, as it is bound now."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,f1,question_mark,q,space,enter", "dismiss", "Close", tooltip="Close the help", id="help_close")
    ]

    def __init__(self, keys: tuple[Key, ...], wording: Wording) -> None:
        super().__init__()
        self._keys = keys
        self._wording = wording

    def compose(self) -> ComposeResult:
        """Lay out one line a key."""
        labels = self._wording.catalogue.texts.labels
        width = max(len(key.keys) for key in self._keys)
        lines = [Content.assemble((key.keys.ljust(width + 2), "bold $primary"), key.help) for key in self._keys]
        with VerticalScroll(id="sheet") as sheet:
            sheet.border_title = self._wording.write(labels.help_title)
            yield Static(Content("\n").join(lines), id="lines")
            yield Static(self._wording.write(labels.help_close), classes="hint", markup=False)


class QuitScreen(ModalScreen[bool], GivesWay):
    """Asks before the lane is left; anything but a clear yes stays."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y,j", "leave", "Leave", tooltip="Leave the gate", id="quit_yes"),
        Binding("n,escape,q,ctrl+q,ctrl+c", "stay", "Stay", tooltip="Stay at the gate", id="quit_no", priority=True),
    ]

    def __init__(self, view: GateView, wording: Wording) -> None:
        super().__init__()
        self._view = view
        self._wording = wording

    def on_mount(self) -> None:
        """Say how the night went, and keep saying it."""
        self.account()
        self.set_interval(self._wording.display.status_every_s, self.account)

    def account(self) -> None:
        """Write what passed here and what is not handed over yet."""
        told = describe_night(self._view.info(), self._view.status(), self._wording)
        self.query_one("#night", Static).update("\n".join(told))

    def compose(self) -> ComposeResult:
        """Lay out the question and its two answers."""
        labels, write = self._wording.catalogue.texts.labels, self._wording.write
        yes = Content(write(labels.quit_yes)).stylize("@click=screen.leave")
        no = Content(write(labels.quit_no)).stylize("@click=screen.stay")
        with Vertical(classes="dialog") as dialog:
            dialog.border_title = write(labels.quit_title)
            yield Static(id="night", markup=False)
            yield Static(write(labels.quit_text), classes="hint", markup=False)
            yield Static(Content.assemble(yes, "     ", no), classes="hint")

    def action_leave(self) -> None:
        """Answer yes."""
        _ = self.dismiss(True)

    def action_stay(self) -> None:
        """Answer no."""
        _ = self.dismiss(False)


class CodeScreen(ModalScreen[str]):
    """Takes a typed or pasted code below the verdict; what is typed stays when somebody is scanned meanwhile."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "escape,ctrl+q,ctrl+c", "close", "Close", tooltip="Close without checking", id="code_close", priority=True
        )
    ]

    def __init__(self, wording: Wording) -> None:
        super().__init__()
        self._wording = wording

    def compose(self) -> ComposeResult:
        """Lay out the line to type in."""
        labels: Labels = self._wording.catalogue.texts.labels
        with Vertical(classes="dialog") as dialog:
            dialog.border_title = self._wording.write(labels.code_title)
            line = Input(max_length=_LONGEST_CODE, compact=True)
            line.cursor_blink = False
            yield line
            yield Static(self._wording.write(labels.code_hint), classes="hint", markup=False)

    def on_input_submitted(self, message: Input.Submitted) -> None:
        """Hand the code over as it is: it may begin with a blank."""
        _ = self.dismiss(message.value if message.value.strip() else "")

    def action_close(self) -> None:
        """Hand over nothing."""
        _ = self.dismiss("")
