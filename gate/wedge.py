"""Tells a reader that types what it reads (a keyboard wedge) from a person at the same keyboard, by the time between keys.

A reader sends a code as keys that follow one another within milliseconds and ends it with Enter; nobody types like that. So
each key that writes something is held back for a moment: alone, it is a person's and does what it always does; followed at
once by others, it is part of a code and does nothing by itself.
"""

from __future__ import annotations

from typing import Generic, TypeVar

from msgspec import Struct

KeyT = TypeVar("KeyT")
_ENDS = frozenset({"enter", "ctrl+j", "tab"})
_SHORTEST_CODE = 2
_SHORTEST_TORN = 4
"""From how many fast keys on it was a reader even without an end: two may come from two fingers at once."""

_LONGEST = 4096


class WedgeTimes(Struct, frozen=True, kw_only=True):
    """Seconds: keys at most ``gap_s`` apart are a reader's; one that has begun may pause for ``pause_s``."""

    gap_s: float = 0.05
    pause_s: float = 0.5


class Freed(Struct, Generic[KeyT], frozen=True, kw_only=True, eq=False):
    """Keys about which it is clear now whose they are: a reader's if ``fast``, else a person's.

    ``code`` is what a reader read; where it is None, its keys were torn off before their end came.
    """

    keys: tuple[KeyT, ...]
    fast: bool = False
    code: str | None = None


class Wedge(Generic[KeyT]):
    """Holds keys back until it is clear whose they are. Times are monotonic seconds."""

    def __init__(self, times: WedgeTimes) -> None:
        self._times = times
        self._held: list[KeyT] = []
        self._text = ""
        self._last_s = 0.0
        self._ended_s: float | None = None

    def press(self, key: KeyT, name: str, text: str | None, at_s: float) -> list[Freed[KeyT]]:
        """Take a key called ``name`` that writes ``text``, if anything; return what is clear now, oldest first."""
        freed = self.look(at_s)
        if text is not None and len(text) == 1 and text.isprintable():
            self._held.append(key)
            self._text += text
            self._last_s, self._ended_s = at_s, None
            return freed + (self._let_go() if len(self._held) >= _LONGEST else [])
        if name in _ENDS:
            return freed + self._end(key, at_s)
        return [*freed, *self._let_go(), Freed(keys=(key,))]

    def look(self, now_s: float) -> list[Freed[KeyT]]:
        """Return what has become clear by nothing more having come."""
        due_s = self.due_s
        return self._let_go() if due_s is not None and now_s > due_s else []

    @property
    def due_s(self) -> float | None:
        """After which second ``look`` lets go of what is held; None while nothing is."""
        if not self._held:
            return None
        return self._last_s + (self._times.pause_s if self._is_reader else self._times.gap_s)

    @property
    def _is_reader(self) -> bool:
        # A key that is held down repeats as fast as a reader types, and is always the same.
        return len(self._held) >= _SHORTEST_TORN and len(set(self._text)) > 1

    def _end(self, key: KeyT, at_s: float) -> list[Freed[KeyT]]:
        if not self._held and self._ended_s is not None and at_s <= self._ended_s + self._times.gap_s:
            return []  # a reader that ends with two keys, as some are set to
        if len(self._held) < _SHORTEST_CODE or len(set(self._text)) == 1:
            return [*self._let_go(), Freed(keys=(key,))]
        keys, code = (*self._held, key), _as_printed(self._text)
        self._held, self._text, self._ended_s = [], "", at_s
        return [Freed(keys=keys, fast=True, code=code)]

    def _let_go(self) -> list[Freed[KeyT]]:
        if not self._held:
            return []
        fast = len(self._held) >= _SHORTEST_TORN
        keys, self._held, self._text = tuple(self._held), [], ""
        return [Freed(keys=keys, fast=fast)]


def _as_printed(text: str) -> str:
    """Return a code as it was before a keyboard's Caps Lock turned it over: no ticket's code has small letters."""
    return text.upper() if text == text.lower() else text
