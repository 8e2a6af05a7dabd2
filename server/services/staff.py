"""Accounts of the operations page: made, given another password, disabled and enabled again."""

from __future__ import annotations

import structlog
from msgspec import Struct

from server.domain.access import Role
from server.domain.names import read_name
from server.domain.staff import find_password_fault, read_login
from server.services.context import Context
from server.services.ports import Unit
from server.services.ports_staff import Passwords
from server.services.problems_staff import PasswordUnusable, StaffLoginTaken, StaffLoginUnusable, StaffUnknown
from server.services.rows_staff import StaffRow
from shared.ids import StaffId, TenantId, uuid7
from shared.secrecy import Reticent

log = structlog.get_logger()


class StaffWish(Reticent, frozen=True, kw_only=True):
    """Who is to sign in, by which name and with which password, and what they may do."""

    login: str
    name: str
    role: Role
    password: str


class Registry(Struct, frozen=True, kw_only=True):
    """One tenant's accounts, and what it takes to look after them."""

    context: Context
    passwords: Passwords
    tenant: TenantId


async def add_staff(registry: Registry, wish: StaffWish) -> StaffRow:
    """Make an account.

    Raises:
        StaffLoginUnusable, PasswordUnusable, NameUnusable: of what was given.
        StaffLoginTaken: somebody signs in with this name already.
    """
    context = registry.context
    login = read_login(wish.login)
    if login is None:
        raise StaffLoginUnusable("A name to sign in with has 2 to 100 of the signs a-z 0-9 . _ @ + -")
    _check_password(wish.password, login)
    now = context.clock.now()
    row = StaffRow(
        tenant=registry.tenant,
        id=StaffId(uuid7(now, context.random_bytes)),
        login=login,
        name=read_name(wish.name, 100, "name"),
        role=wish.role,
        verifier=await registry.passwords.hash(wish.password),
        created_at=now,
    )
    async with context.db.tenant(registry.tenant) as tx:
        if not await tx.staff.add(row):
            raise StaffLoginTaken(f"Somebody signs in as {login} already: choose another name.")
    log.info("staff.added", staff=str(row.id), role=row.role.value)
    return row


async def set_password(registry: Registry, login: str, password: str) -> StaffRow:
    """Give an account another password and end all its sessions.

    Raises:
        StaffUnknown: the tenant has no such account.
        PasswordUnusable: the password is too easily guessed.
    """
    context = registry.context
    async with context.db.tenant(registry.tenant) as tx:
        row = await _find(tx, login)
    _check_password(password, row.login)
    verifier = await registry.passwords.hash(password)
    async with context.db.tenant(registry.tenant) as tx:
        await tx.staff.set_verifier(row.id, verifier)
        await tx.staff.end_all(row.id, context.clock.now())
    log.info("staff.password_set", staff=str(row.id))
    return row


async def disable_staff(registry: Registry, login: str) -> StaffRow:
    """Let an account sign in no more, and end all its sessions; safe to repeat.

    Raises:
        StaffUnknown: the tenant has no such account.
    """
    now = registry.context.clock.now()
    async with registry.context.db.tenant(registry.tenant) as tx:
        row = await _find(tx, login)
        await tx.staff.disable(row.id, now)
        await tx.staff.end_all(row.id, now)
        found = await tx.staff.get(row.id)
    log.info("staff.disabled", staff=str(row.id))
    return found or row


async def enable_staff(registry: Registry, login: str, password: str) -> StaffRow:
    """Let a disabled account sign in again, with another password: whoever knew the old one may be why it was disabled.

    Raises:
        StaffUnknown: the tenant has no such account.
        PasswordUnusable: the password is too easily guessed.
    """
    row = await set_password(registry, login, password)
    async with registry.context.db.tenant(registry.tenant) as tx:
        await tx.staff.enable(row.id)
        found = await tx.staff.get(row.id)
    log.info("staff.enabled", staff=str(row.id))
    return found or row


async def list_staff(context: Context, tenant: TenantId) -> list[StaffRow]:
    """Return the tenant's accounts."""
    async with context.db.tenant(tenant) as tx:
        return await tx.staff.list_all()


async def _find(tx: Unit, login: str) -> StaffRow:
    wanted = read_login(login)
    row = next((one for one in await tx.staff.list_all() if one.login == wanted), None)
    if row is None:
        raise StaffUnknown("Nobody signs in with this name: `tickettoken staff list` shows who does.")
    return row


def _check_password(password: str, login: str) -> None:
    fault = find_password_fault(password, login)
    if fault is not None:
        raise PasswordUnusable(fault)
