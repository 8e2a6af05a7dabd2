"""Other services: let in by name, with secrets of their own that may be changed over without a gap."""

from __future__ import annotations

import base64
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from msgspec import Struct
from msgspec.structs import replace

from server.domain.access import ServiceCall
from server.domain.service_call import SECRET_SIZE, is_caller_name
from server.services.context import Context
from server.services.ports import Unit
from server.services.problems_access import ServiceExists, ServiceUnknown
from server.services.rows_access import ServiceRow, ServiceSecretRow
from shared.ids import TenantId, uuid7
from shared.problems import InputUnusable
from shared.secrecy import Reticent

BUILT_IN = "internal"
"""The caller whose secret is a setting; no stored one has its name."""
OVERLAP = timedelta(hours=24)
LONGEST_OVERLAP = timedelta(days=30)

log = structlog.get_logger()


class CallerNameUnusable(InputUnusable):
    """A service cannot be called this."""

    code = "service_name_unusable"


class CallerMade(Reticent, frozen=True, kw_only=True):
    """A service and its new secret as text, which is shown this once."""

    service: ServiceRow
    secret: str


class CallerView(Struct, frozen=True, kw_only=True):
    """A service, how many secrets of it count, and until when the older one does."""

    service: ServiceRow
    secrets: int
    older_ends_at: datetime | None


async def add_caller(context: Context, tenant: TenantId, name: str, calls: frozenset[ServiceCall]) -> CallerMade:
    """Let a service call what is listed, and make its secret.

    Raises:
        CallerNameUnusable: the name has another form, or is the built-in caller's.
        ServiceExists: there is one of this name.
    """
    if not is_caller_name(name) or name == BUILT_IN:
        raise CallerNameUnusable(
            f"A service's name has 2 to 40 lower-case letters, digits and hyphens, a letter first; {BUILT_IN!r} is taken."
        )
    row = ServiceRow(name=name, calls=sorted(calls), created_at=context.clock.now())
    async with context.db.tenant(tenant) as tx:
        if not await tx.services.add(row):
            raise ServiceExists(f"There is a service called {name!r}: rotate its secret, or remove it first.")
        secret = await _add_secret(context, tx, name)
    log.info("services.added", service=name)
    return CallerMade(service=row, secret=secret)


async def rotate_caller(context: Context, tenant: TenantId, name: str, overlap: timedelta = OVERLAP) -> CallerMade:
    """Make a service another secret; the one before counts for the overlap, any older one no more.

    Raises:
        ServiceUnknown: the tenant has none of this name.
    """
    now = context.clock.now()
    async with context.db.tenant(tenant) as tx:
        service = await tx.services.lock(name) if is_caller_name(name) else None
        if service is None:
            raise ServiceUnknown("There is no service of this name.")
        for place, known in enumerate(await tx.services.secrets(name)):
            await tx.services.end_secret(name, known.id, now + overlap if place == 0 else now)
        await tx.services.drop_secrets(name, now)
        secret = await _add_secret(context, tx, name)
    log.info("services.rotated", service=name)
    return CallerMade(service=service, secret=secret)


async def remove_caller(context: Context, tenant: TenantId, name: str) -> None:
    """Let a service call no more; its secrets are erased.

    Raises:
        ServiceUnknown: the tenant has none of this name.
    """
    async with context.db.tenant(tenant) as tx:
        if not is_caller_name(name) or not await tx.services.remove(name):
            raise ServiceUnknown("There is no service of this name.")
    log.info("services.removed", service=name)


async def list_callers(context: Context, tenant: TenantId) -> list[CallerView]:
    """Return the tenant's services."""
    now = context.clock.now()
    async with context.db.tenant(tenant) as tx:
        views = []
        for service in await tx.services.list_all():
            good = [one for one in await tx.services.secrets(service.name) if counts(one, now)]
            ends = [one.ends_at for one in good if one.ends_at is not None]
            views.append(CallerView(service=service, secrets=len(good), older_ends_at=min(ends, default=None)))
    return views


def counts(secret: ServiceSecretRow, now: datetime) -> bool:
    """Say whether a secret still counts."""
    return secret.ends_at is None or now < secret.ends_at


def open_secret(context: Context, tenant: TenantId, row: ServiceSecretRow) -> bytes:
    """Return the bytes of a stored secret: those of its text.

    Raises:
        SettingsInvalid, DataDamaged: the key ring does not open it.
    """
    return context.vault.wrapping.ring.unwrap(_label(tenant, row.caller, row.id), row.wrapped)


def rewrap_secret(context: Context, tenant: TenantId, row: ServiceSecretRow) -> ServiceSecretRow:
    """Return the row under the ring's current key."""
    label = _label(tenant, row.caller, row.id)
    return replace(row, wrapped=context.vault.wrapping.ring.wrap(label, open_secret(context, tenant, row)))


async def _add_secret(context: Context, tx: Unit, name: str) -> str:
    now = context.clock.now()
    text = base64.urlsafe_b64encode(context.random_bytes(SECRET_SIZE)).rstrip(b"=").decode()
    row_id = uuid7(now, context.random_bytes)
    # Of a secret the text itself is the key, so that nobody has to know how it is encoded.
    wrapped = context.vault.wrapping.ring.wrap(_label(tx.tenant, name, row_id), text.encode())
    await tx.services.add_secret(ServiceSecretRow(caller=name, id=row_id, wrapped=wrapped, created_at=now))
    return text


def _label(tenant: TenantId, caller: str, secret: UUID) -> bytes:
    return b"|".join((b"ttservice1", tenant.bytes, caller.encode(), secret.bytes))
