"""`tickettoken staff`: who signs in to the operations page."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from datetime import datetime

from msgspec import UNSET, Struct, UnsetType

from server.auth.passwords import ArgonPasswords
from server.cli_desk import TenantDesk, run_at_desk
from server.cli_office import plain
from server.domain.access import Role
from server.domain.staff import make_password
from server.services.rows_staff import StaffRow
from server.services.staff import Registry, StaffWish, add_staff, disable_staff, enable_staff, list_staff, set_password
from shared.ids import StaffId
from shared.problems import InputUnusable

_ONCE = "it is shown this once and kept nowhere"


class ToldStaff(Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """An account as JSON; ``password`` only when it was just made."""

    id: StaffId
    login: str
    name: str
    role: Role
    created_at: datetime
    disabled_at: datetime | None
    password: str | UnsetType = UNSET


def add(arguments: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Make an account."""

    async def work(arguments: argparse.Namespace, desk: TenantDesk) -> None:
        password = _choose_password(arguments, desk)
        role = Role(arguments.role)
        wish = StaffWish(login=arguments.login, name=arguments.name, role=role, password=password)
        _tell_password(arguments, desk, await add_staff(_registry(desk), wish), password)

    return run_at_desk(arguments, environ, work)


def passwd(arguments: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Give an account another password."""

    async def work(arguments: argparse.Namespace, desk: TenantDesk) -> None:
        password = _choose_password(arguments, desk)
        _tell_password(arguments, desk, await set_password(_registry(desk), arguments.login, password), password)

    return run_at_desk(arguments, environ, work)


def listing(arguments: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Print the accounts."""

    async def work(_: argparse.Namespace, desk: TenantDesk) -> None:
        found = await list_staff(desk.context, desk.tenant)
        lines = [_describe(row) for row in found] or ["nobody: `tickettoken staff add` lets somebody sign in"]
        desk.tell([_tell(row) for row in found], *lines)

    return run_at_desk(arguments, environ, work)


def disable(arguments: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Let an account sign in no more."""

    async def work(arguments: argparse.Namespace, desk: TenantDesk) -> None:
        row = await disable_staff(_registry(desk), arguments.login)
        desk.tell(_tell(row), f"{row.login} signs in no more, and is signed out everywhere")

    return run_at_desk(arguments, environ, work)


def enable(arguments: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Let a disabled account sign in again, with another password."""

    async def work(arguments: argparse.Namespace, desk: TenantDesk) -> None:
        password = _choose_password(arguments, desk)
        _tell_password(arguments, desk, await enable_staff(_registry(desk), arguments.login, password), password)

    return run_at_desk(arguments, environ, work)


def _registry(desk: TenantDesk) -> Registry:
    return Registry(context=desk.context, passwords=ArgonPasswords(), tenant=desk.tenant)


def _choose_password(arguments: argparse.Namespace, desk: TenantDesk) -> str:
    if not arguments.password_stdin:
        return make_password(desk.context.random_bytes)
    line = sys.stdin.readline().rstrip("\r\n")
    if not line:
        raise InputUnusable("--password-stdin: there is no password on standard input")
    return line


def _tell_password(arguments: argparse.Namespace, desk: TenantDesk, row: StaffRow, password: str) -> None:
    if arguments.password_stdin:
        desk.tell(_tell(row), f"{row.login} signs in with the password that was given")
        return
    desk.tell(_tell(row, password), password, f"this is the password of {row.login}: {_ONCE}")


def _tell(row: StaffRow, password: str | UnsetType = UNSET) -> ToldStaff:
    return ToldStaff(
        id=row.id,
        login=row.login,
        name=row.name,
        role=row.role,
        created_at=row.created_at,
        disabled_at=row.disabled_at,
        password=password,
    )


def _describe(row: StaffRow) -> str:
    return f"{row.login}  {plain(row.name)}: {row.role}{'  DISABLED' if row.disabled_at is not None else ''}"
