"""Trace ids as W3C Trace Context carries them: one for everything that one request brings about, in whichever program."""

from __future__ import annotations

import hashlib
import re

HEADER = "traceparent"

_PARENT = re.compile(r"00-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}")
_TRACE = re.compile(r"[0-9a-f]{32}")


def read_trace(parent: str) -> str | None:
    """Return the trace id of a traceparent header's value, 32 hexadecimal digits; None if it holds none."""
    found = _PARENT.fullmatch(parent)
    return found[1] if found and found[1] != "0" * 32 else None


def write_parent(trace: str, step: bytes) -> str | None:
    """Return a traceparent header's value for one step of a trace; None for an id that is no trace's.

    ``step`` is whatever tells this step from others: the same one gets the same value.
    """
    if not _TRACE.fullmatch(trace):
        return None
    return f"00-{trace}-{hashlib.sha256(step).hexdigest()[:16]}-01"
