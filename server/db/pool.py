"""The door to PostgreSQL: one transaction per tenant, one for work across tenants, and notices."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, Literal, TypeAlias
from uuid import UUID

import asyncpg
import msgspec
import structlog
from msgspec import Struct

from server.db.driver import Connection, Pool
from server.db.entering import EnteringConnection, check_sent, send_along
from server.db.maintenance_store import MaintenanceStore
from server.db.problems import DRIVER_PROBLEMS, translate
from server.db.statements import load_statements
from server.db.unit import PgUnit, PgWorkerUnit
from shared.ids import TenantId
from shared.problems import TicketTokenError

Notice = Callable[[str, str], None]
"""Called with channel and payload; with an empty payload for each channel whenever listening (re)starts."""

_COMMAND_TIMEOUT_S = 30.0
_CONNECT_TIMEOUT_S = 10.0
_ACQUIRE_TIMEOUT_S = 15.0
_CLOSE_TIMEOUT_S = 2.0
_RETRY_S = (0.1, 0.5, 1.0, 2.0, 5.0)

Isolation: TypeAlias = Literal["repeatable_read"]

_SQL = load_statements("pool.sql")

log = structlog.get_logger()


class PoolSizes(Struct, frozen=True, kw_only=True):
    """How many connections each role may hold at most."""

    app: int = 10
    worker: int = 4


class PoolUse(Struct, frozen=True, kw_only=True):
    """One role's connections now."""

    role: str
    busy: int
    idle: int
    most: int


class PgDatabase:
    """The database as the two roles of the running program reach it."""

    def __init__(self, app: Pool, worker: Pool, worker_dsn: str) -> None:
        self._app = app
        self._worker = worker
        self._worker_dsn = worker_dsn

    @asynccontextmanager
    async def tenant(self, tenant: TenantId) -> AsyncIterator[PgUnit]:
        """Open one transaction that sees this tenant's rows alone; see ``server.services.ports.Database``."""
        async with _transaction(self._app, tenant) as connection:
            unit = PgUnit(connection, tenant)
            yield unit
        unit.committed()

    @asynccontextmanager
    async def still(self, tenant: TenantId) -> AsyncIterator[PgUnit]:
        """Open one tenant's transaction all of whose reads see the same moment (REPEATABLE READ)."""
        async with _transaction(self._app, tenant, "repeatable_read") as connection:
            unit = PgUnit(connection, tenant)
            yield unit
        unit.committed()

    @asynccontextmanager
    async def worker(self) -> AsyncIterator[PgWorkerUnit]:
        """Open one transaction across tenants with the narrow grants of the worker role."""
        async with _transaction(self._worker) as connection:
            unit = PgWorkerUnit(connection)
            yield unit
        unit.committed()

    @asynccontextmanager
    async def app_connection(self) -> AsyncIterator[Connection]:
        """Lend a connection of the app role without a tenant: it sees no tenant's rows. For checks of the schema."""
        async with _borrow(self._app) as connection:
            yield connection

    @asynccontextmanager
    async def worker_connection(self) -> AsyncIterator[Connection]:
        """Lend a connection of the worker role outside a transaction. For checks of the role."""
        async with _borrow(self._worker) as connection:
            yield connection

    @asynccontextmanager
    async def worker_session(self) -> AsyncIterator[Connection]:
        """Open a connection of the worker role outside the pool, for session locks; it closes with the context."""
        try:
            connection = await asyncpg.connect(
                self._worker_dsn, timeout=_CONNECT_TIMEOUT_S, command_timeout=_COMMAND_TIMEOUT_S
            )
            await prepare_connection(connection)
        except DRIVER_PROBLEMS as exc:
            raise translate(exc) from exc
        try:
            yield connection
        except DRIVER_PROBLEMS as exc:
            raise translate(exc) from exc
        finally:
            await _close_session(connection)

    def uses(self) -> list[PoolUse]:
        """Return how many connections there are; the sessions of leaders are beside these."""
        pools = {"app": self._app, "worker": self._worker}
        return [
            PoolUse(
                role=role,
                busy=pool.get_size() - pool.get_idle_size(),
                idle=pool.get_idle_size(),
                most=pool.get_max_size(),
            )
            for role, pool in pools.items()
        ]

    async def ping(self) -> None:
        """Return if both roles get an answer from the database.

        Raises:
            Unavailable: one does not.
        """
        async with self.app_connection() as connection:
            await MaintenanceStore(connection).ping()
        async with self.worker_connection() as connection:
            await MaintenanceStore(connection).ping()

    async def listen(self, channels: Sequence[str], notice: Notice) -> None:
        """Report notices on these channels until cancelled; a lost connection is made anew.

        Notices sent while disconnected are gone: the empty notice on every start is the moment to look for oneself.
        """
        failures = 0
        while True:
            try:
                async with self.worker_session() as connection:
                    failures = 0
                    await _listen_once(connection, channels, notice)
                log.warning("database.listen_lost")
            except TicketTokenError as exc:
                log.warning("database.listen_failed", code=exc.code)
            failures += 1
            await asyncio.sleep(_RETRY_S[min(failures, len(_RETRY_S)) - 1])


@asynccontextmanager
async def open_database(app_dsn: str, worker_dsn: str, sizes: PoolSizes | None = None) -> AsyncIterator[PgDatabase]:
    """Connect both roles, and close their connections at the end.

    Raises:
        Unavailable: the database does not answer.
        Denied: it refuses a role.
    """
    sizes = sizes or PoolSizes()
    async with _open_pool(app_dsn, sizes.app) as app, _open_pool(worker_dsn, sizes.worker) as worker:
        yield PgDatabase(app, worker, worker_dsn)


@asynccontextmanager
async def _open_pool(dsn: str, size: int) -> AsyncIterator[Pool]:
    try:
        pool = await asyncpg.create_pool(
            dsn,
            min_size=1,
            max_size=size,
            timeout=_CONNECT_TIMEOUT_S,
            command_timeout=_COMMAND_TIMEOUT_S,
            init=prepare_connection,
            reset=_leave_as_it_is,
            connection_class=EnteringConnection,
        )
    except DRIVER_PROBLEMS as exc:
        raise translate(exc) from exc
    try:
        yield pool
    finally:
        await _close(pool)


async def _leave_as_it_is(_: Connection) -> None:
    """Save the round trip that would reset a connection: everything this program sets or locks ends with its transaction."""


async def _close(pool: Pool) -> None:
    try:
        async with asyncio.timeout(_CONNECT_TIMEOUT_S):
            await pool.close()
    except TimeoutError:
        pool.terminate()


async def _close_session(connection: asyncpg.Connection[asyncpg.Record]) -> None:
    try:
        await connection.close(timeout=_CLOSE_TIMEOUT_S)
    except DRIVER_PROBLEMS:
        connection.terminate()


async def prepare_connection(connection: Connection) -> None:
    """Teach a connection that jsonb columns hold JSON of our structs."""
    await connection.set_type_codec(
        "jsonb", schema="pg_catalog", encoder=_encode_json, decoder=msgspec.json.decode, format="text"
    )


def _encode_json(value: Any) -> str:
    return msgspec.json.encode(value).decode()


@asynccontextmanager
async def _transaction(
    pool: Pool, tenant: TenantId | None = None, isolation: Isolation | None = None
) -> AsyncIterator[Connection]:
    async with _borrow(pool) as connection:
        if tenant is not None:
            send_along(connection, _SQL["enter_tenant"].format(tenant=UUID(bytes=tenant.bytes)))
        async with connection.transaction(isolation=isolation):
            if tenant is not None:
                check_sent(connection)
            yield connection


@asynccontextmanager
async def _borrow(pool: Pool) -> AsyncIterator[Connection]:
    lent: AbstractAsyncContextManager[Connection] = pool.acquire(timeout=_ACQUIRE_TIMEOUT_S)
    try:
        async with lent as connection:
            yield connection
    except DRIVER_PROBLEMS as exc:
        raise translate(exc) from exc


async def _listen_once(connection: Connection, channels: Sequence[str], notice: Notice) -> None:
    lost = asyncio.Event()
    connection.add_termination_listener(lambda _: lost.set())
    for channel in channels:
        await connection.add_listener(channel, lambda _c, _p, name, payload: notice(str(name), str(payload)))
    for channel in channels:
        notice(channel, "")
    await lost.wait()
