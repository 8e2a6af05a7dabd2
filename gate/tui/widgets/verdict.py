"""The panel that fills the screen: a word to be read from two metres, and under it what to know and to do."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.reactive import reactive
from textual.widget import Widget
from textual.widgets import Static

from gate.catalogue.texts import Tone
from gate.tui.cards import Card
from gate.tui.letters import draw_word


class BigWord(Widget):
    """A symbol and a word as large as the room allows."""

    card: reactive[Card | None] = reactive(None)

    def __init__(self, *, unicode: bool) -> None:
        super().__init__(id="word")
        self._unicode = unicode

    def render(self) -> Content:
        """Draw for the present size."""
        card = self.card
        if card is None:
            return Content("")
        width, height = self.size
        return Content("\n".join(draw_word(card.word, card.symbol, width, height, unicode=self._unicode)))


class VerdictPanel(Vertical):
    """Shows one card; its tone is a CSS class of the same name."""

    card: reactive[Card | None] = reactive(None)
    repeat: reactive[str] = reactive("")

    def __init__(self, *, unicode: bool) -> None:
        super().__init__(id="verdict")
        self._unicode = unicode

    def compose(self) -> ComposeResult:
        """Lay out the word above the lines; nothing a stranger wrote is read as markup."""
        yield BigWord(unicode=self._unicode)
        yield Static(id="headline", markup=False)
        yield Static(id="facts", markup=False)
        yield Static(id="name", markup=False)
        yield Static(id="ticket", markup=False)
        yield Static(id="action", markup=False)
        yield Static(id="repeat", markup=False)

    def watch_card(self, card: Card | None) -> None:
        """Show another card at once."""
        if card is None or not self.is_mounted:
            return
        for tone in Tone:
            self.set_class(tone is card.tone, f"-{tone}")
        self.query_one(BigWord).card = card
        self._write("headline", card.headline)
        self._write("facts", "\n".join(card.facts))
        self._write("name", card.name)
        self._write("ticket", card.ticket)
        self._write("action", card.action)

    def watch_repeat(self, repeat: str) -> None:
        """Show or take away the small line about a double read; its place is kept free, so nothing moves."""
        if self.is_mounted:
            self.query_one("#repeat", Static).update(repeat)

    def on_mount(self) -> None:
        """Show what was given before the parts existed."""
        self.watch_card(self.card)
        self.watch_repeat(self.repeat)

    def _write(self, part: str, text: str) -> None:
        line = self.query_one(f"#{part}", Static)
        line.update(text)
        line.display = bool(text)
