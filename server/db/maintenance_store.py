"""Housekeeping across tenants, in PostgreSQL."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from server.db.driver import Connection
from server.db.statements import load_statements
from shared.ids import EventId, TenantId

_SQL = load_statements("maintenance.sql")


class MaintenanceStore:
    """Implements ``server.services.sweep.Maintenance`` and ``server.services.key_horizon.Horizons``."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def tenants(self) -> list[TenantId]:
        """Return all tenants."""
        return [TenantId(row["id"]) for row in await self._connection.fetch(_SQL["tenants"])]

    async def overdue_events(self, now: datetime, limit: int) -> list[tuple[TenantId, EventId]]:
        """Return events with reservations whose time is over."""
        rows = await self._connection.fetch(_SQL["overdue_events"], now, limit)
        return [(TenantId(row["tenant_id"]), EventId(row["event_id"])) for row in rows]

    async def end_transfers(self, now: datetime, limit: int) -> int:
        """Mark overdue offers expired."""
        status = await self._connection.execute(_SQL["end_transfers"], now, limit)
        return int(status.removeprefix("UPDATE "))

    async def unused_payments(self, noted_before: datetime, limit: int) -> list[tuple[TenantId, str]]:
        """Return payments nobody has looked after."""
        rows = await self._connection.fetch(_SQL["unused_payments"], noted_before, limit)
        return [(TenantId(row["tenant_id"]), row["payment_id"]) for row in rows]

    async def forget_answers(self, before: datetime) -> None:
        """Delete kept answers of calls older than a moment."""
        await self._connection.execute(_SQL["forget_answers"], before)

    async def forget_nonces(self, before: datetime) -> None:
        """Delete nonces whose time ended before a moment."""
        await self._connection.execute(_SQL["forget_nonces"], before)

    async def forget_codes(self, before: datetime) -> None:
        """Delete enrolment codes that ended before a moment."""
        await self._connection.execute(_SQL["forget_codes"], before)

    async def forget_sessions(self, before: datetime) -> None:
        """Delete sessions of the operations page whose time was over before a moment."""
        await self._connection.execute(_SQL["forget_sessions"], before)

    async def going_events(self, now: datetime) -> list[tuple[TenantId, EventId]]:
        """Return events that are not over."""
        rows = await self._connection.fetch(_SQL["going_events"], now)
        return [(TenantId(row["tenant_id"]), EventId(row["id"])) for row in rows]

    async def running_endings(self, limit: int) -> list[tuple[TenantId, EventId]]:
        """Return events whose end is under way."""
        rows = await self._connection.fetch(_SQL["running_endings"], limit)
        return [(TenantId(row["tenant_id"]), EventId(row["event_id"])) for row in rows]

    async def waiting_imports(self, limit: int, silent_since: datetime) -> list[tuple[TenantId, UUID]]:
        """Return files of tickets to be worked on."""
        rows = await self._connection.fetch(_SQL["waiting_imports"], limit, silent_since)
        return [(TenantId(row["tenant_id"]), row["id"]) for row in rows]

    async def events_to_erase(self, ended_before: datetime, limit: int) -> list[tuple[TenantId, EventId]]:
        """Return events over since before a moment whose people are still known."""
        rows = await self._connection.fetch(_SQL["events_to_erase"], ended_before, limit)
        return [(TenantId(row["tenant_id"]), EventId(row["id"])) for row in rows]

    async def server_clock(self) -> datetime:
        """Return the database server's own time."""
        clock: datetime = await self._connection.fetchval(_SQL["server_clock"])
        return clock

    async def ping(self) -> None:
        """Return if the database answers."""
        await self._connection.execute(_SQL["ping"])
