"""Which request or message the present work belongs to, so that what it causes can be traced back to it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_CORRELATION: ContextVar[str | None] = ContextVar("correlation", default=None)


@contextmanager
def correlating(correlation_id: str) -> Iterator[None]:
    """Have everything inside the block belong to this id."""
    token = _CORRELATION.set(correlation_id)
    try:
        yield
    finally:
        _CORRELATION.reset(token)


def present_correlation() -> str | None:
    """Return the id the present work belongs to; None for work that nobody asked for."""
    return _CORRELATION.get()
