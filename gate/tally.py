"""How many people passed: what this gate did, and how many are known to be inside."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Mapping
from typing import Protocol

from gate.outcome import Counts
from gate.ports import LogCount, LogHead, OwnBody, RecordKind
from shared.admission.verdict import Direction
from shared.ids import GateId, ScanId

_RATE_WINDOW_MS = 5 * 60 * 1000


class CountedLog(Protocol):
    """What counting needs of the log."""

    async def head(self) -> LogHead:
        """Return where the log ends."""
        ...

    async def count(self) -> list[LogCount]:
        """Return how many scans the log holds, by answer and direction."""
        ...

    async def admitted_scans(self) -> set[ScanId]:
        """Return the ids of all scans with which this log lets somebody pass."""
        ...

    async def recent_times_ms(self, since_ms: int) -> list[int]:
        """Return when the last scans happened."""
        ...


class CountedWorld(Protocol):
    """What counting needs of the copy."""

    async def count_bodies(self, own: GateId) -> dict[GateId, int]:
        """Return entries minus exits of each other gate."""
        ...

    async def own_bodies(self, own: GateId) -> list[OwnBody]:
        """Return the admissions of this very gate that the server told."""
        ...


class Tally:
    """Counts kept up to date without asking the disk."""

    def __init__(self, counts: Iterable[LogCount] = (), recent_ms: Iterable[int] = ()) -> None:
        self._admitted = self._exited = self._refused = 0
        for part in counts:
            self._add(part)
        self._recent_ms = deque(recent_ms)
        self._elsewhere: Counter[GateId] = Counter()

    def note_record(self, at_ms: int, record: LogCount) -> None:
        """Count one record of this gate."""
        self._add(record)
        if record.kind is RecordKind.SCAN:
            self._recent_ms.append(at_ms)

    def note_elsewhere(self, gate: GateId, direction: Direction, *, undone: bool = False) -> None:
        """Count a passage that this gate's log does not hold, or one that was taken back there."""
        self._elsewhere[gate] += _bodies(direction, undone=undone)

    def set_elsewhere(self, bodies: Mapping[GateId, int]) -> None:
        """Replace what is known of the other gates."""
        self._elsewhere = Counter(bodies)

    def bodies(self, own: GateId) -> dict[GateId, int]:
        """Return entries minus exits of each gate, this one's under its own name."""
        found = dict(self._elsewhere)
        found[own] = found.get(own, 0) + self._admitted - self._exited
        return found

    @property
    def behind(self) -> int:
        """How many people this gate let in and has not let out, never below zero."""
        return max(0, self._admitted - self._exited)

    @property
    def inside(self) -> int:
        """How many people are known to be inside, never below zero."""
        return max(0, self._admitted - self._exited + sum(self._elsewhere.values()))

    def counts(self, now_ms: int) -> Counts:
        """Return what this gate did; the rate is scans a minute over the last five minutes."""
        while self._recent_ms and self._recent_ms[0] < now_ms - _RATE_WINDOW_MS:
            self._recent_ms.popleft()
        per_minute = len(self._recent_ms) / (_RATE_WINDOW_MS / 60_000)
        return Counts(
            admitted=self._admitted, exited=self._exited, refused=self._refused, per_minute=round(per_minute, 1)
        )

    def _add(self, part: LogCount) -> None:
        if part.kind is RecordKind.STAFF:
            return
        if part.kind is RecordKind.SCAN and not part.admitted:
            self._refused += part.scans
            return
        people = part.scans if part.kind is RecordKind.SCAN else -part.scans
        if part.direction is Direction.EXIT:
            self._exited += people
        else:
            self._admitted += people


async def count_all(log: CountedLog, world: CountedWorld, gate: GateId, now_ms: int) -> Tally:
    """Return the counts from what is on the disk."""
    tally = Tally(await log.count(), await log.recent_times_ms(now_ms - _RATE_WINDOW_MS))
    tally.set_elsewhere(await count_elsewhere(log, world, gate))
    return tally


async def count_elsewhere(log: CountedLog, world: CountedWorld, gate: GateId) -> dict[GateId, int]:
    """Return entries minus exits, by gate, that this gate's log does not hold: other gates', and its own from a lost log."""
    bodies = await world.count_bodies(gate)
    told = await world.own_bodies(gate)
    if not told:
        return bodies
    mine = await log.admitted_scans()
    lost = [body for body in told if body.scan not in mine]
    return bodies | {gate: sum(_bodies(body.direction, undone=body.undone) for body in lost)}


def _bodies(direction: Direction, *, undone: bool) -> int:
    return -1 if (direction is Direction.EXIT) is not undone else 1
