"""What use cases tell of themselves to be counted, and the figures of the whole installation that somebody watches."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from msgspec import Struct


class Way(StrEnum):
    """How a gate's log came."""

    WEBSOCKET = "websocket"
    HTTP = "http"
    AMQP = "amqp"


class Counts(Protocol):
    """Takes what happened; never fails and never waits."""

    def batch(self, way: Way, records: int) -> None:
        """Note a batch of a gate's log and how many of its records were new."""
        ...

    def swept(self, what: str, number: int) -> None:
        """Note what a round of housekeeping did; ``what`` is one of a few fixed words."""
        ...


class NoCounts:
    """Counts nothing."""

    def batch(self, way: Way, records: int) -> None:
        """Forget it."""

    def swept(self, what: str, number: int) -> None:
        """Forget it."""


class Figures(Struct, frozen=True, kw_only=True):
    """How the installation stands at one moment, over all tenants; ages in seconds.

    ``gates`` counts gates of events not over by whether they were heard of in the last minute (`heard`, `silent`).
    ``gates_by_mode`` counts those heard of by what they say of themselves (`online`, `offline`, `held`, `untold`), ``assets``
    tickets' assets on a chain by state; ``asset_oldest_s`` is how long the one has waited that has most to be done.
    ``key_horizon_s`` is how far ahead keys reach at the event that has least, None without an event.
    """

    outbox_entries: int
    outbox_oldest_s: float
    feed_entries: int
    facts_waiting: int
    facts_oldest_s: float
    facts_parked: int
    messages_refused: int
    gates_heard: int
    gates_silent: int
    gates_backlog: int
    gates_backlog_max: int
    gates_scans_per_minute: float
    reservations_pending: int
    reservations_overdue: int
    key_horizon_s: float | None
    conflicts_open: dict[str, int]
    gates_by_mode: dict[str, int]
    assets: dict[str, int]
    asset_oldest_s: float


class FigureReader(Protocol):
    """Reads them."""

    async def read(self, now: datetime) -> Figures:
        """Return the figures as of a moment."""
        ...


class FigureUnit(Protocol):
    """One transaction across tenants."""

    @property
    def figures(self) -> FigureReader:
        """Return its reader."""
        ...


class FigureDatabase(Protocol):
    """The door across tenants."""

    def worker(self) -> AbstractAsyncContextManager[FigureUnit]:
        """Open one transaction across tenants."""
        ...
