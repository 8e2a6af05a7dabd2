"""How many came, went and were sent away at this gate, and how fast it goes."""

from __future__ import annotations

from textual.content import Content
from textual.reactive import reactive
from textual.widget import Widget

from gate.tui.cards import Tally

_NUMBER_COLUMNS = 6


class Counters(Widget):
    """Shows every tally, two in a row, the number before its name."""

    tallies: reactive[tuple[Tally, ...]] = reactive(())

    def render(self) -> Content:
        """Write the numbers bold and right-aligned in their column."""
        width = self.size.width // 2
        parts: list[Content | tuple[str, str]] = []
        for index, tally in enumerate(self.tallies):
            column = self.size.width - width if index % 2 else width
            value = tally.value.rjust(_NUMBER_COLUMNS)
            parts.append((value, "bold"))
            parts.append((f" {tally.label}".ljust(column - len(value))[: column - len(value)], "$quiet"))
            if index % 2 and index + 1 < len(self.tallies):
                parts.append(("\n", ""))
        return Content.assemble(*parts)
