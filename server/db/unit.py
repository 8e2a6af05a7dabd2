"""One transaction and its stores."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from server.db.conflict_store import ConflictStore
from server.db.driver import Connection
from server.db.event_store import EventStore
from server.db.feed_store import FeedStore
from server.db.gate_store import GateStore
from server.db.idempotency_store import IdempotencyStore
from server.db.key_care_store import KeyCareStore
from server.db.key_store import KeyStore
from server.db.maintenance_store import MaintenanceStore
from server.db.order_store import OrderStore
from server.db.outbox_store import OutboxStore
from server.db.problems import DRIVER_PROBLEMS, translate
from server.db.scan_store import ScanStore
from server.db.stock_store import StockStore
from server.db.ticket_store import TicketStore
from server.db.transfer_store import TransferStore
from shared.ids import TenantId


class _Commits:
    """Remembers what to do once the transaction is durable."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._actions: list[Callable[[], None]] = []

    @asynccontextmanager
    async def savepoint(self) -> AsyncIterator[None]:
        """Open a part of the transaction that can fail alone; the driver's problems leave it as our own."""
        try:
            async with self._connection.transaction():
                yield
        except DRIVER_PROBLEMS as exc:
            raise translate(exc) from exc

    def on_commit(self, action: Callable[[], None]) -> None:
        """Have something done once this transaction is durable, and only then; for caches."""
        self._actions.append(action)

    def committed(self) -> None:
        """Do what waited for the commit; called by the door alone."""
        for action in self._actions:
            action()


class PgUnit(_Commits):
    """The stores of one tenant's transaction; implements ``server.services.ports.Unit``."""

    def __init__(self, connection: Connection, tenant: TenantId) -> None:
        super().__init__(connection)
        self.tenant = tenant
        self.events = EventStore(connection)
        self.stock = StockStore(connection)
        self.orders = OrderStore(connection)
        self.tickets = TicketStore(connection)
        self.transfers = TransferStore(connection)
        self.keys = KeyStore(connection)
        self.key_care = KeyCareStore(connection)
        self.idempotency = IdempotencyStore(connection)
        self.outbox = OutboxStore(connection)
        self.feed = FeedStore(connection)
        self.gates = GateStore(connection)
        self.scans = ScanStore(connection)
        self.conflicts = ConflictStore(connection)


class PgWorkerUnit(_Commits):
    """The stores of a transaction across tenants."""

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection)
        self.maintenance = MaintenanceStore(connection)
