"""The bottom line: what the keys do, for the hand on the keyboard and the hand on the mouse."""

from __future__ import annotations

from msgspec import Struct
from textual.content import Content
from textual.reactive import reactive
from textual.style import Style
from textual.widget import Widget


class Key(Struct, frozen=True, kw_only=True):
    """One entry: the key as people write it, what it does in a word, and the action a click starts."""

    keys: str
    name: str
    action: str
    help: str


class KeyBar(Widget):
    """Shows the keys in order; a click on an entry does the same as the key."""

    keys: reactive[tuple[Key, ...]] = reactive(())

    def render(self) -> Content:
        """Write each key before its name."""
        return Content("  ").join([self._entry(key) for key in self.keys])

    def watch_keys(self, keys: tuple[Key, ...]) -> None:
        """Explain the keys to a mouse that rests on the line."""
        self.tooltip = "\n".join(f"{key.keys}: {key.help}" for key in keys) or None

    def _entry(self, key: Key) -> Content:
        click = Style.from_meta({"@click": key.action})
        first_key = key.keys.split(", ")[0]
        return Content.assemble((first_key, "bold $primary"), " ", key.name).stylize(click)
