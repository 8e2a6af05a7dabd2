"""The line that always says how the gate stands to the server, how old its data is and how long its keys last."""

from __future__ import annotations

from textual.content import Content
from textual.reactive import reactive
from textual.widget import Widget

from gate.catalogue.texts import Tone
from gate.tui.badge import Part

_INK = {Tone.GOOD: "bold $good", Tone.ATTENTION: "bold $attention", Tone.BAD: "bold $error", Tone.NEUTRAL: ""}


class LinkBadge(Widget):
    """Shows the badge's parts side by side."""

    parts: reactive[tuple[Part, ...]] = reactive(())

    def render(self) -> Content:
        """Write the parts with room between them."""
        return Content("  ").join([Content.styled(part.text, _INK[part.tone]) for part in self.parts])
