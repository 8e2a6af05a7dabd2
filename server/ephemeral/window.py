"""A sliding window of calls in slices: at most the limit in any stretch of the window's length, in little memory.

The window is cut into twenty slices of the store's clock, and a slice counts until its last possible call has left the window.
So the limit is never exceeded, and a call comes back at most one slice late. The Lua script of the Redis store does the same.
"""

from __future__ import annotations

from collections import OrderedDict
from itertools import accumulate

from server.services.ports_ephemeral import Allowance, Limit

SLICES = 20

_MOST_KEYS = 20_000


def slice_ms(limit: Limit) -> int:
    """Return the length of one slice in milliseconds, rounded up."""
    return -(-limit.window_ms // SLICES)


class SlidingWindows:
    """The calls of many keys; the key that was quiet longest is forgotten first when there are too many."""

    def __init__(self, *, most_keys: int = _MOST_KEYS) -> None:
        self._most_keys = most_keys
        self._keys: OrderedDict[str, dict[int, int]] = OrderedDict()

    def take(self, key: str, limit: Limit, now_ms: int) -> Allowance:
        """Count one call, unless it is one too many."""
        length = slice_ms(limit)
        # A limit that was changed starts anew, because its slices have another length.
        slices = self._keys.setdefault(f"{key}:{limit.calls}:{limit.window_ms}", {})
        self._keys.move_to_end(f"{key}:{limit.calls}:{limit.window_ms}")
        while len(self._keys) > self._most_keys:
            self._keys.popitem(last=False)
        oldest = (now_ms - limit.window_ms) // length
        for gone in [one for one in slices if one < oldest]:
            del slices[gone]
        allowed = sum(slices.values()) < limit.calls
        if allowed:
            here = now_ms // length
            slices[here] = slices.get(here, 0) + 1
        return _allowance(slices, limit, now_ms, allowed=allowed)


def _allowance(slices: dict[int, int], limit: Limit, now_ms: int, *, allowed: bool) -> Allowance:
    length = slice_ms(limit)
    used = sum(slices.values())
    times = sorted(slices)
    leaves_ms = [(one + 1) * length + limit.window_ms - now_ms for one in times]
    freed = accumulate(slices[one] for one in times)
    enough = [ms for ms, free in zip(leaves_ms, freed, strict=True) if used - free < limit.calls]
    return Allowance(
        allowed=allowed,
        remaining=limit.calls - used,
        retry_s=0.0 if used < limit.calls else enough[0] / 1000,
        reset_s=leaves_ms[-1] / 1000,
    )
