"""API keys, service callers and supervisors in PostgreSQL."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from server.db.driver import Connection, read_optional, read_row
from server.db.statements import load_statements
from server.services.rows import Page
from server.services.rows_access import ApiKeyRow, ServiceRow, ServiceSecretRow, SupervisorRow
from shared.ids import ApiKeyId, EventId, SupervisorId

_SQL = load_statements("access.sql")


class ApiKeyStore:
    """Implements ``server.services.ports_access.ApiKeys``."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def add(self, key: ApiKeyRow) -> None:
        """Keep a new key."""
        await self._connection.execute(
            _SQL["add_key"],
            key.id,
            key.name,
            key.secret_hash,
            [scope.value for scope in key.scopes],
            key.event,
            key.created_by,
            key.created_at,
            key.expires_at,
        )

    async def get(self, key: ApiKeyId) -> ApiKeyRow | None:
        """Return a key in any condition."""
        return read_optional(await self._connection.fetchrow(_SQL["get_key"], key), ApiKeyRow)

    async def list_all(self, page: Page) -> list[ApiKeyRow]:
        """Return the tenant's keys, newest first."""
        rows = await self._connection.fetch(_SQL["list_keys"], page.after, page.limit)
        return [read_row(row, ApiKeyRow) for row in rows]

    async def touch(self, key: ApiKeyId, now: datetime) -> None:
        """Keep that a key was used just now."""
        await self._connection.execute(_SQL["touch_key"], key, now)

    async def revoke(self, key: ApiKeyId, now: datetime) -> bool:
        """Mark a key revoked."""
        return await self._connection.fetchval(_SQL["revoke_key"], key, now) is not None


class ServiceStore:
    """Implements ``server.services.ports_access.Services``."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def add(self, service: ServiceRow) -> bool:
        """Keep a new service."""
        calls = [call.value for call in service.calls]
        added = await self._connection.fetchval(_SQL["add_service"], service.name, calls, service.created_at)
        return added is not None

    async def get(self, name: str) -> ServiceRow | None:
        """Return a service."""
        return read_optional(await self._connection.fetchrow(_SQL["get_service"], name), ServiceRow)

    async def lock(self, name: str) -> ServiceRow | None:
        """Return a service and lock it."""
        return read_optional(await self._connection.fetchrow(_SQL["lock_service"], name), ServiceRow)

    async def list_all(self) -> list[ServiceRow]:
        """Return the tenant's services by name."""
        return [read_row(row, ServiceRow) for row in await self._connection.fetch(_SQL["list_services"])]

    async def consume_nonce(self, caller: str, nonce: str, until: datetime) -> bool:
        """Remember a nonce."""
        return await self._connection.fetchval(_SQL["consume_nonce"], caller, nonce, until) is not None

    async def remove(self, name: str) -> bool:
        """Delete a service and its secrets."""
        return await self._connection.fetchval(_SQL["remove_service"], name) is not None

    async def add_secret(self, secret: ServiceSecretRow) -> None:
        """Keep a new secret."""
        values = (secret.caller, secret.id, secret.wrapped, secret.created_at)
        await self._connection.execute(_SQL["add_secret"], *values)

    async def secrets(self, name: str) -> list[ServiceSecretRow]:
        """Return a service's secrets, the newest first."""
        return [read_row(row, ServiceSecretRow) for row in await self._connection.fetch(_SQL["secrets"], name)]

    async def end_secret(self, name: str, secret: UUID, ends_at: datetime) -> None:
        """Let a secret count until a moment."""
        await self._connection.execute(_SQL["end_secret"], name, secret, ends_at)

    async def drop_secrets(self, name: str, before: datetime) -> None:
        """Delete secrets that ended."""
        await self._connection.execute(_SQL["drop_secrets"], name, before)

    async def foreign_secrets(self, kek: str, limit: int) -> list[ServiceSecretRow]:
        """Lock and return secrets under another key-encryption key."""
        rows = await self._connection.fetch(_SQL["foreign_secrets"], kek, limit)
        return [read_row(row, ServiceSecretRow) for row in rows]

    async def rewrap_secrets(self, rows: list[ServiceSecretRow]) -> None:
        """Write wrapped secrets anew."""
        names, ids, wrapped = [one.caller for one in rows], [one.id for one in rows], [one.wrapped for one in rows]
        await self._connection.execute(_SQL["rewrap_secrets"], names, ids, wrapped)


class SupervisorStore:
    """Implements ``server.services.ports_access.Supervisors``."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def add(self, supervisor: SupervisorRow) -> None:
        """Keep a new supervisor."""
        await self._connection.execute(
            _SQL["add_supervisor"],
            supervisor.id,
            supervisor.name,
            supervisor.verifier,
            supervisor.event,
            supervisor.gates,
            supervisor.created_at,
        )

    async def get(self, supervisor: SupervisorId) -> SupervisorRow | None:
        """Return a supervisor, removed or not."""
        return read_optional(await self._connection.fetchrow(_SQL["get_supervisor"], supervisor), SupervisorRow)

    async def list_all(self, page: Page) -> list[SupervisorRow]:
        """Return the tenant's supervisors, newest first."""
        rows = await self._connection.fetch(_SQL["list_supervisors"], page.after, page.limit)
        return [read_row(row, SupervisorRow) for row in rows]

    async def of_event(self, event: EventId, limit: int) -> list[SupervisorRow]:
        """Return who may decide at an event."""
        rows = await self._connection.fetch(_SQL["supervisors_of_event"], event, limit)
        return [read_row(row, SupervisorRow) for row in rows]

    async def set_verifier(self, supervisor: SupervisorId, verifier: str) -> bool:
        """Give a supervisor another PIN."""
        return await self._connection.fetchval(_SQL["set_verifier"], supervisor, verifier) is not None

    async def remove(self, supervisor: SupervisorId, now: datetime) -> bool:
        """Mark a supervisor removed."""
        return await self._connection.fetchval(_SQL["remove_supervisor"], supervisor, now) is not None
