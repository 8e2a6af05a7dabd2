"""How long ago this gate let somebody pass, however its wall clock was set since."""

from __future__ import annotations

from collections import OrderedDict

from shared.clock import Clock, unix_ms
from shared.ids import ScanId
from shared.sync.scan import ScanRecord

_REMEMBERED = 2000
"""More than pass one gate in a quarter of an hour."""

_SLACK_MS = 5_000


class Ages:
    """Remembers by the counter that nobody can set when records of this run were written."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._written_s: OrderedDict[ScanId, float] = OrderedDict()

    def note(self, record: ScanRecord) -> None:
        """Remember a record that was just written."""
        self._written_s[record.scan] = self._clock.monotonic()
        if len(self._written_s) > _REMEMBERED:
            self._written_s.popitem(last=False)

    def age_ms(self, record: ScanRecord) -> int | None:
        """Return how old a record is at least, None where a clock that was set back leaves nobody able to say.

        The wall time counts even where the counter says less: every node compares the records' own times.
        """
        by_wall = unix_ms(self._clock.now()) - record.at_ms
        written_s = self._written_s.get(record.scan)
        if written_s is not None:
            return max(by_wall, round((self._clock.monotonic() - written_s) * 1000))
        return by_wall if by_wall >= -_SLACK_MS else None
