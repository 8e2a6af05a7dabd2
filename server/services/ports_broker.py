"""What the use cases around gates' broker accounts need from the outside, as Protocols."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Protocol

from server.services.rows_broker import AccountRow, QuarantineRow, StreamRow
from shared.ids import EventId, GateId, TenantId


class BrokerWishes(Protocol):
    """What one tenant's gates shall find at the broker; part of a unit."""

    async def want_account(self, gate: GateId, password_hash: str) -> None:
        """Have the broker know this gate by this password from soon on."""
        ...

    async def want_stream(self, event: EventId) -> None:
        """Have the event's feed in a stream from soon on."""
        ...

    async def stream(self, event: EventId) -> StreamRow | None:
        """Return an event's stream."""
        ...

    async def fed_at(self, event: EventId, seq: int) -> datetime | None:
        """Return when an entry was numbered; None when it is not kept or not there yet."""
        ...

    async def quarantine(self, gate: GateId, body: bytes, reason: str) -> bool:
        """Keep a batch that cannot be taken, once; return False for want of room: a gate's thousandth is its last."""
        ...

    async def count_quarantined(self, event: EventId) -> dict[GateId, int]:
        """Return how many batches of each of an event's gates are kept apart; gates without any are missing."""
        ...

    async def quarantined(self, gate: GateId, limit: int) -> list[QuarantineRow]:
        """Return a gate's batches that could not be taken, oldest first."""
        ...


class BrokerBook(Protocol):
    """All tenants' wishes, and how far they were carried out; part of a worker's unit."""

    async def accounts(self) -> list[AccountRow]:
        """Return every account."""
        ...

    async def mark_applied(self, account: AccountRow) -> None:
        """Note that the broker was told of the account as it stands in this row."""
        ...

    async def mark_removed(self, account: AccountRow, now: datetime) -> None:
        """Note that the broker does not know the account any more."""
        ...

    async def streams(self) -> list[StreamRow]:
        """Return every stream."""
        ...

    async def due_streams(self, now: datetime) -> list[StreamRow]:
        """Return the streams that lack something."""
        ...

    async def mark_declared(self, stream: StreamRow, now: datetime) -> None:
        """Note that the broker has the stream, empty."""
        ...

    async def mark_lost(self, stream: StreamRow) -> None:
        """Note that the broker has the stream no more."""
        ...

    async def mark_broken(self, stream: StreamRow) -> None:
        """Note that the broker cannot start the stream; the next edition is to take its place."""
        ...

    async def mark_published(self, stream: StreamRow, seq: int) -> None:
        """Note up to where the stream has the feed."""
        ...

    async def mark_snapshot(self, stream: StreamRow, snapshot: str, seq: int, begun_at: datetime) -> None:
        """Note the newest snapshot in the stream; the first one begins it."""
        ...


class BrokerUnit(Protocol):
    """One transaction across tenants, as far as the broker is concerned."""

    @property
    def broker(self) -> BrokerBook: ...


class BrokerDatabase(Protocol):
    """The door to transactions across tenants."""

    def worker(self) -> AbstractAsyncContextManager[BrokerUnit]:
        """Open one.

        Raises:
            Unavailable: the database is away.
        """
        ...


class BrokerOffice(Protocol):
    """The broker's own administration."""

    async def prepare(self) -> None:
        """Make sure that everything gates share is there.

        Raises:
            Unavailable: the broker's administration does not answer.
            Denied: it does not take the account.
        """
        ...

    async def grant(self, account: AccountRow) -> None:
        """Make a gate's queue and account, or bring them into line; safe to repeat. Raises like ``prepare``."""
        ...

    async def remove(self, tenant: TenantId, gate: GateId) -> None:
        """End a gate's connections and delete its account and queue; safe to repeat. Raises like ``prepare``."""
        ...

    async def declare_stream(self, stream: StreamRow) -> None:
        """Make an event's stream; safe to repeat. Raises like ``prepare``."""
        ...

    async def find_faults(self, accounts: Sequence[AccountRow]) -> BrokerFaults:
        """Compare what is there with these accounts. Raises like ``prepare``."""
        ...

    async def list_streams(self) -> Streams:
        """Return the names of all streams there. Raises like ``prepare``."""
        ...

    async def find_stuck(self) -> Sequence[str]:
        """Return those of the queues that gates share which the broker has and cannot start. Raises like ``prepare``."""
        ...

    async def remake(self, queue: str) -> None:
        """Delete one of the queues that gates share, with what is in it, and make it again. Raises like ``prepare``."""
        ...

    async def drop_stream(self, name: str) -> None:
        """Delete a stream, if the broker lets go of it. Raises like ``prepare``."""
        ...

    async def dismiss(self, name: str) -> None:
        """Delete an account by its name, connections first. Raises like ``prepare``."""
        ...


class Streams(Protocol):
    """What streams the broker has, by their names."""

    @property
    def there(self) -> Collection[str]: ...

    @property
    def broken(self) -> Collection[str]:
        """Return those of them that it cannot start."""
        ...


class BrokerFaults(Protocol):
    """What an inspection found."""

    @property
    def lacking(self) -> Sequence[AccountRow]:
        """Return accounts that are missing or have another password, permission or queue."""
        ...

    @property
    def strangers(self) -> Sequence[str]:
        """Return the names of gates' accounts that nobody wants."""
        ...


class LeaderSession(Protocol):
    """One database session that may lead; its leadership ends with the session."""

    async def lead(self) -> bool:
        """Try to become the leader, or stay it; return whether this session is.

        Raises:
            Unavailable: the session is lost.
        """
        ...


OpenLeaderSession = Callable[[], AbstractAsyncContextManager[LeaderSession]]
"""Opens a session of its own for a leader."""
