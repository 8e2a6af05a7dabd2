"""The last scans, newest first, each told apart by its symbol as well as its colour."""

from __future__ import annotations

from textual.content import Content
from textual.reactive import reactive
from textual.widget import Widget

from gate.catalogue.texts import Tone
from gate.tui.cards import Row

_INK = {Tone.GOOD: "$good", Tone.ATTENTION: "$attention", Tone.BAD: "$error", Tone.NEUTRAL: "$quiet"}
_LABEL_COLUMNS = 12


class RecentScans(Widget):
    """Shows as many scans as there is room for: time, symbol, reason and the beginning of the code's id."""

    rows: reactive[tuple[Row, ...]] = reactive(())
    caption: reactive[str] = reactive("")
    empty: reactive[str] = reactive("")

    def watch_caption(self, caption: str) -> None:
        """Write the caption into the frame."""
        self.border_title = caption

    def render(self) -> Content:
        """Write one line a scan."""
        if not self.rows:
            return Content.styled(self.empty, "$quiet")
        lines = [self._line(row) for row in self.rows[: self.size.height]]
        return Content("\n").join(lines)

    def _line(self, row: Row) -> Content:
        room = self.size.width - len(row.time) - _LABEL_COLUMNS - 4
        label = row.label[:_LABEL_COLUMNS].ljust(_LABEL_COLUMNS)
        return Content.assemble(
            (f"{row.time} ", "$quiet"),
            (f"{row.mark} {label} ", _INK[row.tone]),
            (row.code_id[: max(0, room)], "$quiet"),
        )
