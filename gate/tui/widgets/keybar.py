"""The bottom line: what the keys do, for the hand on the keyboard and the hand on the mouse."""

from __future__ import annotations

from msgspec import Struct
from textual.content import Content
from textual.reactive import reactive
from textual.screen import Screen
from textual.style import Style
from textual.widget import Widget

from gate.catalogue.texts import KeyId
from gate.tui.cards import Wording


class Key(Struct, frozen=True, kw_only=True):
    """One entry: the key as people write it, what it does in a word, and the action a click starts."""

    id: KeyId
    keys: str
    name: str
    action: str
    help: str


SHORT = (KeyId.CODE, KeyId.PEEK, KeyId.STAFF, KeyId.HISTORY, KeyId.CLEAR, KeyId.HELP, KeyId.QUIT)
"""What fits the bottom line of eighty columns; the help has all."""


def list_keys(screen: Screen[None], wording: Wording) -> tuple[Key, ...]:
    """Return a screen's keys as they are bound now, in the catalogue's order and language."""
    bound: dict[str, list[str]] = {}
    actions: dict[str, str] = {}
    for active in screen.active_bindings.values():
        name, action = active.binding.id or "", active.binding.action
        bound.setdefault(name, []).append(screen.app.get_key_display(active.binding))
        actions[name] = action if "." in action else f"screen.{action}"
    texts, write = wording.catalogue.texts.keys, wording.write
    return tuple(
        Key(
            id=key,
            keys=", ".join(sorted(bound[key], key=_with_control_last)),
            name=write(texts[key].name),
            help=write(texts[key].help),
            action=actions[key],
        )
        for key in KeyId
        if key in bound
    )


def _with_control_last(key: str) -> bool:
    return key.startswith("^")


class KeyBar(Widget):
    """Shows the keys in order; a click on an entry does the same as the key."""

    keys: reactive[tuple[Key, ...]] = reactive(())

    def render(self) -> Content:
        """Write each key before its name."""
        return Content("  ").join([self._entry(key) for key in self.keys if key.id in SHORT])

    def watch_keys(self, keys: tuple[Key, ...]) -> None:
        """Explain the keys to a mouse that rests on the line."""
        self.tooltip = "\n".join(f"{key.keys}: {key.help}" for key in keys) or None

    def _entry(self, key: Key) -> Content:
        click = Style.from_meta({"@click": key.action})
        first_key = key.keys.split(", ")[0]
        return Content.assemble((first_key, "bold $primary"), " ", key.name).stylize(click)
