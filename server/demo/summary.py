"""What the evening came to: figures that add up, and every expectation that did not hold."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Sequence

from msgspec import Struct

from server.demo.lane import Seen


class Assets(Struct, frozen=True, kw_only=True):
    """What became of the tickets on the chain: how many have their asset for good, in how many trees, all of them compared.

    ``network`` is ``simulated`` where a model plays the programs' part. ``seconds`` is how long they were waited for after
    the doors had closed.
    """

    network: str
    finalized: int
    trees: int
    seconds: float


class Summary(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The demo's result as printed with ``--json``; times in milliseconds.

    ``scans`` is what the server stored, ``offline_scans`` how many of them were decided with the cable cut, ``synced`` those
    the gates know to be stored, ``unsynced`` those they do not. ``problems`` is empty when everything came out as it must.
    ``assets`` is there with ``--nft``.
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
    assets: Assets | None = None


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
