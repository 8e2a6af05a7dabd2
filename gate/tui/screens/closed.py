"""The lane that is out of order for a while: large enough for guests to see that they must go elsewhere."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen
from textual.widgets import Static

from gate.catalogue.texts import Tone, Word
from gate.tui.cards import Card, Wording
from gate.tui.widgets.verdict import VerdictPanel


class ClosedScreen(ModalScreen[None]):
    """Covers the whole screen until somebody opens the lane again."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "dismiss", "Open", tooltip="Open the lane again", id="closed_open"),
        Binding(
            "q,ctrl+q,ctrl+c", "app.quit", "Quit", tooltip="Leave the gate after asking once more", id="closed_quit"
        ),
    ]

    def __init__(self, wording: Wording) -> None:
        super().__init__()
        self._wording = wording

    def compose(self) -> ComposeResult:
        """Lay out the word and what to do."""
        yield VerdictPanel(unicode=self._wording.display.unicode)
        yield Static(id="keys", markup=False)

    def on_mount(self) -> None:
        """Write the card."""
        texts, write = self._wording.catalogue.texts, self._wording.write
        word = texts.words[Word.CLOSED]
        self.query_one(VerdictPanel).card = Card(
            tone=Tone.BAD,
            symbol=self._wording.catalogue.mark(Tone.BAD, unicode=True),
            word=word,
            headline=write(f"{self._wording.mark(Tone.BAD)} {word}: {texts.staff.closed_text}"),
            action=write(texts.staff.closed_action),
        )
