"""What signing in and the audit log need from the outside, as Protocols."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Protocol
from uuid import UUID

from server.services.rows import Page
from server.services.rows_staff import AuditRow, SessionRow, StaffRow
from shared.ids import EventId, SessionId, StaffId, TenantId


class Staff(Protocol):
    """A tenant's accounts and where they are signed in."""

    async def add(self, staff: StaffRow) -> bool:
        """Keep a new account; return False if the name to sign in with is taken, by whomever."""
        ...

    async def get(self, staff: StaffId) -> StaffRow | None:
        """Return an account, disabled or not."""
        ...

    async def list_all(self) -> list[StaffRow]:
        """Return the tenant's accounts by the name they sign in with."""
        ...

    async def set_verifier(self, staff: StaffId, verifier: str) -> None:
        """Give an account another password."""
        ...

    async def disable(self, staff: StaffId, now: datetime) -> None:
        """Mark an account disabled; one that is stays as it is."""
        ...

    async def enable(self, staff: StaffId) -> None:
        """Mark an account as one that may sign in; one that may stays as it is."""
        ...

    async def open_session(self, session: SessionRow) -> None:
        """Keep a new session."""
        ...

    async def session(self, session: SessionId) -> SessionRow | None:
        """Return a session in any condition."""
        ...

    async def sessions_of(self, staff: StaffId, now: datetime) -> list[SessionRow]:
        """Return an account's sessions that were neither ended nor are past their time, the newest first."""
        ...

    async def see(self, session: SessionId, now: datetime) -> None:
        """Keep that a session was used just now."""
        ...

    async def end_session(self, staff: StaffId, session: SessionId, now: datetime) -> bool:
        """End one of an account's sessions; return False if it has none such that goes on."""
        ...

    async def end_all(self, staff: StaffId, now: datetime) -> None:
        """End all of an account's sessions."""
        ...


class Audit(Protocol):
    """What was done."""

    async def add(self, entry: AuditRow) -> None:
        """Keep an entry."""
        ...

    async def complete(self, entry: UUID, outcome: str) -> None:
        """Keep what came of it."""
        ...

    async def list_all(self, event: EventId | None, page: Page) -> list[AuditRow]:
        """Return the tenant's entries, newest first; only those about an event if one is named."""
        ...


class StaffDirectory(Protocol):
    """Which account of which tenant a name leads to."""

    async def find(self, login: str) -> tuple[TenantId, StaffId] | None:
        """Return the one account with this name; None if there is none."""
        ...


class DirectoryUnit(Protocol):
    """One transaction across tenants."""

    @property
    def staff(self) -> StaffDirectory:
        """Return its store."""
        ...


class DirectoryDatabase(Protocol):
    """The door across tenants."""

    def worker(self) -> AbstractAsyncContextManager[DirectoryUnit]:
        """Open one transaction across tenants."""
        ...


class Passwords(Protocol):
    """Makes and checks what is kept of passwords; both are slow on purpose."""

    async def hash(self, password: str) -> str:
        """Return the verifier of a password."""
        ...

    async def check(self, verifier: str | None, password: str) -> bool:
        """Say whether a password fits; with None it never does, and takes as long."""
        ...
