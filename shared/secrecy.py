"""Structs whose content must never show, not even in a traceback or a debugger's view."""

from __future__ import annotations

from typing import Any

from msgspec import Struct


class Reticent(Struct, frozen=True):
    """A struct that prints its name alone, or with what ``__rich_repr__`` lets out.

    Rich, which draws tracebacks and terminal screens, asks for ``__rich_repr__`` and would pass by ``__repr__``: one of
    the two therefore speaks for both.
    """

    def __repr__(self) -> str:
        """Name the kind and what may be known of it."""
        shown = ", ".join(f"{name}={value}" for name, value in self.__rich_repr__())
        return f"{type(self).__name__}({shown or '...'})"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        """Give nothing away."""
        return []
