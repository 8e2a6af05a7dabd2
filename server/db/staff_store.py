"""Accounts of the operations page, their sessions and the audit log in PostgreSQL."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from server.db.driver import Connection, read_optional, read_row
from server.db.statements import load_statements
from server.services.rows import Page
from server.services.rows_staff import AuditRow, SessionRow, StaffRow
from shared.ids import EventId, SessionId, StaffId, TenantId

_SQL = load_statements("staff.sql")
_ACROSS = load_statements("staff_worker.sql")


class StaffStore:
    """Implements ``server.services.ports_staff.Staff``."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def add(self, staff: StaffRow) -> bool:
        """Keep a new account."""
        values = (staff.id, staff.login, staff.name, staff.role.value, staff.verifier, staff.created_at)
        return await self._connection.fetchval(_SQL["add_staff"], *values) is not None

    async def get(self, staff: StaffId) -> StaffRow | None:
        """Return an account."""
        return read_optional(await self._connection.fetchrow(_SQL["get_staff"], staff), StaffRow)

    async def list_all(self) -> list[StaffRow]:
        """Return the tenant's accounts."""
        return [read_row(row, StaffRow) for row in await self._connection.fetch(_SQL["list_staff"])]

    async def set_verifier(self, staff: StaffId, verifier: str) -> None:
        """Give an account another password."""
        await self._connection.execute(_SQL["set_verifier"], staff, verifier)

    async def disable(self, staff: StaffId, now: datetime) -> None:
        """Mark an account disabled."""
        await self._connection.execute(_SQL["disable"], staff, now)

    async def enable(self, staff: StaffId) -> None:
        """Mark an account as one that may sign in."""
        await self._connection.execute(_SQL["enable"], staff)

    async def open_session(self, session: SessionRow) -> None:
        """Keep a new session."""
        await self._connection.execute(
            _SQL["open_session"],
            session.id,
            session.staff,
            session.secret_hash,
            session.agent,
            session.created_at,
            session.seen_at,
            session.expires_at,
        )

    async def session(self, session: SessionId) -> SessionRow | None:
        """Return a session."""
        return read_optional(await self._connection.fetchrow(_SQL["session"], session), SessionRow)

    async def sessions_of(self, staff: StaffId, now: datetime) -> list[SessionRow]:
        """Return an account's sessions that go on."""
        return [read_row(row, SessionRow) for row in await self._connection.fetch(_SQL["sessions_of"], staff, now)]

    async def see(self, session: SessionId, now: datetime) -> None:
        """Keep that a session was used."""
        await self._connection.execute(_SQL["see"], session, now)

    async def end_session(self, staff: StaffId, session: SessionId, now: datetime) -> bool:
        """End one session."""
        return await self._connection.fetchval(_SQL["end_session"], staff, session, now) is not None

    async def end_all(self, staff: StaffId, now: datetime) -> None:
        """End all of an account's sessions."""
        await self._connection.execute(_SQL["end_all"], staff, now)


class AuditStore:
    """Implements ``server.services.ports_staff.Audit``."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def add(self, entry: AuditRow) -> None:
        """Keep an entry."""
        await self._connection.execute(
            _SQL["add_entry"],
            entry.id,
            entry.at,
            entry.actor_id,
            entry.actor_name,
            entry.action,
            entry.subject,
            entry.event,
            entry.detail,
            entry.outcome,
            entry.via,
            entry.trace,
        )

    async def complete(self, entry: UUID, outcome: str) -> None:
        """Keep what came of it."""
        await self._connection.execute(_SQL["complete_entry"], entry, outcome)

    async def list_all(self, event: EventId | None, page: Page) -> list[AuditRow]:
        """Return entries, newest first."""
        rows = await self._connection.fetch(_SQL["list_entries"], event, page.after, page.limit)
        return [read_row(row, AuditRow) for row in rows]


class StaffDirectoryStore:
    """Implements ``server.services.ports_staff.StaffDirectory``."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def find(self, login: str) -> tuple[TenantId, StaffId] | None:
        """Return the one account with this name."""
        row = await self._connection.fetchrow(_ACROSS["find"], login)
        return None if row is None else (TenantId(row["tenant_id"]), StaffId(row["id"]))
