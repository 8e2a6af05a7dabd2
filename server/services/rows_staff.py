"""What is stored of the people who sign in to the operations page, their sessions, and what they did."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from msgspec import Struct

from server.domain.access import Role
from shared.ids import EventId, SessionId, StaffId, TenantId
from shared.secrecy import Reticent


class StaffRow(Reticent, frozen=True, kw_only=True):
    """An account: the name to sign in with, the name to be shown, and the Argon2id hash of the password."""

    tenant: TenantId
    id: StaffId
    login: str
    name: str
    role: Role
    verifier: str
    created_at: datetime
    disabled_at: datetime | None = None


class SessionRow(Reticent, frozen=True, kw_only=True):
    """Where somebody is signed in; ``agent`` is what the browser calls itself."""

    tenant: TenantId
    id: SessionId
    staff: StaffId
    secret_hash: bytes
    agent: str
    created_at: datetime
    seen_at: datetime
    expires_at: datetime
    ended_at: datetime | None = None


class Via(StrEnum):
    """By which way something was asked for."""

    PAGE = "page"
    API = "api"
    COMMAND = "command"
    """The command line of the server."""
    SYSTEM = "system"
    """Nobody asked: it was due."""


class AuditRow(Struct, frozen=True, kw_only=True):
    """Something that was done: by whom, to what, and what came of it.

    ``outcome`` None: it was interrupted, or goes on. ``via`` None: noted before ways were told apart. ``trace`` is that of the
    log lines.
    """

    tenant: TenantId
    id: UUID
    at: datetime
    actor_id: str
    actor_name: str
    action: str
    subject: str = ""
    event: EventId | None = None
    detail: str = ""
    outcome: str | None = None
    via: Via | None = None
    trace: str | None = None
