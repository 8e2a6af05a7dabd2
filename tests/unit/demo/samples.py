"""Verdicts and results of an evening that went well, to be spoiled by tests."""

from __future__ import annotations

from typing import Any

from server.demo.lane import Guest, Seen
from server.demo.summary import Summary


def seen(**changes: Any) -> Seen:
    """Return one admission, recorded online in ten milliseconds, unless told otherwise."""
    fields: dict[str, Any] = {
        "code": "00",
        "admitted": True,
        "reason": "ok",
        "mode": "online",
        "gate_seq": 1,
        "total_ms": 10.0,
    }
    return Seen(**(fields | changes))


def guest(text: str, **changes: Any) -> Guest:
    """Return somebody with a valid ticket."""
    fields: dict[str, Any] = {"who": f"guest {text}", "admitted": True, "reason": "ok"}
    return Guest(text=text, **(fields | changes))


def summary(**changes: Any) -> Summary:
    """Return the result of a small evening in which everything came out right."""
    fields: dict[str, Any] = {
        "tickets": 100,
        "gates": 2,
        "scans": 3,
        "admitted": 2,
        "refused": {"code_stale": 1},
        "conflicts": {"clone": 1},
        "offline_scans": 1,
        "synced": 3,
        "unsynced": 0,
        "inside": 2,
        "tickets_used": 1,
        "verdict_p50_ms": 10.0,
        "verdict_p99_ms": 20.0,
        "snapshot_tickets": 100,
        "seconds": 30.0,
        "problems": [],
    }
    return Summary(**(fields | changes))
