"""What the use cases need of stored API keys, service callers and supervisors, as Protocols."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol
from uuid import UUID

from server.services.rows import Page
from server.services.rows_access import ApiKeyRow, ServiceRow, ServiceSecretRow, SupervisorRow
from shared.ids import ApiKeyId, EventId, SupervisorId


class ApiKeys(Protocol):
    """Outside systems' keys."""

    async def add(self, key: ApiKeyRow) -> None:
        """Keep a new key."""
        ...

    async def get(self, key: ApiKeyId) -> ApiKeyRow | None:
        """Return a key in any condition."""
        ...

    async def list_all(self, page: Page) -> list[ApiKeyRow]:
        """Return the tenant's keys, revoked ones included, newest first."""
        ...

    async def touch(self, key: ApiKeyId, now: datetime) -> None:
        """Keep that a key was used just now."""
        ...

    async def revoke(self, key: ApiKeyId, now: datetime) -> bool:
        """Mark a key revoked; return False if it was already, or there is none."""
        ...


class Services(Protocol):
    """Other services and their secrets."""

    async def add(self, service: ServiceRow) -> bool:
        """Keep a new service; False if one of this name is there."""
        ...

    async def get(self, name: str) -> ServiceRow | None:
        """Return a service."""
        ...

    async def lock(self, name: str) -> ServiceRow | None:
        """Return a service and lock it until the transaction ends."""
        ...

    async def list_all(self) -> list[ServiceRow]:
        """Return the tenant's services by name."""
        ...

    async def consume_nonce(self, caller: str, nonce: str, until: datetime) -> bool:
        """Remember a nonce of a caller's until a moment at least; False if it came before."""
        ...

    async def remove(self, name: str) -> bool:
        """Delete a service and its secrets; return False if there is none."""
        ...

    async def add_secret(self, secret: ServiceSecretRow) -> None:
        """Keep a new secret."""
        ...

    async def secrets(self, name: str) -> list[ServiceSecretRow]:
        """Return a service's secrets, the newest first."""
        ...

    async def end_secret(self, name: str, secret: UUID, ends_at: datetime) -> None:
        """Let a secret count until a moment."""
        ...

    async def drop_secrets(self, name: str, before: datetime) -> None:
        """Delete a service's secrets that ended before a moment."""
        ...

    async def foreign_secrets(self, kek: str, limit: int) -> list[ServiceSecretRow]:
        """Lock and return secrets that are wrapped with another key-encryption key than the one named."""
        ...

    async def rewrap_secrets(self, rows: list[ServiceSecretRow]) -> None:
        """Write wrapped secrets anew."""
        ...


class Supervisors(Protocol):
    """Who may decide at gates."""

    async def add(self, supervisor: SupervisorRow) -> None:
        """Keep a new supervisor."""
        ...

    async def get(self, supervisor: SupervisorId) -> SupervisorRow | None:
        """Return a supervisor, removed or not."""
        ...

    async def list_all(self, page: Page) -> list[SupervisorRow]:
        """Return the tenant's supervisors that are not removed, newest first."""
        ...

    async def of_event(self, event: EventId, limit: int) -> list[SupervisorRow]:
        """Return who may decide at an event, those of all events included, by name."""
        ...

    async def set_verifier(self, supervisor: SupervisorId, verifier: str) -> bool:
        """Give a supervisor another PIN; return False if there is none that is not removed."""
        ...

    async def remove(self, supervisor: SupervisorId, now: datetime) -> bool:
        """Mark a supervisor removed; return False if there is none that is not."""
        ...
