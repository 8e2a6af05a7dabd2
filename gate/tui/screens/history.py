"""The last records of this gate, how each ended, and the way to put one right."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import OptionList, Static

from gate.catalogue.texts import Tone
from gate.staff import Past
from gate.tui.cards import Wording
from gate.tui.past import describe_past, describe_record, describe_remedy
from gate.tui.screens.page import GivesWay

_INK = {Tone.GOOD: "$good", Tone.ATTENTION: "$attention", Tone.BAD: "$error", Tone.NEUTRAL: "$quiet"}


class HistoryScreen(ModalScreen[Past | None], GivesWay):
    """Returns the record that somebody wants to put right, or nothing."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,h,q,space,ctrl+q,ctrl+c", "close", "Close", tooltip="Go back to scanning", id="history_close")
    ]

    def __init__(self, records: tuple[Past, ...], wording: Wording) -> None:
        super().__init__()
        self._records = records
        self._wording = wording
        self._marked = 0
        self._now = wording.display.clock.now()

    def compose(self) -> ComposeResult:
        """Lay out the list above all that is known of the marked line."""
        labels, write = self._wording.catalogue.texts.staff, self._wording.write
        with Vertical(id="history") as sheet:
            sheet.border_title = write(labels.history_title)
            yield OptionList(*(self._draw(index) for index in range(len(self._records))), id="records")
            yield Static(write(labels.history_none) if not self._records else "", id="record", markup=False)
            yield Static(write(labels.history_hint), classes="hint", markup=False)

    def on_mount(self) -> None:
        """Mark the newest line."""
        self.query_one(OptionList).focus()

    def on_option_list_option_highlighted(self, message: OptionList.OptionHighlighted) -> None:
        """Tell all of the marked record."""
        before, self._marked = self._marked, message.option_index
        for index in {before, self._marked}:
            message.option_list.replace_option_prompt_at_index(index, self._draw(index))
        past = self._records[self._marked]
        lines = [Content(line) for line in describe_record(past, self._now, self._wording)]
        remedy = describe_remedy(past.remedy, self._wording)
        if remedy:
            lines.append(Content.styled(remedy, "bold $primary").stylize("@click=screen.take"))
        self.query_one("#record", Static).update(Content("\n").join(lines))

    def on_option_list_option_selected(self, message: OptionList.OptionSelected) -> None:
        """Hand over the chosen record, if anything can be done about it."""
        self._take(message.option_index)

    def action_take(self) -> None:
        """Hand over the marked record."""
        marked = self.query_one(OptionList).highlighted
        if marked is not None:
            self._take(marked)

    def action_close(self) -> None:
        """Go back to scanning."""
        _ = self.dismiss(None)

    def _take(self, index: int) -> None:
        if self._records[index].remedy is not None:
            _ = self.dismiss(self._records[index])

    def _draw(self, index: int) -> Content:
        line = describe_past(self._records[index], self._now, self._wording)
        # A sign as well as a colour: there may be none.
        mark = " " if index != self._marked else "▸" if self._wording.display.unicode else ">"
        ending = (f"  {line.ending}", "bold") if line.ending else ("", "")
        return Content.assemble(
            (f"{mark} ", "bold $primary"), (f"{line.time} ", "$quiet"), (line.answer, _INK[line.tone]), ending
        )
