"""The gate's clock checked without a network: what genuine codes show, on average, is the true time."""

from __future__ import annotations

from collections import OrderedDict
from statistics import median

_REMEMBERED = 30
_FEWEST = 5


class ClockSelfCheck:
    """Remembers by how many seconds the last thirty genuine codes were ahead of this gate, one value for each ticket."""

    def __init__(self) -> None:
        self._skews_s: OrderedDict[bytes, int] = OrderedDict()

    def note(self, ticket: bytes, skew_s: int) -> None:
        """Count a genuine code; one ticket shown many times counts once, or a single stale picture would decide."""
        self._skews_s.pop(ticket, None)
        self._skews_s[ticket] = skew_s
        if len(self._skews_s) > _REMEMBERED:
            self._skews_s.popitem(last=False)

    def offset_s(self) -> float | None:
        """Return this gate's clock minus the true time, None while too few codes were seen."""
        if len(self._skews_s) < _FEWEST:
            return None
        return -float(median(self._skews_s.values()))
