"""Which openings of a turnstile nobody has gone through yet, and what follows from what it says of them."""

from __future__ import annotations

from msgspec import Struct
from msgspec.structs import replace

from shared.ids import ScanId

FRESH_S = 60.0
"""How long after an opening a turnstile may say that nobody used it: later than that it talks of something else."""

MOST_UNUSED = 3
"""So many in a row with nobody going through are believed; guests turn back one at a time, broken contacts do so always."""

_MOST_WAITING = 64


class Opening(Struct, frozen=True, kw_only=True):
    """An opening for a record of the log; it is ``certain`` which one was not used where no other stood open with it."""

    gate_seq: int
    scan: ScanId
    at_s: float
    certain: bool = True


class Openings:
    """Openings in their order; where a device does not say which it means, it means the oldest."""

    def __init__(self) -> None:
        self._waiting: dict[int, Opening] = {}
        self._unused_in_a_row = 0

    @property
    def is_doubtful(self) -> bool:
        """Whether so many openings in a row were said to be unused that the device cannot be believed."""
        return self._unused_in_a_row > MOST_UNUSED

    def add(self, gate_seq: int, scan: ScanId, now_s: float) -> None:
        """Note an opening; with others still open, nobody can say whose turn it is."""
        self._waiting = {
            number: replace(one, certain=False) for number, one in self._waiting.items() if now_s - one.at_s <= FRESH_S
        }
        if len(self._waiting) >= _MOST_WAITING:
            del self._waiting[min(self._waiting)]
        self._waiting[gate_seq] = Opening(gate_seq=gate_seq, scan=scan, at_s=now_s, certain=not self._waiting)

    def forget(self, gate_seq: int) -> None:
        """Note that it did not open."""
        self._waiting.pop(gate_seq, None)

    def turned(self, named: int | None) -> Opening | None:
        """Note that somebody went through; return by which opening, None where none stood open."""
        self._unused_in_a_row = 0
        return self._take(named)

    def unused(self, named: int | None, now_s: float) -> Opening | None:
        """Note that nobody went through; return the opening, None where none is known that is young enough."""
        opening = self._take(named)
        if opening is None or now_s - opening.at_s > FRESH_S:
            return None
        self._unused_in_a_row += 1
        return opening if named is None else replace(opening, certain=True)

    def _take(self, named: int | None) -> Opening | None:
        number = named if named is not None else min(self._waiting, default=None)
        return None if number is None else self._waiting.pop(number, None)
