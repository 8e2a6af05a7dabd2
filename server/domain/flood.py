"""How much each gate may publish over the broker: so many messages and bytes at once, and more as time passes.

A broker has no limit of its own for what an account publishes. What is beyond these is dropped unread, which loses nothing: a gate
keeps its records until they are acknowledged. Each process counts for itself.
"""

from __future__ import annotations

from collections import OrderedDict
from uuid import UUID

from msgspec import Struct


class Allowance(Struct, frozen=True, kw_only=True):
    """How much at once, and how much more each second."""

    messages: int
    messages_per_s: float
    size: int
    """In bytes."""
    size_per_s: float


WORDS = Allowance(messages=240, messages_per_s=2, size=4 * 1024**2, size_per_s=16 * 1024)
"""A gate speaks every ten seconds, while its link is new every second."""

SCANS = Allowance(messages=1_000, messages_per_s=20, size=64 * 1024**2, size_per_s=1024**2)
"""After a night without a network there are many batches at once: 1000 hold 200,000 scans."""

CUT_AFTER = 2_000
"""Messages dropped in a row after which a gate's account is to be changed: it is broken or stolen, and fills the others' queue."""

_MOST_GATES = 10_000


class _Level(Struct, kw_only=True):
    messages: float
    size: float
    at_s: float
    dropped: int = 0


class FloodMeter:
    """Counts what gates publish; the gates that were silent longest are forgotten first."""

    def __init__(self, allowance: Allowance) -> None:
        self._allowance = allowance
        self._levels: OrderedDict[UUID, _Level] = OrderedDict()

    def take(self, gate: UUID, size: int, now_s: float) -> int:
        """Count a message of so many bytes; return how many of this gate's in a row were too much, 0 when this one is not."""
        level = self._refill(gate, now_s)
        if level.messages < 1 or level.size < size:
            level.dropped += 1
            return level.dropped
        level.messages -= 1
        level.size -= size
        level.dropped = 0
        return 0

    def _refill(self, gate: UUID, now_s: float) -> _Level:
        most = self._allowance
        level = self._levels.pop(gate, None) or _Level(messages=most.messages, size=most.size, at_s=now_s)
        passed_s = max(0.0, now_s - level.at_s)
        level.messages = min(most.messages, level.messages + passed_s * most.messages_per_s)
        level.size = min(most.size, level.size + passed_s * most.size_per_s)
        level.at_s = now_s
        self._levels[gate] = level
        if len(self._levels) > _MOST_GATES:
            self._levels.popitem(last=False)
        return level
