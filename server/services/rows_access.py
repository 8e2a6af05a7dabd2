"""What is stored of callers that are no users and no gates, and of the supervisors gates know."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from msgspec import Struct

from server.domain.access import Scope, ServiceCall
from shared.ids import ApiKeyId, EventId, GateId, SupervisorId, TenantId, UserId
from shared.secrecy import Reticent


class ApiKeyRow(Reticent, frozen=True, kw_only=True):
    """An outside system's key: the SHA-256 of its secret, what it may do, and for which event if only for one."""

    tenant: TenantId
    id: ApiKeyId
    name: str
    secret_hash: bytes
    scopes: list[Scope]
    event: EventId | None
    created_by: UserId
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None = None
    revoked_at: datetime | None = None


class ServiceRow(Struct, frozen=True, kw_only=True):
    """Another service and what it may call."""

    name: str
    calls: list[ServiceCall]
    created_at: datetime


class ServiceSecretRow(Reticent, frozen=True, kw_only=True):
    """One of a service's secrets, wrapped; one that was replaced counts until ``ends_at``."""

    caller: str
    id: UUID
    wrapped: bytes
    created_at: datetime
    ends_at: datetime | None = None


class SupervisorRow(Reticent, frozen=True, kw_only=True):
    """Somebody who may decide at gates against the rule: at one event or all, at some gates or (none named) all."""

    tenant: TenantId
    id: SupervisorId
    name: str
    verifier: str
    event: EventId | None
    gates: list[GateId]
    created_at: datetime
    removed_at: datetime | None = None
