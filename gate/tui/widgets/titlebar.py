"""The top line: which event and gate this is, whether the sound is off, and the time."""

from __future__ import annotations

from rich.cells import cell_len, set_cell_size
from textual.content import Content
from textual.reactive import reactive
from textual.widget import Widget


class TitleBar(Widget):
    """Shows the place on the left, shortened if need be, and the rest on the right."""

    place: reactive[str] = reactive("")
    notice: reactive[str] = reactive("")
    time: reactive[str] = reactive("")

    def render(self) -> Content:
        """Write both ends of the line."""
        right = "  ".join(part for part in (self.notice, self.time) if part)
        room = max(0, self.size.width - cell_len(right) - 2)
        left = set_cell_size(self.place, room)
        return Content.assemble((left, "bold"), "  ", (self.notice, "bold $attention"), right.removeprefix(self.notice))
