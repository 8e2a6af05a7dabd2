"""In which order one ticket's passages may have happened, where the clocks of their gates differ.

A gate says within how many milliseconds its time is right, so a passage was somewhere within a span. What is certain: a gate's
own log is in order, and of two spans that do not overlap one was first. Everything else may have been either way round.

All functions look at a set: the order in which passages are given makes no difference, for they sort by the ledger's key.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import accumulate

from msgspec import Struct

Key = tuple[int, bytes, int, bytes]


class Span(Struct, frozen=True, kw_only=True):
    """A passage as far as clocks can tell: through which gate, its place in the ledger, and from when until when it may have been.

    Times are milliseconds since 1970 and belong to the span. ``inward`` tells an entry from an exit.
    """

    gate: bytes
    key: Key
    inward: bool
    first_ms: int
    last_ms: int


class Walk(Struct, frozen=True, kw_only=True):
    """An order that may have been: how often somebody came in beside another, and left with nobody inside, by it."""

    order: tuple[Span, ...]
    doubles: int
    idle_exits: int

    @property
    def cost(self) -> tuple[int, int]:
        """What speaks against it; the least is believed."""
        return self.doubles, self.idle_exits


def may_end(entry: Span, leaving: Span) -> bool:
    """Say whether an exit may have been after an entry."""
    if entry.gate == leaving.gate:
        return entry.key < leaving.key
    return entry.first_ms <= leaving.last_ms


def count_pairs(spans: Iterable[Span]) -> int:
    """Return how many entries can have been ended by an exit each, at most: a maximum matching.

    Taking the first exit that fits would not do: it may be the only one that fits another entry. Of one set of passages the
    largest number of pairs is one number, however it is found.
    """
    known = sorted(spans, key=lambda span: span.key)
    entries = [span for span in known if span.inward]
    exits = [span for span in known if not span.inward]
    if {entry.gate for entry in entries}.isdisjoint({leaving.gate for leaving in exits}):
        return _count_by_time(entries, exits)
    return _count_by_search(entries, exits)


def find_walk(spans: Iterable[Span]) -> Walk:
    """Return the order that is believed: the ledger's own, unless another possible one needs fewer people to explain it.

    Nobody is accused of what an order within the clocks' doubt makes good. Where gates let people pass one way each, the
    other order is the best there is; with gates for both ways it is a good one.
    """
    known = sorted(_narrow(spans), key=lambda span: span.key)
    plain = _walk(known)
    possible = _is_possible(known)
    if possible and plain.cost == (0, 0):
        return plain
    other = _walk(_alternate(known))
    return plain if possible and plain.cost <= other.cost else other


def _count_by_time(entries: Sequence[Span], exits: Sequence[Span]) -> int:
    """Count pairs of gates that lead one way each: an exit that may be later fits every entry an earlier one fits."""
    firsts = sorted(entry.first_ms for entry in entries)
    pairs = 0
    for last_ms in sorted(leaving.last_ms for leaving in exits):
        if pairs < len(firsts) and firsts[pairs] <= last_ms:
            pairs += 1
    return pairs


def _count_by_search(entries: Sequence[Span], exits: Sequence[Span]) -> int:
    """Count pairs by augmenting paths (Kuhn 1955): each exit finds a free entry, or moves others to make one free."""
    exit_of: dict[int, int] = {}
    for leaving in range(len(exits)):
        _place(leaving, entries, exits, exit_of)
    return len(exit_of)


def _place(new: int, entries: Sequence[Span], exits: Sequence[Span], exit_of: dict[int, int]) -> None:
    reached: dict[int, tuple[int, int | None]] = {}
    waiting: list[tuple[int, int | None]] = [(new, None)]
    for leaving, held in waiting:
        for entry, span in enumerate(entries):
            if entry in reached or not may_end(span, exits[leaving]):
                continue
            reached[entry] = (leaving, held)
            if entry not in exit_of:
                _move_along(entry, reached, exit_of)
                return
            waiting.append((exit_of[entry], entry))


def _move_along(free: int, reached: dict[int, tuple[int, int | None]], exit_of: dict[int, int]) -> None:
    entry: int | None = free
    while entry is not None:
        exit_of[entry], entry = reached[entry]


def _narrow(spans: Iterable[Span]) -> list[Span]:
    """Narrow each gate's spans by its own order: nothing was before what is before it in the log.

    A log whose times contradict its order gives spans from the one to the other, which doubt everything between.
    """
    of_gate: defaultdict[bytes, list[Span]] = defaultdict(list)
    for span in sorted(spans, key=lambda span: span.key):
        of_gate[span.gate].append(span)
    narrowed = []
    for own in of_gate.values():
        firsts = list(accumulate((span.first_ms for span in own), max))
        lasts = list(accumulate((span.last_ms for span in reversed(own)), min))[::-1]
        for span, first, last in zip(own, firsts, lasts, strict=True):
            narrowed.append(
                Span(
                    gate=span.gate,
                    key=span.key,
                    inward=span.inward,
                    first_ms=min(first, last),
                    last_ms=max(first, last),
                )
            )
    return narrowed


def _is_possible(order: Sequence[Span]) -> bool:
    """Say whether no passage comes before one that was certainly earlier; each gate's own are in order."""
    latest_first = -1
    for span in order:
        if span.last_ms < latest_first:
            return False
        latest_first = max(latest_first, span.first_ms)
    return True


def _walk(order: Sequence[Span]) -> Walk:
    inside = doubles = idle = 0
    for span in order:
        if span.inward:
            doubles += inside > 0
            inside += 1
        else:
            idle += inside == 0
            inside = max(0, inside - 1)
    return Walk(order=tuple(order), doubles=doubles, idle_exits=idle)


def _alternate(known: Sequence[Span]) -> list[Span]:
    """Return a possible order in which people leave before others come in, and come in before others leave, where they may.

    Of several that would do, the one goes first that others must wait for longest: the one whose span ends first.
    """
    waiting: defaultdict[bytes, list[Span]] = defaultdict(list)
    for span in reversed(known):
        waiting[span.gate].append(span)
    inside = 0
    order: list[Span] = []
    while waiting:
        heads = [own[-1] for own in waiting.values()]
        soonest_ms = min(head.last_ms for head in heads)
        ready = [head for head in heads if head.first_ms <= soonest_ms]
        chosen = min(ready, key=lambda head: (head.inward is (inside > 0), head.last_ms, head.key))
        waiting[chosen.gate].pop()
        if not waiting[chosen.gate]:
            del waiting[chosen.gate]
        inside = inside + 1 if chosen.inward else max(0, inside - 1)
        order.append(chosen)
    return order
