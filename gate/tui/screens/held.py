"""What the organiser has shown at the gate: that it is out of order, and why; and texts for its staff."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Static

from gate.catalogue.texts import Tone, Word
from gate.orders import StaffNotice
from gate.tui.cards import Card, Wording
from gate.tui.screens.page import GivesWay
from gate.tui.widgets.verdict import VerdictPanel
from shared.clock import from_unix_ms

_COLUMNS = 200


class HeldScreen(ModalScreen[None]):
    """Covers the whole screen until the organiser lets the gate go on; nobody here can."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q,ctrl+q,ctrl+c", "app.quit", "Quit", tooltip="Leave the gate after asking once more", id="held_quit"),
    ]

    def __init__(self, reason: str, wording: Wording) -> None:
        super().__init__()
        self.reason = reason
        self._wording = wording

    def compose(self) -> ComposeResult:
        """Lay out the word and what to do."""
        yield VerdictPanel(unicode=self._wording.display.unicode)
        yield Static(id="keys", markup=False)

    def on_mount(self) -> None:
        """Write the card."""
        texts, wording = self._wording.catalogue.texts, self._wording
        word = texts.words[Word.CLOSED]
        self.query_one(VerdictPanel).card = Card(
            tone=Tone.BAD,
            symbol=wording.catalogue.mark(Tone.BAD, unicode=True),
            word=word,
            headline=f"{wording.mark(Tone.BAD)} {wording.plain(self.reason, _COLUMNS)}",
            action=wording.write(texts.staff.held_action),
        )


class NoticeScreen(ModalScreen[bool], GivesWay):
    """A text for the staff, below the verdict; it comes again until somebody says that it was read."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,space", "read", "Read", tooltip="Put the message away", id="notice_read"),
        Binding(
            "q,ctrl+q,ctrl+c", "app.quit", "Quit", tooltip="Leave the gate after asking once more", id="notice_quit"
        ),
    ]

    def __init__(self, notice: StaffNotice, wording: Wording) -> None:
        super().__init__()
        self._notice = notice
        self._wording = wording

    def compose(self) -> ComposeResult:
        """Lay out the text."""
        staff, wording = self._wording.catalogue.texts.staff, self._wording
        now = wording.display.clock.now()
        at = wording.time(from_unix_ms(self._notice.at_ms), today=now)
        with Vertical(classes="dialog") as dialog:
            dialog.border_title = wording.write(staff.notice_title.format(time=at))
            yield Static(wording.plain(self._notice.text, _COLUMNS), id="notice", markup=False)
            yield Static(wording.write(staff.notice_hint), classes="hint", markup=False)

    def action_read(self) -> None:
        """Say that it was read."""
        _ = self.dismiss(True)
