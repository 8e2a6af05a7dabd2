"""What the evening came to: figures that add up, and every expectation that did not hold."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Sequence

from msgspec import Struct

from server.demo.lane import Seen


class Summary(Struct, frozen=True, kw_only=True):
    """The demo's result as printed with ``--json``; times in milliseconds.

    ``scans`` is what the server stored, ``offline_scans`` how many of them were decided with the cable cut, ``synced`` those
    the gates know to be stored, ``unsynced`` those they do not. ``problems`` is empty when everything came out as it must.
    """

    tickets: int
    gates: int
    scans: int
    admitted: int
    refused: dict[str, int]
    conflicts: dict[str, int]
    offline_scans: int
    synced: int
    unsynced: int
    inside: int
    tickets_used: int
    verdict_p50_ms: float
    verdict_p99_ms: float
    snapshot_tickets: int
    seconds: float
    problems: list[str]


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value below which a share of the values lies; 0 for none."""
    if not values:
        return 0.0
    if len(values) == 1:
        return values[0]
    return statistics.quantiles(values, n=100, method="inclusive")[round(share * 100) - 1]


def count_refusals(seen: Sequence[Seen]) -> dict[str, int]:
    """Return how often each reason was given for a refusal that was recorded."""
    return dict(sorted(Counter(item.reason for item in seen if not item.admitted and item.recorded).items()))
