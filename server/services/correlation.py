"""Which request or message the present work belongs to, so that what it causes can be traced back to it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from uuid import UUID

_CORRELATION: ContextVar[str | None] = ContextVar("correlation", default=None)
_OF_SUBJECT: ContextVar[Mapping[UUID, str] | None] = ContextVar("correlation_of_subject", default=None)


@contextmanager
def correlating(correlation_id: str | None) -> Iterator[None]:
    """Have everything inside the block belong to this id, or with None to no request at all."""
    token = _CORRELATION.set(correlation_id)
    try:
        yield
    finally:
        _CORRELATION.reset(token)


def present_correlation() -> str | None:
    """Return the id the present work belongs to; None for work that nobody asked for."""
    return _CORRELATION.get()


@contextmanager
def correlating_each(ids: Mapping[UUID, str]) -> Iterator[None]:
    """Have what is done inside the block about each of these subjects belong to an id of its own."""
    token = _OF_SUBJECT.set(ids)
    try:
        yield
    finally:
        _OF_SUBJECT.reset(token)


def correlation_of(subject: UUID) -> str | None:
    """Return the id that work about a subject belongs to: its own, else that of the present work."""
    return (_OF_SUBJECT.get() or {}).get(subject, _CORRELATION.get())
