"""One report per showing: a code that stays in view is not reported again."""

from __future__ import annotations

HOLD_S = 2.5
"""Seconds a code must have been out of sight before it counts as shown again."""


class Debounce:
    """Remembers which texts are in view; the hold begins anew each time a text is seen."""

    def __init__(self, hold_s: float = HOLD_S) -> None:
        self._hold_s = hold_s
        self._last_seen_s: dict[str, float] = {}

    @property
    def remembered(self) -> int:
        """Number of texts that count as in view."""
        return len(self._last_seen_s)

    def is_new(self, text: str, now_s: float) -> bool:
        """Note that a text is in view at this monotonic second; return True when it was not just before."""
        self._forget_gone(now_s)
        known = text in self._last_seen_s
        self._last_seen_s[text] = now_s
        return not known

    def _forget_gone(self, now_s: float) -> None:
        gone = [text for text, seen_s in self._last_seen_s.items() if now_s - seen_s >= self._hold_s]
        for text in gone:
            del self._last_seen_s[text]
