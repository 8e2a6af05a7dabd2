"""One transaction and its stores."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from server.db.access_store import ApiKeyStore, ServiceStore, SupervisorStore
from server.db.broker_store import BrokerBookStore, BrokerStore
from server.db.command_store import CommandStore
from server.db.conflict_store import ConflictStore
from server.db.driver import Connection
from server.db.ending_store import EndingStore
from server.db.event_store import EventStore
from server.db.facts_store import FactStore
from server.db.feed_store import FeedStore
from server.db.figure_store import FigureStore
from server.db.gate_store import GateStore
from server.db.idempotency_store import IdempotencyStore
from server.db.import_store import ImportStore
from server.db.inbox_store import InboxStore
from server.db.key_care_store import KeyCareStore
from server.db.key_store import KeyStore
from server.db.live_store import LiveStore
from server.db.look_up_store import LookUpStore
from server.db.maintenance_store import MaintenanceStore
from server.db.mint_store import MintStore
from server.db.nft_store import AssetStore
from server.db.order_store import OrderStore
from server.db.organiser_store import OrganiserStore
from server.db.outbox_store import OutboxStore
from server.db.people_store import PeopleStore, TakeoutStore
from server.db.problems import DRIVER_PROBLEMS, translate
from server.db.refund_store import RefundStore
from server.db.refusal_store import RefusalStore
from server.db.scan_store import ScanStore
from server.db.staff_store import AuditStore, StaffDirectoryStore, StaffStore
from server.db.stock_store import StockStore
from server.db.ticket_store import TicketStore
from server.db.transfer_store import TransferStore
from server.db.trimming_store import TrimmingStore
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
        self.assets = AssetStore(connection)
        self.keys = KeyStore(connection)
        self.key_care = KeyCareStore(connection)
        self.idempotency = IdempotencyStore(connection)
        self.outbox = OutboxStore(connection)
        self.feed = FeedStore(connection)
        self.gates = GateStore(connection)
        self.commands = CommandStore(connection)
        self.scans = ScanStore(connection)
        self.conflicts = ConflictStore(connection)
        self.api_keys = ApiKeyStore(connection)
        self.services = ServiceStore(connection)
        self.supervisors = SupervisorStore(connection)
        self.organising = OrganiserStore(connection)
        self.endings = EndingStore(connection)
        self.imports = ImportStore(connection)
        self.broker = BrokerStore(connection)
        self.facts = FactStore(connection)
        self.inbox = InboxStore(connection)
        self.staff = StaffStore(connection)
        self.audit = AuditStore(connection)
        self.people = PeopleStore(connection)
        self.takeout = TakeoutStore(connection)
        self.live = LiveStore(connection)
        self.refunds = RefundStore(connection)
        self.look_up = LookUpStore(connection)


class PgWorkerUnit(_Commits):
    """The stores of a transaction across tenants."""

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection)
        self.maintenance = MaintenanceStore(connection)
        self.refusals = RefusalStore(connection)
        self.broker = BrokerBookStore(connection)
        self.trimming = TrimmingStore(connection)
        self.figures = FigureStore(connection)
        self.staff = StaffDirectoryStore(connection)
        self.mints = MintStore(connection)
